"""Creating and checking the topics that Driftline writes, and printing them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

from driftline.consumer.cli.errors import CommandError
from driftline.consumer.cli.load_config import read_config
from driftline.consumer.cli.terminal import out, out_json
from driftline.consumer.cli.topic_checks import all_topics, topic_problems, wanted_topics
from driftline.consumer.log.broker import connect
from driftline.consumer.log.protocol import Log, TopicSpec
from driftline.consumer.log.topics import check_topics, missing_topics
from driftline.consumer.wire.text import plural


def create(config: Path | None, bootstrap_servers: str | None, *, as_json: bool) -> None:
    """Create the topics that are missing, and print all.

    Raises:
        DriftlineError: the configuration has errors, or the broker refuses.
    """
    loaded = read_config(config, bootstrap_servers=bootstrap_servers, needs_models=False)
    with closing(connect(loaded.config.kafka).log) as log:
        specs = wanted_topics(loaded.config)
        found = log.topics(frozenset(spec.name for spec in specs))
        missing = missing_topics(specs, found)
        log.create_topics(missing, loaded.config.output.replication_factor)
        _print(specs, {spec.name: "created" for spec in missing}, log, as_json=as_json)


def check(config: Path | None, bootstrap_servers: str | None, *, as_json: bool) -> None:
    """Print the topics that exist.

    Raises:
        CommandError: one is missing or not as it must be; a line for each.
        DriftlineError: the configuration has errors, or the broker refuses.
    """
    loaded = read_config(config, bootstrap_servers=bootstrap_servers, needs_models=False)
    with closing(connect(loaded.config.kafka).log) as log:
        specs = wanted_topics(loaded.config)
        found = log.topics(all_topics(loaded.config))
        _print([spec for spec in specs if spec.name in found], {}, log, as_json=as_json)
        problems = topic_problems(loaded.config, loaded.locations, found)
    if problems:
        raise CommandError("\n".join(problems))


def _print(specs: Sequence[TopicSpec], done: Mapping[str, str], log: Log, *, as_json: bool) -> None:
    """Print each topic as it is now."""
    found = log.topics(frozenset(spec.name for spec in specs))
    width = max((len(name) for name in found), default=0)
    for spec in specs:
        info = found[spec.name]
        problems = check_topics([spec], found)
        state = done.get(spec.name) or ("wrong" if problems else "exists")
        if as_json:
            out_json(
                {
                    "topic": spec.name,
                    "state": state,
                    "partitions": info.partitions,
                    "cleanup_policy": info.cleanup_policy,
                    "problem": problems[0] if problems else None,
                }
            )
        else:
            policy = info.cleanup_policy or "policy unknown"
            many = f"{info.partitions} {plural(info.partitions, 'partition')}"
            out(f"{state:<8} {spec.name:<{width}}  {many}, {policy}")
