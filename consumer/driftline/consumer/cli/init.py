"""`driftline init`: a configuration and a reference made of a file or a topic."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from driftline.consumer.cli import load_config
from driftline.consumer.cli.errors import CommandError
from driftline.consumer.cli.init_options import check_names, may_write
from driftline.consumer.cli.options import (
    DEFAULT_CONFIG,
    PositiveLabel,
    TimeFormat,
    Timestamp,
    Timezone,
    read_given_times,
)
from driftline.consumer.cli.terminal import out, say
from driftline.consumer.log.broker import connect
from driftline.consumer.offline.given_truth import GivenTruth
from driftline.producer.files.formats import names
from driftline.producer.files.given import Given, Input, checked


def init(
    file: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="FILE",
            help=f"Events of a time when all was well: {', '.join(names())}.",
        ),
    ] = None,
    from_topic: Annotated[
        str | None, typer.Option(metavar="TOPIC", help="Read events from a topic instead.")
    ] = None,
    first: Annotated[
        int, typer.Option(min=1, metavar="N", help="Of the topic, the first N records.")
    ] = 20_000,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="The configuration to write.")
    ] = DEFAULT_CONFIG,
    model: Annotated[
        str | None, typer.Option(help="The model's name; else of the events, or of the file.")
    ] = None,
    topic: Annotated[
        str | None, typer.Option(help="The topic with its events; else <model>.predictions.")
    ] = None,
    actual: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="The column with the ground truth; else a guess."),
    ] = None,
    labels: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The ground truth in a file of its own, as a topic <model>.labels will have it;"
            " --actual is a column of it then.",
        ),
    ] = None,
    positive_label: PositiveLabel = None,
    timestamp: Timestamp = None,
    time_format: TimeFormat = None,
    timezone: Timezone = None,
    bootstrap_servers: Annotated[
        str, typer.Option(metavar="HOST:PORT,...", help="Your brokers.")
    ] = "localhost:9092",
    force: Annotated[bool, typer.Option("--force", help="Overwrite files that exist.")] = False,
) -> None:
    """Write a configuration for your own data.

    The columns are guessed, all events become the reference, and a window holds about 1,000 events.
    What was guessed is printed, and stands in the file to be corrected.
    """
    if (file is None) == (from_topic is None):
        raise CommandError("read from what? give --from FILE or --from-topic TOPIC")
    source: Input = file or Given(from_topic or "", lambda: iter(()))
    for path in (source, labels):
        if path is not None:
            checked(path)
    times = read_given_times(timestamp, time_format, timezone)
    kafka = load_config.brokers(bootstrap_servers)
    servers = kafka.bootstrap_servers
    check_names(model, topic)
    may_write(output, overwrite=force)
    log = None if from_topic is None else connect(kafka).log
    truth, found = GivenTruth(actual, labels, positive_label), None
    if file is not None:
        from driftline.consumer.cli import file_look  # less than a reference needs

        found = file_look.for_topic(file, model, truth, times)
    from driftline.consumer.cli import (
        init_files,
        init_text,
        reference_build,
        reference_topic,
    )

    wanted = init_files.Wanted(source, output, model, topic, truth, times, servers, force)
    if from_topic is not None and log is not None:
        wanted = replace(wanted, file=reference_topic.first_rows(log, from_topic, first))
    draft = init_files.make(wanted, found)
    size = init_files.write(draft, init_text.configuration(draft))
    for note in (*reference_build.notes(draft.built), *init_text.notes(draft)):
        say(f"note  {note}")
    out(f"{init_text.summary(draft, size)}\n\n{init_text.next_steps(draft)}")
