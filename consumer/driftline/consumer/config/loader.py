"""`load`: a configuration file to a `Config`, or all of its errors."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from driftline.consumer.config.errors import ConfigError, Problem
from driftline.consumer.config.layers import Layers
from driftline.consumer.config.secrets import hide_secrets, read_secrets
from driftline.consumer.config.settings import Config
from driftline.consumer.config.tree import Locations
from driftline.consumer.config.validate import validate


@dataclass(frozen=True)
class Loaded:
    """A configuration and where it was written.

    Args:
        config: the effective configuration.
        locations: file and line of every key.
        files: the files read, as named: the main one first.
        warnings: what is allowed but probably not meant.
    """

    config: Config
    locations: Locations
    files: tuple[str, ...]
    warnings: tuple[Problem, ...] = ()


def load(
    path: str | Path,
    *,
    environ: Mapping[str, str],
    overrides: Mapping[str, Any] | None = None,
    offline: bool = False,
    needs_models: bool = True,
) -> Loaded:
    """Read a configuration.

    Args:
        path: the file; errors show it as given here.
        environ: the environment; variables named `DRIFTLINE__KAFKA__GROUP` win over the file.
        overrides: values of the command line as nested maps; they win over the environment.
        offline: leave files of secrets and of TLS alone; they belong to the machine that runs
            the service.
        needs_models: refuse a file without models: only a service can take those that were applied.

    Raises:
        ConfigError: anything is wrong; it holds every problem.
    """
    layers = Layers(os.fspath(path))
    root = layers.effective(environ, overrides or {})
    if root is None:
        raise ConfigError(layers.problems)
    root = hide_secrets(root)
    problems = layers.problems
    if not offline:
        root, unreadable = read_secrets(root)
        problems += unreadable
    locations = Locations(root)
    config, invalid = validate(root, locations)
    problems += invalid
    if needs_models and root.get("models") is None:
        problems.append(locations.problem(("models",), "required key is missing"))
    if config is None or problems:
        raise ConfigError(_in_order(problems, layers.files))
    warnings = layers.warnings + _unused_sources(config, locations)
    return Loaded(config, locations, tuple(layers.files), tuple(warnings))


def _in_order(problems: list[Problem], files: list[str]) -> list[Problem]:
    """Sort by file and line; one problem of the defaults shows once, not once for each model."""
    places = {file: index for index, file in enumerate(files)}
    return sorted(
        dict.fromkeys(problems),
        key=lambda problem: (places.get(problem.file, len(places)), problem.line or 0),
    )


def _unused_sources(config: Config, locations: Locations) -> list[Problem]:
    read: set[str] = set()
    for model in config.models.values():
        read.update(model.predictions)
        if model.labels:
            read.add(model.labels.topic)
    return [
        locations.problem(("sources", topic), "no model reads this topic", "warning")
        for topic in config.sources
        if topic not in read
    ]
