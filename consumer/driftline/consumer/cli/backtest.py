"""`driftline backtest`: the alerts that there would have been, over the rows of a file."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from driftline.consumer.cli import load_config
from driftline.consumer.cli.errors import CommandError
from driftline.consumer.cli.options import (
    DEFAULT_CONFIG,
    ConfigFile,
    InputFile,
    Json,
    PositiveLabel,
    TimeFormat,
    Timestamp,
    Timezone,
    read_given_times,
)
from driftline.consumer.cli.page_options import DEFAULT_PORT, PagePort, require_page
from driftline.consumer.cli.terminal import say
from driftline.consumer.cli.window_options import check_configured, read_window_options
from driftline.consumer.offline.given_truth import GivenTruth
from driftline.consumer.service.reference_file import absent, is_absent
from driftline.producer.files.given import checked
from driftline.producer.records.timestamp import parse_timestamp


def _two(sides: tuple[str, str] | None) -> tuple[str, str] | None:
    """Refuse an option where a side should stand."""
    if sides is not None and any(not side or side.startswith("-") for side in sides):
        raise typer.BadParameter("takes two, champion and challenger: --compare A B")
    return sides


def _check_accepted(given: Sequence[str]) -> None:
    """Refuse what is no feature and time, and no file, before the events are read.

    Raises:
        CommandError: one is none of these.
    """
    for text in given:
        _, at, time = text.rpartition("@")
        if not at and not Path(text).is_file():
            raise CommandError(f"--accept {text}: write FEATURE@TIME, or name a file of verdicts")
        if at and parse_timestamp(time) is None and not time.isdigit():
            raise CommandError(
                f"--accept {text}: write FEATURE@TIME, such as income@2026-03-27T00:00:00Z"
            )


def backtest(
    file: InputFile = None,
    config: ConfigFile = None,
    model: Annotated[
        str | None, typer.Option(help="Whose events they are; needed if there are several models.")
    ] = None,
    reference: Annotated[
        str | None, typer.Option(metavar="REF", help="Compare with this reference.")
    ] = None,
    labels: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Ground truth in a file of its own, by the mapping of its topic, else by the ids"
            " of both; --actual is a column of it then.",
        ),
    ] = None,
    actual: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN", help="The column with the ground truth, where no mapping names it."
        ),
    ] = None,
    positive_label: PositiveLabel = None,
    compare: Annotated[
        tuple[str, str] | None,
        typer.Option(
            metavar="A B",
            help="Instead, tell whether B does better than A: two files of predictions, or with"
            " --input two models or versions in it, as model or model@version.",
            callback=_two,
        ),
    ] = None,
    timestamp: Timestamp = None,
    time_format: TimeFormat = None,
    timezone: Timezone = None,
    window: Annotated[
        str | None,
        typer.Option(
            metavar="DURATION", help="Length of a window, where no configuration has it: 6h."
        ),
    ] = None,
    every: Annotated[
        str | None,
        typer.Option(
            metavar="DURATION",
            help="From one window to the next, with --rows a number; else its length.",
        ),
    ] = None,
    rows: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="Windows of N rows in the file's order, without times.",
        ),
    ] = None,
    min_events: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="A window with fewer events is not judged."),
    ] = None,
    budget: Annotated[
        str | None,
        typer.Option(
            metavar="N per DURATION", help="False alarms allowed: 1 per 30d, 1 per 100 windows."
        ),
    ] = None,
    rolling: Annotated[
        str | None,
        typer.Option(metavar="DURATION", help="What came so long before each window is normal."),
    ] = None,
    previous: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="N windows before each are normal.")
    ] = None,
    accept: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FEATURE@TIME",
            help="From then on what the feature is now is normal, without a name all features; or"
            " a file of verdicts and alerts that tell what was accepted.",
        ),
    ] = None,
    verdicts: Annotated[
        bool, typer.Option("--verdicts", help="Print a line per feature and window too.")
    ] = False,
    alerts: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the records of alerts too, one a line, as JSON."),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Write a report too: one HTML file, for a browser or a ticket."
        ),
    ] = None,
    junit: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write test results for CI too, JUnit XML: a case for each feature and metric.",
        ),
    ] = None,
    summary: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write what drifted as Markdown too; it is appended to $GITHUB_STEP_SUMMARY.",
        ),
    ] = None,
    ui: Annotated[
        bool, typer.Option("--ui", help="Then show it on the page, until Ctrl-C.")
    ] = False,
    port: PagePort = None,
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

    A file is a set of rows: their order changes nothing. They are judged as the service would, and
    so is the last window, which the file may end in. A file with columns partition and offset is a
    recording of a topic, and gives what the service would, byte for byte. Without a configuration
    the columns are guessed, the earlier half of the file is the reference, and a window holds about
    1,000 events; what was assumed is printed. Labels of a file of their own meet their predictions
    by event id.

    With --compare it prints the metrics of both side by side, and whether B is better, worse or
    undecided: event by event where the event ids are mostly the same, else each by its own events.
    """
    for path in (file, labels) if config is None or config.exists() else ():
        if path is not None:
            checked(path)
    if config is None and DEFAULT_CONFIG.exists():
        config = DEFAULT_CONFIG
        say(f"using {config}")
    times = read_given_times(timestamp, time_format, timezone)
    if compare is not None:
        written = (alerts, report, junit, summary)
        if reference is not None or accept or verdicts or ui or written != (None,) * 4:
            raise CommandError(
                "--compare: leave out --reference, --accept, --verdicts, --alerts, --report,"
                " --junit, --summary and --ui, which it does not use"
            )
        if (window, every, rows, min_events, budget, rolling, previous) != (None,) * 7:
            raise CommandError(
                "--compare: leave out --window, --every, --rows, --min-events, --budget, --rolling"
                " and --previous, which it does not use"
            )
        from driftline.consumer.cli import backtest_compare

        given = backtest_compare.wanted(
            compare, file, config, model, (actual, labels, positive_label), times
        )
        code = backtest_compare.compare(given, as_json=json, fail_on_drift=fail_on_drift)
        raise typer.Exit(code)
    if file is None:
        raise CommandError("give the events: --input FILE")
    wanted = read_window_options(window, every, rows, min_events, budget, rolling, previous)
    _check_accepted(accept or ())
    loaded = None
    if config is not None:
        check_configured(wanted, times)
        loaded = load_config.read_config(config, offline=True)
        model = load_config.choose_model(loaded.config, model)
        if reference is None:
            load_config.require_references(loaded, [model])
    if reference is not None and is_absent(reference):
        raise CommandError(absent(reference))
    if ui:
        require_page()
    truth, seen = (actual, labels, positive_label), None
    if loaded is None and reference is None:
        from driftline.consumer.cli import file_look  # less than a backtest needs

        seen = file_look.alone(file, model, GivenTruth(*truth), wanted, times)
    from driftline.consumer.cli import backtest_exit, backtest_files

    setup = backtest_exit.set_up(loaded, file, model, reference, truth, wanted, times, seen)
    backtest_exit.accept(setup, accept or ())
    title = f"Backtest of {file.name}"
    shown = ui or report is not None
    with backtest_exit.published_by(setup) if shown else nullcontext() as published:
        code = backtest_exit.backtest(
            setup,
            verdicts=verdicts,
            as_json=json,
            fail_on_drift=fail_on_drift,
            published=published,
            files=backtest_files.Files(title, report, junit, summary, alerts),
        )
        if published is not None and ui:
            from driftline.consumer.cli import backtest_page

            backtest_page.serve(setup, published, title, DEFAULT_PORT if port is None else port)
    raise typer.Exit(code)
