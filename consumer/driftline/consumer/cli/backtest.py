"""`driftline backtest`: the alerts that there would have been, over the rows of a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from driftline.consumer.cli.options import DEFAULT_CONFIG, ConfigFile, InputFile, Json

DRIFT_FOUND = 1


def backtest(
    file: InputFile,
    config: ConfigFile = None,
    model: Annotated[
        str | None, typer.Option(help="Whose events they are; needed if there are several models.")
    ] = None,
    reference: Annotated[
        Path | None, typer.Option(metavar="REF", help="Compare with this reference.")
    ] = None,
    labels: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Ground truth that came later, by the mapping of its topic."
        ),
    ] = None,
    verdicts: Annotated[
        bool, typer.Option("--verdicts", help="Print a line per feature and window too.")
    ] = False,
    fail_on_drift: Annotated[
        bool, typer.Option("--fail-on-drift", help="Exit with 1 if there is an alert.")
    ] = False,
    json: Json = False,
) -> None:
    """Tell the alerts that a file would have raised.

    Events are read in the file's order and judged as the service would. Without a configuration
    the columns are guessed, the first half of the file is the reference, and a window holds about
    1,000 events; what was assumed is said. Labels of a file of their own are put in the order of
    their times, and meet their predictions by event id.
    """
    from driftline.consumer.cli.backtest_run import run
    from driftline.consumer.cli.backtest_setup import assumed, configured
    from driftline.consumer.cli.backtest_text import render, verdict_head, verdict_line
    from driftline.consumer.cli.errors import CommandError
    from driftline.consumer.cli.terminal import out, out_json, say
    from driftline.consumer.judge.records import Alert

    if config is None and DEFAULT_CONFIG.exists():
        config = DEFAULT_CONFIG
        say(f"using {config}")
    if config is not None:
        setup = configured(config, file, model, reference, labels)
    elif labels is not None:
        raise CommandError("--labels needs a configuration that says how they are mapped: --config")
    else:
        setup = assumed(file, model, reference)
    lines = []
    for output in run(setup):
        if isinstance(output, Alert):
            if json:
                out_json(output)
        elif verdicts and json:
            out_json(output)
        elif verdicts:
            lines.append(verdict_line(output, setup.model))
    if not json:
        out(render(setup.found, setup.backtest, setup.config))
        if lines:
            out("\n".join(["", verdict_head(), *lines]))
    if fail_on_drift and setup.found.rises:
        raise typer.Exit(DRIFT_FOUND)
