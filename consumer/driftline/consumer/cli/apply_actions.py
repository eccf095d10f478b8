"""Applying models, and printing what is applied."""

from __future__ import annotations

import getpass
import json
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any

import yaml

from driftline.consumer.cli import load_models
from driftline.consumer.cli.check_kept import kept_findings
from driftline.consumer.cli.errors import CommandError
from driftline.consumer.cli.load_config import Deployment
from driftline.consumer.cli.terminal import out, out_json, say
from driftline.consumer.cli.topic_checks import all_topics, missing_inputs
from driftline.consumer.config import ConfigError, Loaded, OutputConfig
from driftline.consumer.log.broker import connect
from driftline.consumer.log.protocol import Broker
from driftline.consumer.service.applied import AppliedModels
from driftline.consumer.service.applying import (
    Author,
    Change,
    compare,
    largest_time,
    removal,
    write,
)
from driftline.consumer.wire.applied import AppliedModel
from driftline.producer.records.timestamp import format_time

_LONGEST_NAME = 200


def apply(loaded: Loaded, who: str | None, *, prune: bool, dry_run: bool, as_json: bool) -> None:
    """Apply a configuration, and print what changes.

    Raises:
        ConfigError: a reference or a topic is not there, or does not fit.
        DriftlineError: the broker refuses, or somebody else applied something meanwhile.
    """
    author = _author(who)
    plan, config = load_models.read_plan(loaded), loaded.config
    kept_here = [
        loaded.locations.problem(
            ("sources", topic, "schema"),
            "a file on this machine: keep this source in the workers' own configuration",
        )
        for topic, source in config.sources.items()
        if source.schema_ is not None
    ]
    if kept_here:
        raise ConfigError(kept_here)
    broker = connect(config.kafka)
    with closing(broker.log):
        found = broker.log.topics(all_topics(config))
        problems = missing_inputs(config, loaded.locations, found)
        if problems:
            raise ConfigError(problems)
        with _applied(broker, config.output) as applied:
            progress = _progress(broker, config.output)
            changes = compare(applied, config, plan.references, author, progress)
            if prune:
                changes = [
                    removal(applied, each, author, progress(each.name))
                    if each.action == "left"
                    else each
                    for each in changes
                ]
            for warning in kept_findings(config, found):
                say(f"warning  {warning.message}")
            _carry_out(broker, applied, changes, author, dry_run=dry_run)
    _print(changes, dry_run=dry_run, as_json=as_json)


def remove(deployment: Deployment, model: str, who: str | None, *, dry_run: bool) -> None:
    """Remove a model that was applied, and print what changes.

    Raises:
        CommandError: there is no such model.
        DriftlineError: as `apply`.
    """
    author = _author(who)
    broker, output = connect(deployment.kafka), _output(deployment)
    with closing(broker.log), _applied(broker, output) as applied:
        _known(applied, model)
        progress = _progress(broker, output)(model)
        changes = [removal(applied, Change("model", model, "left"), author, progress)]
        _carry_out(broker, applied, changes, author, dry_run=dry_run)
    _print(changes, dry_run=dry_run, as_json=False)


def show_all(deployment: Deployment, *, as_json: bool) -> None:
    """Print the models that are applied.

    Raises:
        CommandError: the log of models does not exist.
    """
    broker, output = connect(deployment.kafka), _output(deployment)
    with closing(broker.log), _applied(broker, output) as applied:
        documents = [
            document
            for model in applied.models.values()
            if not model.newest.removed
            for document in _documents(model)
        ]
    documents.sort(key=lambda each: (each["model"], each["applied"]))
    if as_json:
        for document in documents:
            out_json(document)
        return
    if not documents:
        say(f"no models are applied to {applied.topic}")
    heads = ("MODEL", "VERSION", "REFERENCE", "SINCE", "APPLIED", "BY")
    keys = ("model", "version", "reference", "since", "applied", "by")
    rows = [heads, *([str(each[key] or "-") for key in keys] for each in documents)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(heads))]
    for row in rows if documents else ():
        out("  ".join(f"{text:<{width}}" for text, width in zip(row, widths, strict=True)).rstrip())


def show_one(deployment: Deployment, model: str, *, as_json: bool) -> None:
    """Print the keys of one model.

    Raises:
        CommandError: there is no such model, or the log of models does not exist.
    """
    broker, output = connect(deployment.kafka), _output(deployment)
    with closing(broker.log), _applied(broker, output) as applied:
        newest = _known(applied, model).newest
    keys = json.loads(newest.configuration or "{}")
    if as_json:
        out_json(keys)
    else:
        out(yaml.safe_dump(keys, sort_keys=False, allow_unicode=True, width=100).rstrip("\n"))


@contextmanager
def _applied(broker: Broker, output: OutputConfig) -> Iterator[AppliedModels]:
    topic = output.topic("models")
    if topic not in broker.log.topics(frozenset([topic])):
        raise CommandError(f"{topic} is missing: run  driftline topics create")
    applied = AppliedModels(broker.log, topic)
    applied.refresh()
    yield applied


def _carry_out(
    broker: Broker,
    applied: AppliedModels,
    changes: Sequence[Change],
    author: Author,
    *,
    dry_run: bool,
) -> None:
    if dry_run or not any(each.action in ("added", "changed", "removed") for each in changes):
        return
    with closing(broker.producer()) as producer:
        write(applied, changes, producer, author.at)


def _progress(broker: Broker, output: OutputConfig) -> Callable[[str], int | None]:
    """Return what looks up the largest event time of a model."""
    panes = output.topic("panes")
    found = broker.log.topics(frozenset([panes]))
    if panes not in found:
        return lambda model: None
    return lambda model: largest_time(broker.log, panes, found[panes].partitions, model)


def _known(applied: AppliedModels, model: str) -> AppliedModel:
    found = applied.models.get(model)
    if found is None or found.newest.removed:
        names = ", ".join(n for n, m in sorted(applied.models.items()) if not m.newest.removed)
        raise CommandError(f"{model} is not applied, known are {names or 'none'}")
    return found


def _documents(model: AppliedModel) -> Iterator[dict[str, Any]]:
    """Yield what is printed of the versions of a model that hold or are about to."""
    for version in model.versions:
        if not version.removed:
            yield {
                "model": model.name,
                "version": version.version,
                "reference": version.reference,
                "since": None if version.first is None else format_time(version.first),
                "applied": format_time(version.at),
                "by": version.who,
            }


def _print(changes: Sequence[Change], *, dry_run: bool, as_json: bool) -> None:
    width = max((len(each.name) for each in changes), default=0)
    for each in changes:
        since = None if each.first is None else format_time(each.first)
        if as_json:
            out_json(
                {
                    "kind": each.kind,
                    "name": each.name,
                    "action": each.action,
                    "keys": list(each.keys),
                    "since": since,
                    "written": not dry_run and each.action in ("added", "changed", "removed"),
                }
            )
            continue
        what = [", ".join(each.keys), f"from {since} on" if since else ""]
        if each.action == "left":
            what = ["applied, and not in the file: --prune removes it"]
        text = "; ".join(filter(None, what))
        out(f"{each.action:<9}  {each.kind:<10}  {each.name:<{width}}  {text}".rstrip())
    if dry_run and not as_json:
        say("nothing was written")


def _output(deployment: Deployment) -> OutputConfig:
    return OutputConfig() if deployment.config is None else deployment.config.output


def _author(who: str | None) -> Author:
    if who is None:
        try:
            who = f"{getpass.getuser()}@{socket.gethostname()}"
        except (KeyError, OSError):  # a user without a name, as in a container
            who = socket.gethostname()
    who = who.strip()
    if not who or len(who) > _LONGEST_NAME:
        raise CommandError(f"--who: write 1 to {_LONGEST_NAME} characters")
    return Author(who, time.time_ns() // 1_000_000)
