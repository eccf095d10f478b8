"""Checks of a model's labels and performance limits against its reference."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from math import isnan
from typing import Literal

import numpy as np

from driftline.consumer.config.errors import Key, Problem
from driftline.consumer.config.limit import PerformanceLimit
from driftline.consumer.config.model import ModelConfig
from driftline.consumer.config.settings import Config
from driftline.consumer.config.tree import Locations
from driftline.consumer.config.values import format_number
from driftline.detectors.outcomes import METRICS, Outcomes, estimate, estimate_size
from driftline.detectors.outcomes.metrics import Family, names_of
from driftline.detectors.reference import Reference
from driftline.errors import ReferenceError  # noqa: A004 (the operator's word for it)

_FIELDS: dict[str, tuple[Family, ...]] = {
    "prediction.label": ("classes",),
    "prediction.score": ("scores", "probabilities", "errors"),
}
"""What is predicted, and the families of metrics that are of it."""


def check_performance(
    config: Config, model_name: str, reference: Reference, locations: Locations
) -> list[Problem]:
    """Find what a model's reference or mappings lack for what is configured of its performance.

    Limits that stand in `defaults` hold for all models, of which some may be of another kind: what
    such a model lacks is a warning.

    Args:
        config: the configuration.
        model_name: one of its models.
        reference: the model's.
        locations: of the same `Loaded`.
    """
    model, place = config.models[model_name], ("models", model_name)
    problems = [*_positive_label(model, reference, locations, place)]
    if model.labels is not None:
        problems += _unmapped(config, model_name, locations)
    if model.labels is None and not model.performance:
        return problems
    try:
        outcomes = Outcomes.of(reference)
    except ReferenceError as error:
        return [*problems, locations.problem((*place, "reference"), str(error))]
    if outcomes is None:
        return [*problems, *_no_outcome(model, locations, place)]
    problems += _predictions(config, model_name, outcomes, locations)
    return [*problems, *_limits(model, outcomes, locations, place)]


def _positive_label(
    model: ModelConfig, reference: Reference, locations: Locations, place: Key
) -> Iterator[Problem]:
    wanted, built = model.positive_label, reference.positive_label
    if wanted is not None and wanted != built:
        has = "without one" if built is None else f"with {built}"
        yield locations.problem(
            (*place, "positive_label"),
            f"the reference of {place[1]} was built {has}: "
            f"build it again with --positive-label {wanted}",
        )


def _unmapped(config: Config, model_name: str, locations: Locations) -> Iterator[Problem]:
    """Yield a problem for each topic whose mapping leaves out what the join needs."""
    model = config.models[model_name]
    topic = model.labels.topic if model.labels is not None else ""
    needs: dict[str, set[str]] = {topic: {"actual"}}
    if topic not in model.predictions:
        needs = {each: {"event_id"} for each in model.predictions} | {topic: {"actual", "event_id"}}
    for each, fields in needs.items():
        source = config.sources.get(each)
        if source is None or source.mapping.is_native:
            continue
        for field in sorted(fields - {name.partition(".")[0] for name in source.fields}):
            yield locations.problem(
                ("sources", each, "fields"),
                f"no field is mapped to {field}, which the labels of {model_name} need",
            )


def _predictions(
    config: Config, model_name: str, outcomes: Outcomes, locations: Locations
) -> Iterator[Problem]:
    """Yield a problem for each topic whose mapping leaves out a prediction that is measured."""
    model, layout = config.models[model_name], outcomes.layout
    for field, families in _FIELDS.items():
        own, needed = names_of(families), {*families} & {*layout.families}
        limits = [metric for metric in model.performance if metric in own]
        watched = outcomes.watched in own
        by_budget = model.labels is not None and not model.performance and watched
        for topic in model.predictions if needed and (limits or by_budget) else ():
            source = config.sources.get(topic)
            if source is None or source.mapping.is_native:
                continue
            if not {field, "prediction"} & source.fields.keys():
                what = ", ".join(limits) or str(outcomes.watched)
                verb = "are" if len(limits) > 1 else "is"
                text = (
                    f"no field is mapped to {field}, so {what} of {model_name} {verb} never judged"
                )
                yield locations.problem(("sources", topic, "fields"), f"{text}: map it")


def _no_outcome(model: ModelConfig, locations: Locations, place: Key) -> Iterator[Problem]:
    key = "performance" if model.labels is None else "labels"
    by_default = key == "performance" and locations.in_defaults((*place, key))
    yield locations.problem(
        (*place, key),
        f"the reference of {place[1]} was built without ground truth, so there is nothing to "
        "compare with: map actual and build it again with driftline reference build",
        "warning" if by_default else "error",
    )


def _limits(
    model: ModelConfig, outcomes: Outcomes, locations: Locations, place: Key
) -> Iterator[Problem]:
    """Yield what is wrong with limits: never judged, or never quiet."""
    figures = outcomes.figures[0]
    estimated = _estimated(outcomes) if model.labels is None else figures.keys()
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


def _estimated(outcomes: Outcomes) -> Collection[str]:
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
