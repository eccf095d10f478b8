"""`driftline replay`: send the rows of a file to a topic as events."""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from driftline.consumer.cli import load_config
from driftline.consumer.cli.errors import CommandError
from driftline.consumer.cli.options import (
    BootstrapServers,
    ConfigFile,
    InputFile,
    TimeFormat,
    Timestamp,
    Timezone,
    read_given_times,
)
from driftline.consumer.cli.progress import progress
from driftline.consumer.cli.terminal import out
from driftline.consumer.log.broker import connect
from driftline.consumer.wire.text import counted
from driftline.producer.files.given import checked
from driftline.producer.replay.replay import Pace

if TYPE_CHECKING:  # what reads them is large
    from driftline.consumer.config import Config
    from driftline.producer.replay.scenario_text import ScenarioText


def replay(
    topic: Annotated[str, typer.Option(help="The topic to send to; it must exist.")],
    file: InputFile = None,
    generate: Annotated[
        int | None,
        typer.Option(min=1, metavar="HOURS", help="Events of a bundled stream instead of a file."),
    ] = None,
    scenario: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KIND:feature=F,...",
            help="Drift to lay over the rows, such as sudden:feature=amount,start=50%,size=1sd.",
        ),
    ] = None,
    truth: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write which feature drifts from when to when."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of all that is drawn at random.")] = 0,
    config: ConfigFile = None,
    timestamp: Timestamp = None,
    time_format: TimeFormat = None,
    timezone: Timezone = None,
    model: Annotated[
        str | None, typer.Option(help="The model that the events name, if they name none.")
    ] = None,
    rate: Annotated[float | None, typer.Option(metavar="N", help="Events a second.")] = None,
    speed: Annotated[
        float | None,
        typer.Option(metavar="X", help="So many times faster than the events' own times."),
    ] = None,
    bootstrap_servers: BootstrapServers = None,
) -> None:
    """Send the rows of a file to a topic as events.

    Rows go as they are to a topic that `sources` of the configuration maps; any other topic gets
    native events, made of columns that are guessed. Records carry the present as their timestamp,
    and the event id as key. Without --rate and --speed as fast as the broker takes them.
    """
    times = read_given_times(timestamp, time_format, timezone)
    pace = Pace(time.monotonic, time.sleep, rate, speed)
    if truth is not None and not scenario:
        raise CommandError("--truth: there is none without --scenario")
    if (file is None) == (generate is None):
        raise CommandError("send what? give --input FILE or --generate HOURS")
    if file is not None:
        checked(file)
    texts: list[ScenarioText] = []
    if scenario:  # numbers are drawn where it is read
        from driftline.producer.replay.scenario_text import parse_scenario

        texts = [parse_scenario(text) for text in scenario]
    deployment = load_config.find_deployment(config, bootstrap_servers, needs_models=True)
    if deployment.config is not None and _is_mapped(topic, deployment.config):
        if model is not None:
            raise CommandError(f"--model: rows go as they are to {topic}, which sources maps")
        if file is None:
            raise CommandError(f"--generate: {topic} holds no events but rows, which sources maps")
    broker = connect(deployment.kafka)
    with closing(broker.log):
        from driftline.consumer.cli import replay_rows

        target = replay_rows.Target.of(topic, broker.log, deployment.config)
        read, count = replay_rows.source(file, generate or 0, seed)
        rows = read()
        with progress("counting rows"):
            total = count()
        if file is not None and not target.mapped:
            with progress("looking at the columns"):
                target.mapping = replay_rows.guessed(file, times)
        if texts:
            with progress("looking at the rows"):
                rows = replay_rows.drifting(read, target.mapping, texts, seed, truth)
        with closing(broker.producer()) as producer, progress("events", total) as show:
            sent = replay_rows.send_rows(rows, target, model, producer, pace, show)
    out(f"sent {counted(sent, 'event')} to {topic}")


def _is_mapped(topic: str, config: Config) -> bool:
    """Return whether the readers of a topic map its records, so that rows are sent as they are."""
    source = config.sources.get(topic)
    return source is not None and not source.mapping.is_native
