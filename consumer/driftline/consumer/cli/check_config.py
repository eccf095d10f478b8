"""What `driftline check` finds in the configuration alone, before it loads what computes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from driftline.consumer.cli.check_findings import Finding, finding, overview
from driftline.consumer.cli.load_config import read_config, rows_problems, unbuilt
from driftline.consumer.cli.options import DEFAULT_CONFIG
from driftline.consumer.cli.topic_checks import input_topics
from driftline.consumer.config import Config, ConfigError, Loaded
from driftline.consumer.log.broker import connect, require_client
from driftline.consumer.log.errors import LogError
from driftline.consumer.log.protocol import Log
from driftline.errors import DriftlineError


class Begun(NamedTuple):
    """What is known of a configuration before anything is computed.

    Attributes:
        head: what it is about.
        findings: what was found, if nothing more can be found.
        loaded: the configuration; None if nothing more can be found.
        log: on its broker; None if that is left alone.
    """

    head: str
    findings: list[Finding]
    loaded: Loaded | None = None
    log: Log | None = None


def begin(
    path: Path | None,
    bootstrap_servers: str | None,
    stages: str | None = None,
    *,
    offline: bool,
    agree: Callable[[Config], object] = lambda config: None,
) -> Begun:
    """Read the configuration, and reach its broker unless `offline`.

    While that is away the references are left alone, so the answer comes at once.

    Args:
        path: of the configuration.
        bootstrap_servers: brokers of the command line.
        stages: stages of the command line.
        offline: leave the broker alone.
        agree: raises where other options do not go with the configuration.

    Raises:
        CommandError: there is no file, or what `agree` raises.
    """
    try:
        loaded = read_config(
            path,
            offline=offline,
            bootstrap_servers=bootstrap_servers,
            stages=stages,
            quiet=True,
            needs_models=False,
        )
    except ConfigError as error:
        return Begun(str(path or DEFAULT_CONFIG), [finding(problem) for problem in error.problems])
    agree(loaded.config)
    head = overview(loaded.files, loaded.config, len(input_topics(loaded.config)))
    found = config_findings(loaded)
    if offline:
        absent = unbuilt(loaded)
        if not absent:
            return Begun(head, [], loaded)
        found += client_findings(loaded.config)
    else:
        try:
            return Begun(head, [], loaded, connect(loaded.config.kafka).log)
        except DriftlineError as error:
            absent = unbuilt(loaded)
            text = str(error)
            if len(absent) < len(loaded.config.models):
                text += "\nthe references were not read: check --offline reads them without it"
            found.append(Finding("error", "kafka", text))
    found += map(finding, absent)
    order = {name: place for place, name in enumerate(loaded.config.models, 1)}
    return Begun(head, sorted(found, key=lambda each: order.get(each.subject, 0)))


def config_findings(loaded: Loaded) -> list[Finding]:
    """Return what is wrong with a configuration that could be read, or is to be known of it."""
    found = [finding(problem) for problem in (*loaded.warnings, *rows_problems(loaded))]
    if not loaded.config.models:
        text = "none in this file: workers watch those that are applied, driftline models list"
        found.append(Finding("ok", "models", text))
    return found


def client_findings(config: Config) -> list[Finding]:
    """Return that the client of the broker is not installed, if so; no broker is asked."""
    try:
        require_client(config.kafka)
    except LogError as error:
        return [Finding("error", "kafka", str(error))]
    return []
