"""What only the reference of a model can tell about its labels and limits of performance."""

from __future__ import annotations

from collections.abc import Iterator
from math import isnan
from typing import Literal

from driftline.consumer.config.errors import Problem
from driftline.consumer.config.model import ModelConfig
from driftline.consumer.config.settings import Config
from driftline.consumer.config.tree import Key, Locations
from driftline.detectors.outcomes import Outcomes
from driftline.detectors.reference import Reference, ReferenceError  # noqa: A004 - the operator's word for it

_OF_SCORES = ("roc_auc", "pr_auc", "log_loss", "brier", "calibration_error")


def check_performance(
    config: Config, model_name: str, reference: Reference, locations: Locations
) -> list[Problem]:
    """Find what a model's reference or mappings lack for what is configured of its performance.

    Limits that stand in `defaults` speak of all models, of which some may be of another kind: what
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


def _no_outcome(model: ModelConfig, locations: Locations, place: Key) -> Iterator[Problem]:
    key = "performance" if model.labels is None else "labels"
    by_default = key == "performance" and _is_default(locations, (*place, key))
    yield locations.problem(
        (*place, key),
        f"the reference of {place[1]} was built without ground truth, so there is nothing to "
        "compare with: map actual and build it again with driftline reference build",
        "warning" if by_default else "error",
    )


def _limits(
    model: ModelConfig, outcomes: Outcomes, locations: Locations, place: Key
) -> Iterator[Problem]:
    figures = outcomes.figures[0]
    for metric, limit in model.performance.items():
        here: Key = (*place, "performance", metric)
        severity: Literal["error", "warning"] = "error"
        if _is_default(locations, here):
            severity = "warning"
        if metric not in figures:
            has = f"the reference of {place[1]} does not have it; it has {', '.join(figures)}"
            if metric in _OF_SCORES and outcomes.layout.kind == "classification":
                has += ", and the others with prediction.score and --positive-label"
            yield locations.problem(here, has, severity)
        elif isnan(figures[metric].value) and (limit.max_drop is not None or limit.critical_drop):
            has = f"has no value in the reference of {place[1]} to drop from: use min or max"
            yield locations.problem(here, has, severity)


def _is_default(locations: Locations, path: Key) -> bool:
    return locations.origin(path).key.startswith("defaults.")
