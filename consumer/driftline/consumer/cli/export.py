"""`driftline export`: the rows of an alert as a file, to train a model on."""

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
from driftline.consumer.cli.row_options import Actual, AlertsFile, AlertToRead, LabelsFile, Wanted
from driftline.producer.files.given import written_format


def export(
    alert: AlertToRead,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="What to write, by its ending."),
    ] = None,
    file: InputFile = None,
    labels: LabelsFile = None,
    actual: Actual = None,
    alerts: AlertsFile = None,
    since: Since = None,
    until: Until = None,
    timestamp: Timestamp = None,
    time_format: TimeFormat = None,
    timezone: Timezone = None,
    config: ConfigFile = None,
    bootstrap_servers: BootstrapServers = None,
    json: Json = False,
) -> None:
    """Write the rows of an alert, with labels where they came: a training set.

    They are the events from where the alert began to the end of its newest window, or of --since
    and --until; of a segment's alert those in it. They are read from the model's topics, outside of
    any group, or from --input. Columns are called as fields of events: features.age, actual.
    """
    if output is None:
        raise CommandError("where to? give --output drifted.parquet")
    form = written_format(output)
    times = read_given_times(timestamp, time_format, timezone)
    span = read_times(since, until)
    wanted = Wanted.read(alert, alerts, file, labels, config, bootstrap_servers)
    from driftline.consumer.cli import alert_rows, export_rows

    with alert_rows.opened(wanted, span, (actual, labels), times) as found:
        export_rows.export(found, output, form, as_json=json)
