"""The configuration and the references of its models, as the verbs need them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from driftline.consumer.cli.errors import CommandError
from driftline.consumer.cli.options import DEFAULT_CONFIG
from driftline.consumer.cli.terminal import say
from driftline.consumer.config import (
    Config,
    ConfigError,
    KafkaConfig,
    Loaded,
    Problem,
    check_against,
    load,
)
from driftline.consumer.config.check_performance import check_performance
from driftline.consumer.service.comparing import misfit
from driftline.consumer.service.plan import Plan
from driftline.consumer.service.references import load_reference
from driftline.detectors.outcomes import OutcomeLayout, Outcomes
from driftline.detectors.reference import OTHER, Reference
from driftline.errors import ReferenceError  # noqa: A004 (the operator's word for it)
from driftline.producer.records.names import PREDICTION_FEATURES, feature_problem, tag_problem


def read_config(
    path: Path | None,
    *,
    offline: bool = False,
    bootstrap_servers: str | None = None,
    quiet: bool = False,
) -> Loaded:
    """Read the configuration.

    Args:
        path: None for driftline.yaml of this folder.
        offline: leave passwords and certificates alone.
        bootstrap_servers: brokers of the command line.
        quiet: leave the warnings to the caller; else they go to stderr.

    Raises:
        CommandError: there is no file.
        ConfigError: anything is wrong; one line for each problem.
    """
    if path is None and not DEFAULT_CONFIG.exists():
        raise CommandError(f"there is no {DEFAULT_CONFIG} in this folder; give --config FILE")
    overrides: Mapping[str, Any] = {}
    if bootstrap_servers is not None:
        overrides = {"kafka": {"bootstrap_servers": _servers(bootstrap_servers)}}
    loaded = load(path or DEFAULT_CONFIG, environ=os.environ, overrides=overrides, offline=offline)
    for warning in () if quiet else loaded.warnings:
        say(f"warning  {warning}")
    return loaded


def read_kafka(
    path: Path | None, bootstrap_servers: str | None
) -> tuple[KafkaConfig, Config | None]:
    """Return how to reach the broker, and the configuration where there is one.

    `--bootstrap-servers` alone is enough for a broker without TLS and login.

    Raises:
        ConfigError: the configuration has errors.
        CommandError: neither the configuration nor an option names a broker.
    """
    if path is None and not DEFAULT_CONFIG.exists():
        if bootstrap_servers is None:
            raise CommandError("where is the broker? give --config or --bootstrap-servers")
        return brokers(bootstrap_servers), None
    config = read_config(path, bootstrap_servers=bootstrap_servers).config
    return config.kafka, config


def brokers(text: str) -> KafkaConfig:
    """Return how to reach the brokers of `--bootstrap-servers`, without TLS and login.

    Raises:
        CommandError: one is not host:port.
    """
    try:
        return KafkaConfig(bootstrap_servers=_servers(text))
    except ValueError:
        raise CommandError(
            "--bootstrap-servers: write each broker as host:port, for example kafka-1:9092"
        ) from None


def read_references(
    loaded: Loaded, models: Iterable[str] | None = None
) -> tuple[dict[str, Reference], list[Problem]]:
    """Return the references of `models` (None: of all), and what does not fit together."""
    references = {}
    problems = []
    for name in loaded.config.models if models is None else models:
        model = loaded.config.models[name]
        try:
            reference = load_reference(model.reference)
        except ReferenceError as error:
            problems.append(loaded.locations.problem(("models", name, "reference"), str(error)))
            continue
        references[name] = reference
        features = reference.layout.position
        tags = reference.segments
        problems += check_against(loaded.config, name, features, tags, loaded.locations)
        problems += _type_problems(loaded, name, reference)
        problems += _name_problems(loaded, name, reference)
        problems += check_performance(loaded.config, name, reference, loaded.locations)
    return references, problems + _misfits(loaded, references)


def read_plan(loaded: Loaded) -> Plan:
    """Return what is to be watched.

    Raises:
        ConfigError: a reference cannot be used, or the configuration names what it does not have.
    """
    references, problems = read_references(loaded)
    refuse(problems)
    return Plan(loaded.config, references)


def refuse(problems: Iterable[Problem]) -> None:
    """Say the warnings among `problems` on stderr.

    Raises:
        ConfigError: there are errors among them.
    """
    problems = list(problems)
    errors = [problem for problem in problems if problem.severity == "error"]
    if errors:
        raise ConfigError(errors)
    for warning in problems:
        say(f"warning  {warning}")


def choose_model(config: Config, wanted: str | None) -> str:
    """Return the model that a verb is about: the wanted one, or the only one.

    Raises:
        CommandError: there is no such model, or there are several.
    """
    names = ", ".join(config.models)
    if wanted is None:
        if len(config.models) == 1:
            return next(iter(config.models))
        raise CommandError(f"which model? give --model, one of {names}")
    if wanted not in config.models:
        raise CommandError(f"--model {wanted}: not in the configuration, known are {names}")
    return wanted


def _type_problems(loaded: Loaded, name: str, reference: Reference) -> list[Problem]:
    """A type is fixed when the reference is built; another one in the file would have no effect."""
    built = {feature.name: feature.type for feature in reference.layout.features}
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
    found += [tag_problem(tag) for tag in model.segments]
    found += [
        f"the segments of {tag} have a value {OTHER}, which is what the others are called"
        for tag in model.segments
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


def _servers(text: str) -> tuple[str, ...]:
    return tuple(server.strip() for server in text.split(",") if server.strip())
