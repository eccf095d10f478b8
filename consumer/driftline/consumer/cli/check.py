"""`driftline check`: configuration, references, topics and recent records; writes nothing."""

from __future__ import annotations

from typing import Annotated

import typer

from driftline.consumer.cli.errors import OPERATOR_MUST_ACT
from driftline.consumer.cli.options import BootstrapServers, ConfigFile, Json, Stages
from driftline.consumer.cli.terminal import out, out_json


def check(
    config: ConfigFile = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="Check the files only, without the broker.")
    ] = False,
    stages: Stages = None,
    bootstrap_servers: BootstrapServers = None,
    json: Json = False,
) -> None:
    """Check configuration, references, topics, records.

    Reads up to 1,000 recent records a topic and writes nothing. Errors give exit code 2.
    """
    from driftline.consumer.cli import check_config, check_findings

    begun = check_config.begin(config, bootstrap_servers, stages, offline=offline)
    findings = begun.findings
    if begun.loaded is not None:
        from driftline.consumer.cli import check_all

        findings = check_all.inspect(begun.loaded, begun.log)
    if json:
        for found in findings:
            out_json(found)
    else:
        next_step = "driftline backtest --input last-week.parquet" if offline else "driftline run"
        out(f"{begun.head}\n\n{check_findings.render(findings, next_step)}")
    if any(found.level == "error" for found in findings):
        raise typer.Exit(OPERATOR_MUST_ACT)
