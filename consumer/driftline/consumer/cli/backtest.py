"""`driftline backtest`: the alerts that there would have been, over the rows of a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from driftline.consumer.cli.options import DEFAULT_CONFIG, ConfigFile, InputFile, Json

if TYPE_CHECKING:
    from driftline.consumer.cli.backtest_compare_sides import Given

DRIFT_FOUND, UNDECIDED, DEFECT = 1, 2, 70


def _two(sides: tuple[str, str] | None) -> tuple[str, str] | None:
    """Refuse an option where a side should stand."""
    if sides is not None and any(not side or side.startswith("-") for side in sides):
        raise typer.BadParameter("takes two, champion and challenger: --compare A B")
    return sides


def backtest(
    file: InputFile = None,
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
            metavar="FILE",
            help="Ground truth that came later, by the mapping of its topic; put in the order of"
            " its times first.",
        ),
    ] = None,
    actual: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN", help="The column with the ground truth, where no mapping names it."
        ),
    ] = None,
    compare: Annotated[
        tuple[str, str] | None,
        typer.Option(
            metavar="A B",
            help="Instead, tell whether B does better than A: two files of predictions, or with"
            " --input two models or versions in it, as model or model@version.",
            callback=_two,
        ),
    ] = None,
    verdicts: Annotated[
        bool, typer.Option("--verdicts", help="Print a line per feature and window too.")
    ] = False,
    fail_on_drift: Annotated[
        bool,
        typer.Option(
            "--fail-on-drift",
            help="Exit with 1 if there is an alert, or B is worse than A; else with 2 if no window,"
            " or less than half of the events, could be judged.",
        ),
    ] = False,
    json: Json = False,
) -> None:
    """Tell the alerts that a file would have raised.

    Events are read in the file's order and judged as the service would. Without a configuration
    the columns are guessed, the first half of the file is the reference, and a window holds about
    1,000 events; what was assumed is said. Labels of a file of their own meet their predictions
    by event id.

    With --compare it prints the metrics of both side by side, and whether B is better, worse or
    undecided: event by event where the event ids are mostly the same, else each by its own events.
    """
    from driftline.consumer.cli.backtest_compare_sides import Given
    from driftline.consumer.cli.backtest_exit import say_failure, too_little_judged
    from driftline.consumer.cli.backtest_run import run
    from driftline.consumer.cli.backtest_setup import assumed, configured
    from driftline.consumer.cli.backtest_text import render
    from driftline.consumer.cli.errors import CommandError
    from driftline.consumer.cli.terminal import out, out_json, say
    from driftline.consumer.cli.verdict_table import VerdictTable
    from driftline.consumer.wire.records import Alert

    if config is None and DEFAULT_CONFIG.exists():
        config = DEFAULT_CONFIG
        say(f"using {config}")
    if compare is not None:
        given = Given(compare, file, config, model, labels, actual)
        _compare(given, json, fail_on_drift, unused=reference is not None or verdicts)
        return
    if file is None:
        raise CommandError("give the events: --input FILE")
    if config is not None:
        setup = configured(config, file, model, reference, labels, actual)
    elif labels is not None:
        raise CommandError("--labels needs a configuration that says how they are mapped: --config")
    else:
        setup = assumed(file, model, reference, actual)
    table = VerdictTable(setup.model, setup.config)
    for output in run(setup):
        if isinstance(output, Alert):
            if json:
                out_json(output)
        elif verdicts and json:
            out_json(output)
        elif verdicts:
            table.add(output)
    if not json:
        out(render(setup.found, setup.backtest, setup.config))
        if verdicts:
            out(f"\n{table.text()}")
    code = 0
    if fail_on_drift and setup.found.rises:
        code = DRIFT_FOUND
    elif setup.backtest.failures:
        code = DEFECT
    elif fail_on_drift and (doubt := too_little_judged(setup)):
        say(f"--fail-on-drift: {doubt}")
        code = UNDECIDED
    for name, error in setup.backtest.failures.items():
        say_failure(name, error)
    raise typer.Exit(code)


def _compare(given: Given, json: bool, fail_on_drift: bool, *, unused: bool) -> None:
    """Tell which of two is better; `unused`: options are given that have no effect here."""
    from driftline.consumer.cli.backtest_compare import compare
    from driftline.consumer.cli.backtest_compare_text import document, render
    from driftline.consumer.cli.backtest_exit import too_little_compared
    from driftline.consumer.cli.errors import CommandError
    from driftline.consumer.cli.terminal import out, out_json, say

    if unused:
        raise CommandError("--compare: leave out --reference and --verdicts, which it does not use")
    found = compare(given)
    if json:
        out_json(document(found))
    else:
        out(render(found))
    if fail_on_drift and found.decision == "worse":
        raise typer.Exit(DRIFT_FOUND)
    if fail_on_drift and (doubt := too_little_compared(found)):
        say(f"--fail-on-drift: {doubt}")
        raise typer.Exit(UNDECIDED)
