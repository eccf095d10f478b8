"""`driftline check`: configuration, references, topics and recent records; writes nothing."""

from __future__ import annotations

from typing import Annotated

import typer

from driftline.consumer.cli.check_rates import Question
from driftline.consumer.cli.errors import OPERATOR_MUST_ACT, CommandError
from driftline.consumer.cli.options import BootstrapServers, ConfigFile, Json, Stages
from driftline.consumer.cli.terminal import out, out_json


def check(
    config: ConfigFile = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="Check the files only, without the broker.")
    ] = False,
    stages: Stages = None,
    bootstrap_servers: BootstrapServers = None,
    plan: Annotated[
        bool, typer.Option("--plan", help="Print what it will need at --rate, not what is wrong.")
    ] = False,
    rate: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[TOPIC=]N/s",
            help="With --plan: events, of all topics or of each; 20k/s, 90/m.",
        ),
    ] = None,
    partitions: Annotated[
        list[str] | None,
        typer.Option(metavar="[TOPIC=]N", help="With --plan: of the topics; else the broker says."),
    ] = None,
    workers: Annotated[
        int, typer.Option(metavar="N", min=1, help="With --plan: processes that share the work.")
    ] = 1,
    keyed: Annotated[
        bool,
        typer.Option("--keyed", help="With --plan: each model's events are in one partition."),
    ] = False,
    json: Json = False,
) -> None:
    """Check configuration, references, topics, records.

    Reads up to 1,000 recent records a topic and writes nothing. Errors give exit code 2.
    """
    asked = Question(rate or (), partitions or (), workers, keyed)
    if not plan and (rate or partitions or keyed or workers != 1):
        raise CommandError("--rate, --partitions, --workers and --keyed go with --plan: add it")
    if plan and not rate:
        raise CommandError("--plan needs a rate: --rate 1000/s, or --rate TOPIC=1000/s for each")
    asked.check_forms()
    from driftline.consumer.cli import check_config, check_findings

    begun = check_config.begin(
        config,
        bootstrap_servers,
        stages,
        offline=offline or bool(plan and partitions),
        **({"agree": asked.read} if plan else {}),
    )
    findings = begun.findings
    if begun.loaded is not None:
        from driftline.consumer.cli import check_all, check_plan

        if plan:
            planned = check_plan.plan(begun.loaded, begun.log, asked)
            if json:
                out_json(check_plan.document(planned))
            else:
                out(f"{begun.head}\n\n{check_plan.text(planned)}")
            return
        findings = check_all.inspect(begun.loaded, begun.log)
    if json:
        for found in findings:
            out_json(found)
    else:
        next_step = "driftline backtest --input last-week.parquet" if offline else "driftline run"
        out(f"{begun.head}\n\n{check_findings.render(findings, next_step)}")
        if plan and not partitions:
            out("With --partitions N the plan asks no broker.")
    if any(found.level == "error" for found in findings):
        raise typer.Exit(OPERATOR_MUST_ACT)
