"""The configuration and the way to the broker, as the verbs need them.

Each verb reads them before it loads what computes: so a mistake is known at once.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from driftline.consumer import config as configuration
from driftline.consumer.cli.errors import CommandError
from driftline.consumer.cli.options import DEFAULT_CONFIG
from driftline.consumer.cli.terminal import say
from driftline.consumer.config.errors import ConfigError
from driftline.consumer.config.names import SKETCH
from driftline.consumer.service.reference_file import absent, is_absent

if TYPE_CHECKING:
    from driftline.consumer.config import Config, KafkaConfig, Loaded, Problem


def read_config(
    path: Path | None,
    *,
    offline: bool = False,
    bootstrap_servers: str | None = None,
    stages: str | None = None,
    quiet: bool = False,
    needs_models: bool = True,
) -> Loaded:
    """Read the configuration.

    Args:
        path: None for driftline.yaml of this folder.
        offline: leave passwords and certificates alone.
        bootstrap_servers: brokers of the command line.
        stages: stages of the command line, with commas.
        quiet: leave the warnings to the caller; else they go to stderr.
        needs_models: refuse a file without models.

    Raises:
        CommandError: there is no file.
        ConfigError: anything is wrong; one line for each problem.
    """
    if path is None and not DEFAULT_CONFIG.exists():
        raise CommandError(f"there is no {DEFAULT_CONFIG} in this folder; give --config FILE")
    overrides: dict[str, Any] = {}
    if bootstrap_servers is not None:
        overrides["kafka"] = {"bootstrap_servers": _servers(bootstrap_servers)}
    if stages is not None:
        overrides["stages"] = stages
    loaded = configuration.load(
        path or DEFAULT_CONFIG,
        environ=os.environ,
        overrides=overrides,
        offline=offline,
        needs_models=needs_models,
    )
    for warning in () if quiet else loaded.warnings:
        say(f"warning  {warning}")
    return loaded


@dataclass(frozen=True)
class Deployment:
    """Where a deployment is.

    Attributes:
        kafka: how to reach the broker.
        config: the configuration, where there is one.
    """

    kafka: KafkaConfig
    config: Config | None = None


def find_deployment(
    path: Path | None, bootstrap_servers: str | None, *, needs_models: bool = False
) -> Deployment:
    """Return the deployment that the options name.

    `--bootstrap-servers` alone is enough for a broker without TLS and login.

    Raises:
        ConfigError: the configuration has errors.
        CommandError: neither the configuration nor an option names a broker.
    """
    if path is None and not DEFAULT_CONFIG.exists():
        if bootstrap_servers is None:
            raise CommandError("where is the broker? give --config or --bootstrap-servers")
        return Deployment(brokers(bootstrap_servers))
    config = read_config(
        path, bootstrap_servers=bootstrap_servers, needs_models=needs_models
    ).config
    return Deployment(config.kafka, config)


def brokers(text: str) -> KafkaConfig:
    """Return how to reach the brokers of `--bootstrap-servers`, without TLS and login.

    Raises:
        CommandError: one is not host:port.
    """
    try:
        return configuration.KafkaConfig(bootstrap_servers=_servers(text))
    except ValueError:
        raise CommandError(
            "--bootstrap-servers: write each broker as host:port, for example kafka-1:9092"
        ) from None


def rows_problems(loaded: Loaded) -> list[Problem]:
    """Return a problem for each model whose windows are of rows, which a topic has none of."""
    why = "the events of a topic come in time: give length; rows are for a backtest"
    return [
        loaded.locations.problem(("models", name, "window", "rows"), why)
        for name, model in loaded.config.models.items()
        if model.window.rows is not None
    ]


def unbuilt(loaded: Loaded, models: Iterable[str] | None = None) -> list[Problem]:
    """Return a problem for each of `models` (None: all), if none of them has its reference yet.

    Nothing else can be known of them then. Where one has, whoever reads it tells of the others.
    """
    names = list(loaded.config.models if models is None else models)
    files = {name: loaded.config.models[name].reference.layout for name in names}
    if not all(file is not None and is_absent(file) for file in files.values()):
        return []
    return [
        loaded.locations.problem(("models", name, "reference"), absent(file))
        for name, file in files.items()
        if file is not None
    ]


def require_references(loaded: Loaded, models: Iterable[str] | None = None) -> None:
    """Refuse a configuration of which no reference is built yet.

    Raises:
        ConfigError: none of `models` (None: of all) has one.
    """
    problems = unbuilt(loaded, models)
    if problems:
        raise ConfigError(problems)


def require_service(loaded: Loaded) -> None:
    """Refuse a configuration that no service can run, as far as can be known at once.

    Raises:
        ConfigError: windows are of rows, or no reference is built yet.
    """
    problems = [*rows_problems(loaded), *unbuilt(loaded)]
    if problems:
        raise ConfigError(problems)


def require_read(config: Config, taken: Iterable[str]) -> None:
    """Refuse to take topics over that a worker does not read: nobody would read them then.

    Raises:
        CommandError: one is.
    """
    models = config.models.values()
    inputs = {topic for model in models for topic in model.predictions}
    inputs |= {model.labels.topic for model in models if model.labels is not None}
    for topic in taken:
        if SKETCH not in config.stages:
            raise CommandError(
                f"--take-over {topic}: this worker reads no input, add sketch to stages"
            )
        if models and topic not in inputs:
            known = ", ".join(sorted(inputs))
            raise CommandError(f"--take-over {topic}: no model reads it; known are {known}")


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


def _servers(text: str) -> tuple[str, ...]:
    return tuple(server.strip() for server in text.split(",") if server.strip())
