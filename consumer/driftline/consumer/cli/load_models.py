"""The configuration and the references of its models, as the verbs need them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from driftline.consumer.cli.errors import CommandError
from driftline.consumer.cli.options import DEFAULT_CONFIG
from driftline.consumer.cli.terminal import say
from driftline.consumer.config import (
    Config,
    KafkaConfig,
    Loaded,
    Problem,
    load,
)
from driftline.consumer.log.schema_registry import PATIENCE, SchemaRegistry
from driftline.consumer.service.plan import Plan
from driftline.consumer.service.references import read_references, sort_out
from driftline.producer.errors import SchemaError


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


def read_plan(loaded: Loaded) -> Plan:
    """Return what is to be watched.

    Raises:
        ConfigError: a reference cannot be used, or the configuration names what it does not have.
    """
    for name, model in loaded.config.models.items():
        if model.window.rows is not None:
            why = "the events of a topic come in time: give length; rows are for a backtest"
            sort_out([loaded.locations.problem(("models", name, "window", "rows"), why)])
    references, problems = read_references(loaded)
    config = loaded.config
    plan = Plan(config, references, schemas=schema_source(config))
    for warning in sort_out([*problems, *source_problems(plan, loaded)]):
        say(f"warning  {warning}")
    return plan


def schema_source(config: Config, patience: float = PATIENCE) -> SchemaRegistry | None:
    """Return where the schemas of records are kept; None: nowhere but in files.

    `patience`: seconds to ask again while it is away.
    """
    if config.schema_registry is None:
        return None
    return SchemaRegistry(config.schema_registry, patience)


def source_problems(plan: Plan, loaded: Loaded) -> list[Problem]:
    """Return what is wrong with the schemas of the sources that are read.

    Raises:
        MissingExtraError: what reads one is not installed.
    """
    problems = []
    for topic in sorted(plan.inputs & plan.config.sources.keys()):
        try:
            plan.opener(topic)
        except SchemaError as error:
            key = ("sources", topic, "schema")
            problems.append(loaded.locations.problem(key, str(error)))
    return problems


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
