"""What does not fit between a model's configuration and its reference."""

from __future__ import annotations

from collections.abc import Mapping

from driftline.consumer.config import Loaded, Problem, check_against
from driftline.consumer.config.check_performance import check_performance
from driftline.consumer.service.comparing import misfit
from driftline.detectors.outcomes import OutcomeLayout, Outcomes
from driftline.detectors.reference import OTHER, Reference
from driftline.errors import ReferenceError  # noqa: A004 - the operator's word for it
from driftline.producer.records.names import PREDICTION_FEATURES, feature_problem, tag_problem


def reference_problems(loaded: Loaded, name: str, reference: Reference) -> list[Problem]:
    """Return what does not fit to a model's reference, of which the outline is enough."""
    layout = reference.layout
    features = {*layout.position, *(each.source for each in layout.derived)}
    left_out = layout.left_out or ()
    return [
        *check_against(
            loaded.config, name, features, reference.segments, loaded.locations, left_out
        ),
        *_type_problems(loaded, name, reference),
        *_name_problems(loaded, name, reference),
        *_joint_problems(loaded, name, reference),
        *check_performance(loaded.config, name, reference, loaded.locations),
    ]


def unlike(version: Reference, model: Reference, own: str, file: str) -> str | None:
    """Return why a version's reference cannot stand beside the model's, and what to do."""
    if version.layout_id != model.layout_id:
        return (
            f"{own} counts other things than {file}: build it again with"
            f" driftline reference build --layout-of {file}"
        )
    zones = {each.timezone for each in (model.seasons, version.seasons) if each is not None}
    if len(zones) > 1:
        return (
            f"{own} has the hours of another time zone than {file} ({', '.join(sorted(zones))}):"
            " build it again with the --timezone of that one"
        )
    return None


def _joint_problems(loaded: Loaded, name: str, reference: Reference) -> list[Problem]:
    """What is low and high of each number, and how they go together, a reference has to know."""
    model = loaded.config.models[name]
    if model.joint is None:
        return []
    if model.budget is None:
        text = "it alarms by the budget, which is off: leave it out"
    elif reference.joint is None:
        text = (
            "the reference does not know which features belong together: build it again with "
            f"driftline reference build --joint {model.joint.top}, or with --config"
        )
    else:
        return []
    return [loaded.locations.problem(("models", name, "joint"), text)]


def _type_problems(loaded: Loaded, name: str, reference: Reference) -> list[Problem]:
    """A type is fixed when the reference is built; another one in the file would have no effect."""
    layout = reference.layout
    built: dict[str, str] = {feature.name: feature.type for feature in layout.features}
    built |= {each.source: each.kind for each in layout.derived}
    return [
        loaded.locations.problem(
            ("models", name, "features", feature, "type"),
            f"the reference has it as {built[feature]}: build it again with"
            f" --type {feature}={settings.type}",
        )
        for feature, settings in loaded.config.models[name].features.items()
        if settings.type is not None and settings.type != built.get(feature, settings.type)
    ]


def _name_problems(loaded: Loaded, name: str, reference: Reference) -> list[Problem]:
    """Names that are not allowed, in a reference of an older version or of another program."""
    model = loaded.config.models[name]
    found = [
        feature_problem(feature)
        for feature in reference.layout.position
        if feature not in PREDICTION_FEATURES and not model.is_ignored(feature)
    ]
    found += [tag_problem(tag) for tag in model.tags]
    found += [
        f"the segments of {tag} have a value {OTHER}, which is what the others are called"
        for tag in model.tags
        if OTHER in reference.segments.get(tag, ())
    ]
    return [
        loaded.locations.problem(("models", name, "reference"), f"{why}; then build it again")
        for why in found
        if why
    ]


def misfits(loaded: Loaded, layouts: Mapping[str, OutcomeLayout]) -> list[Problem]:
    """Return the comparisons of models whose outcomes cannot be compared.

    `layouts`: what is counted of the outcomes of models, by name.
    """
    return [
        loaded.locations.problem(("comparisons", name), text)
        for name, comparison in loaded.config.comparisons.items()
        if all(side.model in layouts for side in comparison.sides)
        and (text := misfit(comparison, layouts)) is not None
    ]


def outcome_layout(reference: Reference) -> OutcomeLayout | None:
    """Return what is counted of a reference's outcomes; None without, or where it cannot be read.

    `check_performance` reports both: a model that is compared has labels.
    """
    try:
        outcomes = Outcomes.of(reference)
    except ReferenceError:
        return None
    return None if outcomes is None else outcomes.layout
