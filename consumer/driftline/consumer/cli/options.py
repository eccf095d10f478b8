"""Options that several verbs have, so that they are called and explained the same everywhere."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from driftline.consumer.cli.errors import CommandError
from driftline.consumer.config.names import STAGES
from driftline.producer.errors import MappingError
from driftline.producer.files.formats import any_of, names
from driftline.producer.records.durations import parse_duration
from driftline.producer.records.time_form import GivenTimes, TimeForm
from driftline.producer.records.timestamp import parse_timestamp

DEFAULT_CONFIG = Path("driftline.yaml")

ConfigFile = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        envvar="DRIFTLINE_CONFIG",
        metavar="FILE",
        help="Configuration; driftline.yaml of this folder.",
    ),
]
BootstrapServers = Annotated[
    str | None,
    typer.Option(metavar="HOST:PORT,...", help="Brokers, instead of those of the configuration."),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document a line.")]
InputFile = Annotated[
    Path | None,
    typer.Option("--input", "-i", metavar="FILE", help=f"{any_of(names())}; text also as .gz."),
]
Since = Annotated[
    str | None,
    typer.Option(metavar="TIME", help="From this time on: 2026-11-01T00:00:00Z, or 24h ago."),
]
Until = Annotated[
    str | None, typer.Option(metavar="TIME", help="Before this time, written as for --since.")
]
Timestamp = Annotated[
    str | None,
    typer.Option(
        metavar="COLUMN",
        help="The column of the times; DATE,TIME if they stand in two. Else a guess.",
    ),
]
TimeFormat = Annotated[
    str | None,
    typer.Option(metavar="FORMAT", help='How they are written, such as "%d/%m/%Y %H:%M".'),
]
Timezone = Annotated[
    str | None,
    typer.Option(
        metavar="ZONE",
        help="Of times without an offset, and of hours of the day: Europe/Berlin, +02:00.",
    ),
]
PositiveLabel = Annotated[
    str | None,
    typer.Option(metavar="CLASS", help="The class that prediction.score speaks of."),
]
Stages = Annotated[
    str | None,
    typer.Option(
        metavar="STAGE,...",
        help=f"What workers run, of {', '.join(STAGES)}, instead of the configuration's.",
    ),
]
Wait = Annotated[
    str | None,
    typer.Option(
        metavar="DURATION",
        help="How long to wait for a broker that cannot be reached; 0: exit code 75 at once."
        "  [default: for ever]",
    ),
]


def read_given_times(
    timestamp: str | None, time_format: str | None, timezone: str | None
) -> GivenTimes:
    """Return what `--timestamp`, `--time-format` and `--timezone` say of a file.

    Raises:
        CommandError: there is no such format or zone, or too many columns.

    >>> read_given_times("day,hour", None, None).columns
    ('day', 'hour')
    """
    columns = tuple(timestamp.split(",")) if timestamp is not None else ()
    if len(columns) > 2 or not all(columns):
        raise CommandError(f"--timestamp {timestamp}: name one column, or two: DATE,TIME")
    try:
        form = TimeForm(timezone=timezone)
    except MappingError as error:
        raise CommandError(f"--timezone {timezone}: {error}") from None
    try:
        return GivenTimes(columns, replace(form, format=time_format))
    except MappingError as error:
        raise CommandError(f"--{str(error).replace('time_format', 'time-format')}") from None


def read_wait(text: str | None) -> float | None:
    """Return the seconds of `--wait`, None for ever.

    Raises:
        CommandError: it is no duration.

    >>> read_wait("90s"), read_wait("0"), read_wait(None)
    (90.0, 0.0, None)
    """
    return None if text is None else read_seconds("0s" if text == "0" else text, "--wait")


def read_seconds(text: str, option: str) -> float:
    """Read a duration such as `10m`.

    Raises:
        CommandError: it is none.
    """
    try:
        return parse_duration(text) / 1_000
    except ValueError:
        raise CommandError(f"{option} {text}: write a duration such as 90s or 10m") from None


def read_times(since: str | None, until: str | None = None) -> tuple[int | None, int | None]:
    """Return the times of `--since` and `--until` in ms since 1970, None where not given.

    Raises:
        CommandError: one is no time, or nothing is between them.

    >>> read_times("2026-11-01T00:00:00Z", "2026-11-01T00:00:01Z")
    (1793491200000, 1793491201000)
    """
    now = time.time_ns() // 1_000_000
    first = None if since is None else read_time(since, "--since", now)
    end = None if until is None else read_time(until, "--until", now)
    if first is not None and end is not None and first >= end:
        raise CommandError(f"--until {until}: nothing is between it and --since {since}")
    return first, end


def read_time(text: str, option: str, now: int) -> int:
    """Return the time that an option names, in ms since 1970.

    Args:
        text: RFC 3339 (UTC unless it has another zone), or how long ago: `24h`, also `-24h`.
        option: its name, for the error.
        now: the present in ms.

    Raises:
        CommandError: it is neither.

    >>> read_time("2019-03-27T00:00:00Z", "--since", 0), read_time("1h", "--since", 3_600_000)
    (1553644800000, 0)
    """
    found = parse_timestamp(text)
    if found is not None:
        return found
    try:
        return now - parse_duration(text.removeprefix("-"))
    except ValueError:
        raise CommandError(
            f"{option} {text}: write a time such as 2026-11-01T00:00:00Z, or how long ago: 24h"
        ) from None
