"""A rule as the configuration writes it: the `rule` of an alert."""

from __future__ import annotations

from typing import Literal

from driftline.consumer.config.limit import Limit, PerformanceLimit
from driftline.consumer.config.model import ModelConfig
from driftline.consumer.config.table_names import DetectorName, Metric
from driftline.consumer.config.values import For, format_number, format_share
from driftline.detectors.registry import RATES

LimitLevel = Literal["warning", "critical"]
PerformanceLevel = Literal["max_drop", "critical_drop", "min", "max"]


def describe_budget(model: ModelConfig) -> str:
    """Write the budget as it stands over distributions.

    >>> describe_budget(ModelConfig(predictions=("ml.predictions",), reference="ref.json"))
    'budget: 1 per 30d, min_effect: 0.02'
    """
    return f"budget: {model.budget or 'off'}, min_effect: {format_number(model.min_effect)}"


def describe_rate_budget(model: ModelConfig) -> str:
    """Write the budget as it stands over the rates (missing, invalid, unseen).

    >>> describe_rate_budget(ModelConfig(predictions=("ml.predictions",), reference="ref.json"))
    'budget: 1 per 30d, min_rise: 2%'
    """
    return f"budget: {model.budget or 'off'}, min_rise: {format_share(model.min_rise)}"


def describe_volume_budget(model: ModelConfig, factor: float) -> str:
    """Write the budget as it stands over the number of events.

    `factor`: how many times as many, or as few, may alarm.

    >>> model = ModelConfig(predictions=("ml.predictions",), reference="ref.json")
    >>> describe_volume_budget(model, 2.0)
    'budget: 1 per 30d, 2 times as many or as few events (window alarm)'
    """
    times = format_number(factor)
    return f"budget: {model.budget or 'off'}, {times} times as many or as few events (window alarm)"


def describe_limit(detector: DetectorName, limit: Limit, severity: LimitLevel) -> str:
    """Write the level of a limit that fired.

    Raises:
        ValueError: the limit has no such level.

    >>> describe_limit("psi", Limit(critical=0.25, for_=For(2, 3)), "critical")
    'psi: critical 0.25, for 2 of 3'
    >>> describe_limit("missing", Limit(critical=0.05), "critical")
    'missing: critical 5%'
    >>> describe_limit("ks", Limit(warning=0.001, on="p_value"), "warning")
    'ks: warning 0.001, on p_value'
    """
    level = limit.warning if severity == "warning" else limit.critical
    if level is None:
        raise ValueError(f"the limit on {detector} has no {severity} level")
    share = detector in RATES and limit.on == "value"
    text = f"{detector}: {severity} {format_share(level) if share else format_number(level)}"
    return text + (", on p_value" if limit.on == "p_value" else "") + _windows(limit.for_)


def describe_performance(metric: Metric, limit: PerformanceLimit, level: PerformanceLevel) -> str:
    """Write the level of a performance limit that fired.

    Raises:
        ValueError: the limit has no such level.

    >>> limit = PerformanceLimit(max_drop=0.01, for_=For(2, 3))
    >>> describe_performance("accuracy", limit, "max_drop")
    'accuracy: max_drop 0.01, for 2 of 3'
    """
    value: float | None = getattr(limit, level)
    if value is None:
        raise ValueError(f"the limit on {metric} has no {level}")
    return f"{metric}: {level} {format_number(value)}{_windows(limit.for_)}"


def _windows(rule: For) -> str:
    return "" if rule == For(1, 1) else f", for {rule}"
