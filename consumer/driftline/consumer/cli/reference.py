"""`driftline reference`: freeze what is normal for a model."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from driftline.consumer.cli import load_config
from driftline.consumer.cli.errors import CommandError
from driftline.consumer.cli.options import (
    BootstrapServers,
    ConfigFile,
    Json,
    PositiveLabel,
    Since,
    TimeFormat,
    Timestamp,
    Timezone,
    Until,
    read_given_times,
    read_times,
)
from driftline.consumer.cli.reference_options import (
    GRID,
    any_type,
    check_output,
    check_there,
    read_grid,
    read_types,
)
from driftline.consumer.cli.terminal import out, out_json, say
from driftline.consumer.log.broker import connect
from driftline.detectors.joint import MOST_FEATURES
from driftline.producer.files.formats import any_of, names
from driftline.producer.files.given import checked

reference = typer.Typer(
    name="reference",
    help="Build, show and compare references: what is normal for a model.",
    no_args_is_help=True,
)

_WHERE = "A file, a URL, s3://... or models:/..."


@reference.callback()
def group() -> None:
    """Build, show and compare references: what is normal for a model."""


@reference.command()
def build(
    model: Annotated[str, typer.Option(help="The model; events that name another are left out.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="REF", help="A .json or .json.gz file.")
    ],
    file: Annotated[
        Path | None,
        typer.Option("--input", "-i", metavar="FILE", help=f"{any_of(names())}; text also .gz."),
    ] = None,
    from_topic: Annotated[
        str | None, typer.Option(metavar="TOPIC", help="Read events from a topic instead.")
    ] = None,
    first: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Of the topic, the first N records.")
    ] = None,
    since: Since = None,
    until: Until = None,
    grid: Annotated[
        str, typer.Option(help="Most distinct values kept per numeric feature, or: exact")
    ] = GRID,
    feature_type: Annotated[
        list[str] | None,
        typer.Option("--type", metavar="FEATURE=TYPE", help=any_type()),
    ] = None,
    segment: Annotated[
        list[str] | None, typer.Option(metavar="TAG", help="Also count each value of this tag.")
    ] = None,
    layout_of: Annotated[
        str | None,
        typer.Option(
            metavar="REF",
            help="Count what this reference counts: for another version of its model.",
        ),
    ] = None,
    actual: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="The column with the ground truth.")
    ] = None,
    labels: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The ground truth of --input, by the id of its rows; --actual is a column of it.",
        ),
    ] = None,
    timestamp: Timestamp = None,
    time_format: TimeFormat = None,
    timezone: Timezone = None,
    positive_label: PositiveLabel = None,
    joint: Annotated[
        int,
        typer.Option(
            min=0,
            max=MOST_FEATURES,
            metavar="N",
            help="Also count the N numbers of the largest weight together, in pairs.",
        ),
    ] = 0,
    config: ConfigFile = None,
    bootstrap_servers: BootstrapServers = None,
    json: Json = False,
) -> None:
    """Build a reference from a file or a topic.

    With --config the columns are mapped by the source of the model's topic, and its segments and
    types hold; else they are guessed, and what was guessed is printed.

    With --layout-of nothing is chosen anew: features, grids, categories and segments are those of
    that reference, so that versions of a model can each have a reference of their own.
    """
    if (file is None) == (from_topic is None):
        raise CommandError("read from what? give --input FILE or --from-topic TOPIC")
    if from_topic is None and (first or since or until):
        raise CommandError("--first, --since and --until choose from a topic: give --from-topic")
    if labels is not None and file is None:
        raise CommandError("--labels is the ground truth of a file of events: give --input FILE")
    if file is not None:
        checked(file)
    times = read_given_times(timestamp, time_format, timezone)
    if layout_of is not None and (feature_type or segment or positive_label or grid != GRID):
        raise CommandError(
            "--layout-of: that reference has types, segments, grids and a positive label: leave out"
            " --type, --segment, --grid and --positive-label"
        )
    if layout_of is not None:
        check_there(layout_of)
    check_output(output)
    most, types = read_grid(grid), read_types(feature_type or ())
    stretch = (None, 0, 0) if from_topic is None else _stretch(first, since, until)
    whole = kafka = None
    if config is not None:
        whole = load_config.read_config(
            config, offline=file is not None, bootstrap_servers=bootstrap_servers
        ).config
        load_config.choose_model(whole, model)
        kafka = whole.kafka
    elif from_topic is not None:
        kafka = load_config.find_deployment(None, bootstrap_servers).kafka
    log = None if from_topic is None or kafka is None else connect(kafka).log
    from driftline.consumer.cli import reference_build, reference_topic

    settings = reference_build.settings(model, most, types, segment or (), positive_label, timezone)
    together = reference_build.together(joint, None if whole is None else whole.models[model])
    if whole is not None:
        settings = reference_build.with_config(settings, whole.models[model])
    if layout_of is not None:
        settings = reference_build.over(settings, layout_of)
    if from_topic is not None and log is not None:
        wanted = reference_topic.RecordRange(*stretch)
        built = reference_topic.from_topic(
            log, from_topic, wanted, settings, whole, actual, together
        )
    elif file is not None:
        built = reference_build.from_file(file, settings, whole, actual, times, labels, together)
    size = reference_build.write(built.reference, output)
    if json:
        out_json(reference_build.as_document(built, output, size))
        return
    out(reference_build.render(built, output, size))
    if built.ignored:
        say(f"note  the configuration ignores, so left out: {', '.join(built.ignored)}")
    for note in reference_build.notes(built):
        say(f"note  {note}")


@reference.command()
def show(
    ref: Annotated[str, typer.Argument(metavar="REF", help=_WHERE)], json: Json = False
) -> None:
    """Show what a reference counts, and what is normal by it."""
    check_there(ref)
    from driftline.consumer.cli import reference_text

    text, document = reference_text.shown(ref)
    out_json(document) if json else out(text)


@reference.command()
def diff(
    first: Annotated[str, typer.Argument(metavar="A", help=_WHERE)],
    second: Annotated[str, typer.Argument(metavar="B", help="Another one, compared with A.")],
    json: Json = False,
) -> None:
    """Show what differs between two references, by feature."""
    check_there(first)
    check_there(second)
    from driftline.consumer.cli import reference_text

    text, document = reference_text.compared(first, second)
    out_json(document) if json else out(text)


def _stretch(
    first: int | None, since: str | None, until: str | None
) -> tuple[int | None, int, int]:
    """Return which records of a topic are asked for: the first N, or from when to when."""
    if first is not None and (since is not None or until is not None):
        raise CommandError("give either --first N, or --since and --until")
    if first is None and since is None:
        raise CommandError("how much of the topic? give --first N, or --since and --until")
    begin, end = read_times(since, until)
    return first, begin or 0, time.time_ns() // 1_000_000 if end is None else end
