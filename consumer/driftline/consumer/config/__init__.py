"""The configuration file: its keys, its errors with line and nearest name.

What reads and checks it is imported when its first name is used: a command whose file is not there
says so before.

>>> from driftline.consumer.config import ModelConfig
>>> model = ModelConfig(predictions=("ml.predictions",), reference="references/car-loan.json.gz")
>>> model.window.length, str(model.budget), model.thresholds_for("amount")
(3600000, '1 per 30d', {})
"""

from typing import TYPE_CHECKING

from driftline.detectors.lazy import later

if TYPE_CHECKING:
    from driftline.consumer.config.check import check_against
    from driftline.consumer.config.comparison import ComparisonConfig, Side
    from driftline.consumer.config.dump import effective, schema, show
    from driftline.consumer.config.errors import ConfigError, Problem
    from driftline.consumer.config.kafka import KafkaConfig, OutputConfig, SaslConfig, TlsConfig
    from driftline.consumer.config.limit import Limit, PerformanceLimit
    from driftline.consumer.config.loader import Loaded, load
    from driftline.consumer.config.model import LabelsConfig, ModelConfig, WindowConfig
    from driftline.consumer.config.reference import ReferenceConfig
    from driftline.consumer.config.rules import (
        describe_budget,
        describe_limit,
        describe_performance,
        describe_rate_budget,
        describe_volume_budget,
    )
    from driftline.consumer.config.schema_registry import SchemaRegistryConfig
    from driftline.consumer.config.settings import Config, LogConfig
    from driftline.consumer.config.source import SourceConfig
    from driftline.consumer.config.table_names import METRICS, DetectorName, Metric
    from driftline.consumer.config.tree import Locations
    from driftline.consumer.config.ui import UiConfig
    from driftline.consumer.config.values import Budget, For, Start, format_number, format_share
else:
    _LATER = {
        "check": ("check_against",),
        "comparison": ("ComparisonConfig", "Side"),
        "errors": ("ConfigError", "Problem"),
        "kafka": ("KafkaConfig", "OutputConfig", "SaslConfig", "TlsConfig"),
        "limit": ("Limit", "PerformanceLimit"),
        "loader": ("Loaded", "load"),
        "model": ("LabelsConfig", "ModelConfig", "WindowConfig"),
        "reference": ("ReferenceConfig",),
        "table_names": ("DetectorName", "METRICS", "Metric"),
        "rules": (
            "describe_budget",
            "describe_limit",
            "describe_performance",
            "describe_rate_budget",
            "describe_volume_budget",
        ),
        "schema_registry": ("SchemaRegistryConfig",),
        "settings": ("Config", "LogConfig"),
        "dump": ("effective", "schema", "show"),
        "source": ("SourceConfig",),
        "tree": ("Locations",),
        "ui": ("UiConfig",),
        "values": ("Budget", "For", "Start", "format_number", "format_share"),
    }
    __getattr__ = later(__name__, _LATER)

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
    "ReferenceConfig",
    "SaslConfig",
    "SchemaRegistryConfig",
    "Side",
    "SourceConfig",
    "Start",
    "TlsConfig",
    "UiConfig",
    "WindowConfig",
    "check_against",
    "describe_budget",
    "describe_limit",
    "describe_performance",
    "describe_rate_budget",
    "describe_volume_budget",
    "effective",
    "format_number",
    "format_share",
    "load",
    "schema",
    "show",
]
