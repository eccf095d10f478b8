"""The configuration file: its keys, its errors with line and nearest name.

>>> from driftline.consumer.config import ModelConfig
>>> model = ModelConfig(predictions=("ml.predictions",), reference="references/car-loan.json.gz")
>>> model.window.length, str(model.budget), model.thresholds_for("amount")
(3600000, '1 per 30d', {})
"""

from driftline.consumer.config.check import check_against
from driftline.consumer.config.comparison import ComparisonConfig, Side
from driftline.consumer.config.errors import ConfigError, Problem
from driftline.consumer.config.kafka import KafkaConfig, OutputConfig, SaslConfig, TlsConfig
from driftline.consumer.config.limit import Limit, PerformanceLimit
from driftline.consumer.config.loader import Loaded, load
from driftline.consumer.config.model import (
    LabelsConfig,
    ModelConfig,
    WindowConfig,
)
from driftline.consumer.config.names import (
    METRICS,
    DetectorName,
    Metric,
)
from driftline.consumer.config.rules import (
    describe_budget,
    describe_limit,
    describe_performance,
    describe_rate_budget,
)
from driftline.consumer.config.schema_registry import SchemaRegistryConfig
from driftline.consumer.config.settings import (
    Config,
    LogConfig,
)
from driftline.consumer.config.show import effective, schema, show
from driftline.consumer.config.source import SourceConfig
from driftline.consumer.config.tree import Locations
from driftline.consumer.config.values import Budget, For, Start, format_number, format_share

__all__ = [
    "METRICS",
    "Budget",
    "ComparisonConfig",
    "Config",
    "ConfigError",
    "DetectorName",
    "For",
    "KafkaConfig",
    "LabelsConfig",
    "Limit",
    "Loaded",
    "Locations",
    "LogConfig",
    "Metric",
    "ModelConfig",
    "OutputConfig",
    "PerformanceLimit",
    "Problem",
    "SaslConfig",
    "SchemaRegistryConfig",
    "Side",
    "SourceConfig",
    "Start",
    "TlsConfig",
    "WindowConfig",
    "check_against",
    "describe_budget",
    "describe_limit",
    "describe_performance",
    "describe_rate_budget",
    "effective",
    "format_number",
    "format_share",
    "load",
    "schema",
    "show",
]
