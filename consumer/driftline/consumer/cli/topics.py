"""`driftline topics`: the topics that Driftline writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from driftline.consumer.cli.options import BootstrapServers, ConfigFile, Json

if TYPE_CHECKING:
    from driftline.consumer.config import Loaded
    from driftline.consumer.log.protocol import Log
    from driftline.consumer.log.topics import TopicSpec

topics = typer.Typer(
    name="topics", help="Create or check the topics that Driftline writes.", no_args_is_help=True
)


@topics.command()
def create(
    config: ConfigFile = None, bootstrap_servers: BootstrapServers = None, json: Json = False
) -> None:
    """Create the topics that are missing; those that exist are left as they are."""
    from driftline.consumer.cli.topic_checks import wanted_topics
    from driftline.consumer.log.topics import missing_topics

    loaded, log = _open(config, bootstrap_servers)
    try:
        specs = wanted_topics(loaded.config)
        found = log.topics(frozenset(spec.name for spec in specs))
        missing = missing_topics(specs, found)
        log.create_topics(missing, loaded.config.output.replication_factor)
        _report(specs, {spec.name: "created" for spec in missing}, log, as_json=json)
    finally:
        log.close()


@topics.command()
def check(
    config: ConfigFile = None, bootstrap_servers: BootstrapServers = None, json: Json = False
) -> None:
    """Check that the topics exist and are as they must be; else exit code 2."""
    from driftline.consumer.cli.errors import CommandError
    from driftline.consumer.cli.topic_checks import input_topics, topic_problems, wanted_topics

    loaded, log = _open(config, bootstrap_servers)
    try:
        specs = wanted_topics(loaded.config)
        names = {*input_topics(loaded.config), *(spec.name for spec in specs)}
        found = log.topics(frozenset(names))
        _report([spec for spec in specs if spec.name in found], {}, log, as_json=json)
        problems = topic_problems(loaded.config, loaded.locations, found)
    finally:
        log.close()
    if problems:
        raise CommandError("\n".join(problems))


def _open(config: ConfigFile, bootstrap_servers: str | None) -> tuple[Loaded, Log]:
    from driftline.consumer.cli.load_models import read_config
    from driftline.consumer.log.broker import connect

    loaded = read_config(config, bootstrap_servers=bootstrap_servers)
    return loaded, connect(loaded.config.kafka).log


def _report(specs: list[TopicSpec], done: dict[str, str], log: Log, *, as_json: bool) -> None:
    """Print each topic as it is now."""
    from driftline.consumer.cli.terminal import out, out_json
    from driftline.consumer.log.topics import check_topics

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
            many = f"{info.partitions} partition{'' if info.partitions == 1 else 's'}"
            out(f"{state:<8} {spec.name:<{width}}  {many}, {policy}")
