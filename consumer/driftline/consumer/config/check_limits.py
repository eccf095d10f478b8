"""Limits of performance beside the reference: those that can never be judged, or never be quiet."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from math import isnan
from typing import Literal

import numpy as np

from driftline.consumer.config.errors import Key, Problem
from driftline.consumer.config.limit import PerformanceLimit
from driftline.consumer.config.model import ModelConfig
from driftline.consumer.config.tree import Locations
from driftline.consumer.config.values import format_number
from driftline.detectors.outcomes import METRICS, Outcomes, estimate, estimate_size, names_of


def limit_problems(
    model: ModelConfig, outcomes: Outcomes, locations: Locations, place: Key
) -> Iterator[Problem]:
    """Yield what is wrong with the limits of a model.

    Those that stand in `defaults` hold for all models, of which some may be of another kind: what
    such a model lacks is a warning.

    Args:
        model: its configuration.
        outcomes: of its reference.
        locations: where the configuration was written.
        place: of the model in it.
    """
    figures = outcomes.figures[0]
    estimated = estimated_metrics(outcomes) if model.labels is None else figures.keys()
    for metric, limit in model.performance.items():
        here: Key = (*place, "performance", metric)
        severity: Literal["error", "warning"] = "error"
        if locations.in_defaults(here):
            severity = "warning"
        if metric not in figures:
            has = f"the reference of {place[1]} does not have it; it has {', '.join(figures)}"
            of_scores = METRICS[metric].family in ("scores", "probabilities")
            if of_scores and outcomes.layout.kind == "classification":
                has += ", and the others with prediction.score and --positive-label"
            yield locations.problem(here, has, severity)
            continue
        value = figures[metric].value
        if metric not in estimated:
            text = f"{metric} is not estimated, so without labels it is never judged: set labels"
            yield locations.problem(here, text, severity)
        if not isnan(value):
            yield from _broken(metric, limit, value, locations, here)
        elif limit.max_drop is not None or limit.critical_drop:
            has = f"has no value in the reference of {place[1]} to drop from: use min or max"
            yield locations.problem(here, has, severity)


def estimated_metrics(outcomes: Outcomes) -> Collection[str]:
    """Return the metrics that are estimated before labels come."""
    if outcomes.error_model is not None:
        return names_of(outcomes.layout.families, estimated=True)
    calibration = outcomes.calibration
    if calibration is None:
        return ()
    nothing = np.zeros(estimate_size(outcomes.layout), np.int64)
    return estimate(outcomes.layout, calibration, nothing).keys()


def _broken(
    metric: str, limit: PerformanceLimit, value: float, locations: Locations, here: Key
) -> Iterator[Problem]:
    """Yield a warning for each fixed limit that the reference itself lies beyond."""
    for name, level, beyond, other in (
        ("min", limit.min, limit.min is not None and value < limit.min, "max"),
        ("max", limit.max, limit.max is not None and value > limit.max, "min"),
    ):
        if level is None or not beyond:
            continue
        relation = "below" if name == "min" else "above"
        text = f"the reference itself, with {value:.3g}, lies {relation} it: "
        if METRICS[metric].scale.worse == (1 if name == "min" else -1):
            better = "higher" if name == "max" else "lower"
            text += f"{better} {metric} is better, so write {other}: {format_number(level)}"
        else:
            text += "it fires on quiet data"
        yield locations.problem((*here, name), text, "warning")
