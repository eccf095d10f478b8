"""`driftline report`: what a deployment found in a span of time, as one HTML file."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from driftline.consumer.cli import load_config
from driftline.consumer.cli.errors import CommandError
from driftline.consumer.cli.options import (
    BootstrapServers,
    ConfigFile,
    Json,
    Since,
    Until,
    read_times,
)
from driftline.consumer.cli.terminal import out, out_json
from driftline.consumer.log.broker import connect


def report(
    config: ConfigFile = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="The HTML file.")
    ] = None,
    since: Since = None,
    until: Until = None,
    model: Annotated[
        list[str] | None, typer.Option("--model", metavar="NAME", help="Only of this model.")
    ] = None,
    bootstrap_servers: BootstrapServers = None,
    json: Json = False,
) -> None:
    """Write what drifted, when and how sure, as one HTML file.

    It opens in any browser without network, and prints. The span is one of event time. It is read
    from the topics of verdicts and alerts, which a worker need not run for.
    """
    if output is None and not json:
        raise CommandError("where to? give --output report.html, or --json")
    times = read_times(since, until)
    deployment = load_config.find_deployment(config, bootstrap_servers)
    broker = connect(deployment.kafka)
    from driftline.consumer.cli import output_log, report_log, whole_file

    with closing(output_log.OutputLog.of(broker, deployment.config)) as log:
        view = report_log.read(broker.log, log, deployment.config, times, model or ())
    if output is not None:
        data = report_log.as_file(view)
        whole_file.write_whole(output, data)
        if not json:
            out(report_log.written(view, output, len(data)))
    if json:
        out_json(view)
