"""What `driftline check` finds in the configuration alone, before it loads what computes."""

from __future__ import annotations

from pathlib import Path

from driftline.consumer.cli.check_findings import Finding, finding, overview
from driftline.consumer.cli.load_config import read_config, rows_problems, unbuilt
from driftline.consumer.cli.options import DEFAULT_CONFIG
from driftline.consumer.cli.topic_checks import input_topics
from driftline.consumer.config import ConfigError, Loaded


def read(
    path: Path | None, bootstrap_servers: str | None, *, offline: bool
) -> tuple[str, Loaded | None, list[Finding]]:
    """Read the configuration.

    Returns:
        What it is about; the configuration, None if nothing more can be found; the findings then.

    Raises:
        CommandError: there is no file.
    """
    try:
        loaded = read_config(path, offline=offline, bootstrap_servers=bootstrap_servers, quiet=True)
    except ConfigError as error:
        return str(path or DEFAULT_CONFIG), None, [finding(problem) for problem in error.problems]
    head = overview(loaded.files, loaded.config, len(input_topics(loaded.config)))
    absent = unbuilt(loaded)
    if not offline or not absent:
        return head, loaded, []
    found = [*config_findings(loaded), *map(finding, absent)]
    order = {name: place for place, name in enumerate(loaded.config.models, 1)}
    return head, None, sorted(found, key=lambda each: order.get(each.subject, 0))


def config_findings(loaded: Loaded) -> list[Finding]:
    """Return what is wrong with a configuration that could be read."""
    return [finding(problem) for problem in (*loaded.warnings, *rows_problems(loaded))]
