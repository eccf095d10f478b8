"""`driftline explain`: what tells the rows of an alert from those of a quiet time."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from driftline.consumer.cli.errors import CommandError
from driftline.consumer.cli.options import (
    BootstrapServers,
    ConfigFile,
    InputFile,
    Json,
    Since,
    TimeFormat,
    Timestamp,
    Timezone,
    Until,
    read_given_times,
    read_times,
)
from driftline.consumer.cli.row_options import AlertsFile, AlertToRead, Wanted
from driftline.producer.files.given import checked


def explain(
    alert: AlertToRead,
    file: InputFile = None,
    against: Annotated[
        str | None,
        typer.Option(
            metavar="SINCE..UNTIL", help="Quiet rows: of this time, not of the time before."
        ),
    ] = None,
    reference_input: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Quiet rows: those that the reference was built from."),
    ] = None,
    alerts: AlertsFile = None,
    since: Since = None,
    until: Until = None,
    examples: Annotated[
        int | None,
        typer.Option(min=0, metavar="N", help="Rows to show; 3 where the values may be shown."),
    ] = None,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write one HTML file too.")
    ] = None,
    timestamp: Timestamp = None,
    time_format: TimeFormat = None,
    timezone: Timezone = None,
    config: ConfigFile = None,
    bootstrap_servers: BootstrapServers = None,
    json: Json = False,
) -> None:
    """Say what tells the rows of an alert from rows of a quiet time: features, pairs, a segment.

    A classifier learns from half of the rows which are of the alert, and is asked of the others. It
    says so where it does no better than chance. It explains, it never alarms. Rows are read as
    `driftline export` reads them; the quiet ones are as long, at the same hours before the alert,
    where no alert was open.
    """
    times = read_given_times(timestamp, time_format, timezone)
    span = read_times(since, until)
    if against is not None and reference_input is not None:
        raise CommandError("--against and --reference-input: give one of them")
    quiet = None if against is None else _between(against)
    if reference_input is not None:
        checked(reference_input)
    wanted = Wanted.read(alert, alerts, file, None, config, bootstrap_servers)
    from driftline.consumer.cli import alert_rows, explain_rows

    later = quiet is not None
    with alert_rows.opened(wanted, span, (None, None), times, later=later) as found:
        reference = None
        if reference_input is not None:
            reference = alert_rows.reference_rows(wanted, found, reference_input, times)
        explain_rows.explained(found, quiet, reference, examples=examples, html=html, as_json=json)


def _between(text: str) -> tuple[int, int]:
    """Return the ends of a span, ms since 1970.

    Raises:
        CommandError: it is none.
    """
    first, dots, second = text.partition("..")
    since, until = (read_times(each or None)[0] if dots else None for each in (first, second))
    if since is None or until is None or since >= until:
        raise CommandError(
            f"--against {text}: write two times, such as 2026-11-01T00:00:00Z..2026-11-08T00:00:00Z"
        )
    return since, until
