"""The command line: a file for each verb, with its options and its help.

What a verb does is in modules that it imports when it runs, each verb in one statement, behind the
reading of its options, of the names of its files and of the configuration, and behind the first
answer of the broker: so `driftline --help` and the answer to a mistake take no time, and
`driftline run` never loads what only reads files.
"""

from __future__ import annotations

import logging
import sys
import traceback
from functools import cache
from typing import Annotated

import typer
from typer.main import get_command

from driftline.consumer.cli.accept import accept
from driftline.consumer.cli.alerts import alerts
from driftline.consumer.cli.apply import apply
from driftline.consumer.cli.backtest import backtest
from driftline.consumer.cli.check import check
from driftline.consumer.cli.config import config
from driftline.consumer.cli.dead_letter import dead_letter
from driftline.consumer.cli.demo import demo
from driftline.consumer.cli.errors import DEFECT, OPERATOR_MUST_ACT, START_ME_AGAIN
from driftline.consumer.cli.explain import explain
from driftline.consumer.cli.export import export
from driftline.consumer.cli.init import init
from driftline.consumer.cli.models import models
from driftline.consumer.cli.progress import LINES
from driftline.consumer.cli.reference import reference
from driftline.consumer.cli.replay import replay
from driftline.consumer.cli.report import report
from driftline.consumer.cli.run import run
from driftline.consumer.cli.schema import schema
from driftline.consumer.cli.terminal import PrintableLines, say
from driftline.consumer.cli.topics import topics
from driftline.consumer.cli.ui import ui
from driftline.consumer.log.errors import WorkerLost
from driftline.errors import DriftlineError

app = typer.Typer(
    name="driftline",
    help="Watches machine-learning models in production for drift.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
app.command()(demo)
app.command()(init)
app.command()(run)
app.command()(ui)
app.command()(check)
app.add_typer(reference)
app.command()(replay)
app.command()(backtest)
app.command()(report)
app.command()(explain)
app.command()(export)
app.add_typer(topics)
app.command()(apply)
app.add_typer(models)
app.add_typer(alerts)
app.command()(accept)
app.add_typer(config)
app.command()(schema)
app.add_typer(dead_letter)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import PackageNotFoundError, version  # slow, and seldom asked

        try:
            print(f"driftline {version('driftline')}")  # noqa: T201 (a result)
        except PackageNotFoundError:
            print("driftline, run from its sources")  # noqa: T201
        raise typer.Exit


@app.callback()
def driftline(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Watches machine-learning models in production for drift."""


_command = cache(get_command)
"""Make all verbs with their options, 55 ms, once: a process may call `main` many times."""


def main() -> None:
    """Run the command line and exit.

    Exit codes: 0 fine, 1 drift found (only with --fail-on-drift), 2 the operator must act,
    75 start me again: no broker can be reached, or the worker was replaced.
    """
    if logging.lastResort is not None:  # writes what is logged before `run` starts its own log
        logging.lastResort.setFormatter(PrintableLines())
    LINES.restart()
    try:
        _command(app)(prog_name="driftline")
    except DriftlineError as error:
        say(str(error))
        sys.exit(START_ME_AGAIN if isinstance(error, WorkerLost) else OPERATOR_MUST_ACT)
    except Exception:
        say(traceback.format_exc().rstrip("\n"))
        sys.exit(DEFECT)
