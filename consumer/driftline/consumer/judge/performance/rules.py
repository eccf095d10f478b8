"""What a metric of performance must reach for an alert: the user's limits, and the budget."""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan, nan

from driftline.consumer.config import (
    Metric,
    ModelConfig,
    PerformanceLimit,
    describe_performance,
)
from driftline.consumer.config.rules import PerformanceLevel
from driftline.consumer.judge.budget_rules import VALUES
from driftline.consumer.judge.lives.life import Reading
from driftline.consumer.wire.subject import Subject
from driftline.detectors import significant
from driftline.detectors.outcomes import GAP, METRICS, Figure, Outcomes
from driftline.detectors.reference import Reference


@dataclass(frozen=True)
class MetricReading:
    """One metric in one window.

    Attributes:
        subject: which metric, realised or estimated.
        figure: its value and interval.
        normal: its value in the reference, NaN if unknown.
        p_value, threshold: NaN where there is none.
        reading: the result of the rule that looks at it; None if none does.
        described: that rule, in the words of the configuration.
        means: of a regression's gap, the mean errors realised and expected.
    """

    subject: Subject
    figure: Figure
    normal: float
    p_value: float = nan
    threshold: float = nan
    reading: Reading | None = None
    described: str = ""
    means: tuple[float, float] | None = None


def against_limit(
    config: ModelConfig, metric: Metric, figure: Figure, normal: float, *, estimated: bool = False
) -> MetricReading:
    """Compare a metric with the limit that the configuration sets it, if it does."""
    limit = config.performance.get(metric)
    subject = Subject.metric(metric, estimated=estimated)
    if limit is None:
        return MetricReading(subject, figure, normal)
    levels = _beyond(metric, limit, figure, normal)
    level = 2 if "critical_drop" in levels else 1 if levels else 0
    fired: PerformanceLevel = levels[0] if levels else _levels_of(limit)[0]
    described = describe_performance(metric, limit, fired)
    return MetricReading(
        subject,
        figure,
        normal,
        threshold=_bounds(metric, limit, normal, figure.value).get(fired, nan),
        reading=Reading(
            f"performance: {metric}",
            limit.for_.k,
            limit.for_.n,
            level,
            _is_quiet(metric, limit, figure, normal),
        ),
        described=f"estimated {described}" if estimated else described,
    )


def budget_reading(
    p_value: float, alpha: float, effect: float, least: float, most: float
) -> Reading:
    """Return the budget's reading of a p-value: a breach from the effect `least` on, see rules."""
    breach = p_value <= alpha and effect >= least
    level = 0 if not breach else 2 if effect >= most else 1
    return Reading(VALUES, 1, 1, level, not effect >= least / 2, effect)


def outcomes_of(config: ModelConfig, reference: Reference) -> Outcomes | None:
    """Return the reference's outcomes where performance is watched: by labels, or by estimates."""
    if config.labels is None and not config.performance:
        return None
    return Outcomes.of(reference)


def performance_tests(config: ModelConfig, outcomes: Outcomes | None) -> int:
    """Return how many tests of performance share the budget in every stream."""
    if outcomes is None or config.labels is None:
        return 0
    default = not config.performance and outcomes.watched is not None
    return int(default) + int(outcomes.has_gap)


def watched_metrics(config: ModelConfig, outcomes: Outcomes | None) -> set[Subject]:
    """Return the metrics that a rule looks at."""
    if outcomes is None:
        return set()
    sorts = (True,) if config.labels is None else (False, True)
    watched = {
        Subject.metric(metric, estimated=estimated)
        for metric in config.performance
        for estimated in sorts
    }
    if config.labels is not None and config.budget is not None:
        if not config.performance and outcomes.watched is not None:
            watched.add(Subject.metric(outcomes.watched))
        if outcomes.has_gap:
            watched.add(Subject.metric(GAP.name))
    return watched


def _levels_of(limit: PerformanceLimit) -> list[PerformanceLevel]:
    names: tuple[PerformanceLevel, ...] = ("max_drop", "critical_drop", "min", "max")
    return [name for name in names if getattr(limit, name) is not None]


def _bounds(
    metric: Metric, limit: PerformanceLimit, normal: float, value: float
) -> dict[PerformanceLevel, float]:
    """Return the value that each level of a limit stands for."""
    side = METRICS[metric].scale.worse or (1 if value > normal else -1)
    bounds: dict[PerformanceLevel, float] = {}
    for name in _levels_of(limit):
        level = float(getattr(limit, name))
        bounds[name] = (
            level if name in ("min", "max") else float(significant(normal + side * level))
        )
    return bounds


def _beyond(
    metric: Metric, limit: PerformanceLimit, figure: Figure, normal: float
) -> list[PerformanceLevel]:
    """Return the levels that the whole interval lies beyond, the most severe first."""
    side = METRICS[metric].scale.worse or (1 if figure.value > normal else -1)
    beyond: list[PerformanceLevel] = []
    for name, bound in _bounds(metric, limit, normal, figure.value).items():
        upwards = name == "max" or (name != "min" and side > 0)
        if figure.low > bound if upwards else figure.high < bound:
            beyond.append(name)
    return sorted(beyond, key=lambda name: name != "critical_drop")


def _is_quiet(metric: Metric, limit: PerformanceLimit, figure: Figure, normal: float) -> bool:
    """Return whether the value is back: less than half a drop away, and inside `min` and `max`.

    Where nobody knows what is normal, no drop can have fired.
    """
    if isnan(figure.value):
        return False
    worse = METRICS[metric].scale.worse
    away = figure.value - normal
    drop = abs(away) if worse == 0 else away * worse
    drops = [d for d in (limit.max_drop, limit.critical_drop) if d is not None]
    inside = (limit.min is None or figure.value >= limit.min) and (
        limit.max is None or figure.value <= limit.max
    )
    return inside and (not drops or isnan(normal) or drop < min(drops) / 2)
