"""Checks of a model's labels and performance limits against its reference."""

from __future__ import annotations

from collections.abc import Iterator

from driftline.consumer.config.check_limits import limit_problems
from driftline.consumer.config.errors import Key, Problem
from driftline.consumer.config.model import ModelConfig
from driftline.consumer.config.settings import Config
from driftline.consumer.config.tree import Locations
from driftline.detectors.outcomes import Outcomes
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
    return [*problems, *limit_problems(model, outcomes, locations, place)]


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
