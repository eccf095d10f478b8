"""References: read from their files, and checked against the configuration."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from driftline.consumer.config import (
    Config,
    ConfigError,
    Loaded,
    ModelConfig,
    Problem,
    check_against,
)
from driftline.consumer.config.check_performance import check_performance
from driftline.consumer.service.comparing import misfit
from driftline.consumer.service.reference_file import read_reference_file
from driftline.detectors.outcomes import OutcomeLayout, Outcomes
from driftline.detectors.reference import OTHER, Reference
from driftline.detectors.versions import with_versions
from driftline.errors import ReferenceError  # noqa: A004 - the operator's word for it
from driftline.producer.errors import MissingExtraError
from driftline.producer.records.names import PREDICTION_FEATURES, feature_problem, tag_problem


def load_reference(address: str | Path) -> Reference:
    """Read a reference from a ``.json`` or ``.json.gz`` file, here or elsewhere.

    Args:
        address: a path, a URL, `s3://...`, `models:/...`.

    Raises:
        ReferenceError: it does not exist or is no reference.
        MissingExtraError: it lies elsewhere, and what fetches it is not installed.
    """
    data = read_reference_file(address)
    try:
        return Reference.from_json(data)
    except ReferenceError as error:
        raise ReferenceError(f"{address}: {error}") from None


def configured_reference(model: ModelConfig) -> Reference:
    """Read the reference of a model, or that whose layout it has.

    Raises:
        ReferenceError, MissingExtraError: see `load_reference`.
    """
    address = model.reference.layout
    if address is None:
        raise ReferenceError(
            "what is counted is never learnt from the stream: add layout, a file that driftline"
            " reference build makes of some of its events"
        )
    return load_reference(address)


def known_panes(config: Config) -> dict[str, int]:
    """Return the length of a pane (ms) of each model whose reference can be read."""
    found = {}
    for name, model in config.models.items():
        with suppress(ReferenceError, MissingExtraError):
            found[name] = model.window.pane_for(configured_reference(model).dispersion)
    return found


def read_references(
    loaded: Loaded, models: Iterable[str] | None = None
) -> tuple[dict[str, Reference], list[Problem]]:
    """Return the references of `models` (None: of all), and what does not fit together."""
    references = {}
    problems = []
    for name in loaded.config.models if models is None else models:
        model = loaded.config.models[name]
        try:
            reference = configured_reference(model)
        except (ReferenceError, MissingExtraError) as error:
            problems.append(loaded.locations.problem(("models", name, "reference"), str(error)))
            continue
        if model.references:
            named, found = _read_versions(loaded, name, reference)
            problems += found
            if found:
                continue
            reference = with_versions(reference, named)
        references[name] = reference
        layout = reference.layout
        features = {*layout.position, *(each.source for each in layout.derived)}
        tags = reference.segments
        problems += check_against(loaded.config, name, features, tags, loaded.locations)
        problems += _type_problems(loaded, name, reference)
        problems += _name_problems(loaded, name, reference)
        problems += _joint_problems(loaded, name, reference)
        problems += check_performance(loaded.config, name, reference, loaded.locations)
    return references, problems + _misfits(loaded, references)


def _read_versions(
    loaded: Loaded, name: str, reference: Reference
) -> tuple[dict[str, Reference], list[Problem]]:
    """Return the references of a model's versions, and what does not fit to the model's."""
    model, named, problems = loaded.config.models[name], {}, []
    for version, address in model.references.items():
        key = ("models", name, "references", version)
        try:
            found = load_reference(address)
        except (ReferenceError, MissingExtraError) as error:
            problems.append(loaded.locations.problem(key, str(error)))
            continue
        named[version] = found
        why = _unlike(found, reference, address, model.reference.layout or "")
        if why is not None:
            problems.append(loaded.locations.problem(key, why))
    return named, problems


def _unlike(version: Reference, model: Reference, own: str, file: str) -> str | None:
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


def sort_out(problems: Iterable[Problem]) -> list[Problem]:
    """Return the warnings among `problems`.

    Raises:
        ConfigError: there are errors among them.
    """
    problems = list(problems)
    errors = [problem for problem in problems if problem.severity == "error"]
    if errors:
        raise ConfigError(errors)
    return problems


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


def _misfits(loaded: Loaded, references: Mapping[str, Reference]) -> list[Problem]:
    """Comparisons of models whose outcomes cannot be compared, by their references."""
    comparisons = loaded.config.comparisons
    compared = {side.model for comparison in comparisons.values() for side in comparison.sides}
    found = {name: _layout(references[name]) for name in compared & references.keys()}
    layouts = {name: layout for name, layout in found.items() if layout is not None}
    return [
        loaded.locations.problem(("comparisons", name), text)
        for name, comparison in comparisons.items()
        if all(side.model in layouts for side in comparison.sides)
        and (text := misfit(comparison, layouts)) is not None
    ]


def _layout(reference: Reference) -> OutcomeLayout | None:
    """Return what is counted of a reference's outcomes; None without, or where it cannot be read.

    `check_performance` reports both: a model that is compared has labels.
    """
    try:
        outcomes = Outcomes.of(reference)
    except ReferenceError:
        return None
    return None if outcomes is None else outcomes.layout
