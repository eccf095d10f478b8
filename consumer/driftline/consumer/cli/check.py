"""`driftline check`: configuration, references, topics and recent records; writes nothing."""

from __future__ import annotations

from typing import Annotated

import typer

from driftline.consumer.cli.options import DEFAULT_CONFIG, BootstrapServers, ConfigFile, Json


def check(
    config: ConfigFile = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="Check the files only, without the broker.")
    ] = False,
    bootstrap_servers: BootstrapServers = None,
    json: Json = False,
) -> None:
    """Check configuration, references, topics, records.

    Reads up to 1,000 recent records a topic and writes nothing. Errors give exit code 2.
    """
    from driftline.consumer.cli.check_all import inspect
    from driftline.consumer.cli.check_findings import finding, overview, render
    from driftline.consumer.cli.load_models import read_config
    from driftline.consumer.cli.terminal import out, out_json
    from driftline.consumer.cli.topic_checks import input_topics
    from driftline.consumer.config import ConfigError
    from driftline.consumer.log.broker import connect

    try:
        loaded = read_config(
            config, offline=offline, bootstrap_servers=bootstrap_servers, quiet=True
        )
    except ConfigError as error:
        head = str(config or DEFAULT_CONFIG)
        findings = [finding(problem) for problem in error.problems]
    else:
        head = overview(loaded.files, loaded.config, len(input_topics(loaded.config)))
        findings = inspect(loaded, None if offline else lambda: connect(loaded.config.kafka).log)
    if json:
        for found in findings:
            out_json(found)
    else:
        next_step = "driftline backtest --input last-week.parquet" if offline else "driftline run"
        out(f"{head}\n\n{render(findings, next_step)}")
    if any(found.level == "error" for found in findings):
        raise typer.Exit(2)
