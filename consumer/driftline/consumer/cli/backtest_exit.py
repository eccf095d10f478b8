"""Running a backtest to its exit code: whether it found drift, too little, or a defect."""

from __future__ import annotations

import traceback
from pathlib import Path

from driftline.consumer.cli import (
    backtest_compare,
    backtest_compare_text,
    backtest_text,
    load_models,
)
from driftline.consumer.cli.backtest_compare import Compared
from driftline.consumer.cli.backtest_compare_sides import Given
from driftline.consumer.cli.errors import DEFECT, DRIFT_FOUND, OPERATOR_MUST_ACT, CommandError
from driftline.consumer.cli.screen import Screen
from driftline.consumer.cli.terminal import out, out_json, say
from driftline.consumer.cli.verdict_table import VerdictTable
from driftline.consumer.config import Budget
from driftline.consumer.offline.assumed import assumed
from driftline.consumer.offline.configured import configured
from driftline.consumer.offline.given_truth import GivenTruth
from driftline.consumer.offline.run import run
from driftline.consumer.offline.setup import Setup
from driftline.consumer.offline.windows import GUESSED, WindowOptions
from driftline.consumer.wire.records import Alert
from driftline.producer.records.durations import parse_duration
from driftline.producer.records.time_form import GUESSED as ANY_TIMES
from driftline.producer.records.time_form import GivenTimes


def set_up(
    config: Path | None,
    file: Path,
    model: str | None,
    reference: Path | None,
    truth: tuple[str | None, Path | None, str | None],
    wanted: WindowOptions,
    times: GivenTimes,
) -> Setup:
    """Set up a backtest as the options ask for, and print what is assumed.

    Args:
        config: the configuration, None where there is none.
        file: the events.
        model: as given.
        reference: as given.
        truth: what is given as `--actual`, `--labels` and `--positive-label`.
        wanted: of the windows.
        times: what is known of the times.

    Raises:
        DriftlineError: the configuration, the reference or a file cannot be used.
    """
    if config is not None:
        if wanted != GUESSED:
            raise CommandError(
                "--window, --every, --rows, --min-events, --budget: the configuration has them:"
                " change models.<name>.window and budget there, or leave out --config"
            )
        if times != ANY_TIMES:
            raise CommandError(
                "--timestamp, --time-format, --timezone: the configuration says how times are read:"
                " change sources.<topic> there, or leave out --config"
            )
        loaded = load_models.read_config(config, offline=True)
        name = load_models.choose_model(loaded.config, model)
        return configured(loaded, name, file, reference, Screen(), GivenTruth(*truth))
    return assumed(file, model, reference, Screen(), GivenTruth(*truth), wanted, times)


def read_window_options(
    length: str | None,
    every: str | None,
    rows: int | None,
    min_events: int | None,
    budget: str | None,
) -> WindowOptions:
    """Return what the options say of the windows.

    Raises:
        CommandError: one cannot be read.
    """
    if rows is not None and length is not None:
        raise CommandError("--rows: leave out --window, which is of time")
    read: dict[str, int | None] = {}
    for option, text in (("--window", length), ("--every", every)):
        try:
            read[option] = None if text is None else _length(text, rows)
        except ValueError:
            unit = "a duration such as 90s, 6h or 7d" if rows is None else "a number of rows"
            raise CommandError(f"{option} {text}: write {unit}") from None
        if read[option] == 0:
            raise CommandError(f"{option} {text}: must be above 0")
    try:
        allowed = None if budget is None else Budget.parse(budget)
    except ValueError as error:
        raise CommandError(f"--budget {budget}: {error}") from None
    return WindowOptions(read["--window"], read["--every"], rows, min_events, allowed)


def _length(text: str, rows: int | None) -> int:
    """Return a duration in ms, or beside --rows a number of rows."""
    return parse_duration(text) if rows is None else int(text)


def backtest(setup: Setup, *, verdicts: bool, as_json: bool, fail_on_drift: bool) -> int:
    """Run a backtest, print what it finds, and return the exit code."""
    table = VerdictTable(setup.model, setup.config)
    for output in run(setup):
        if isinstance(output, Alert):
            if as_json:
                out_json(output)
        elif verdicts and as_json:
            out_json(output)
        elif verdicts:
            table.add(output)
    if not as_json:
        out(backtest_text.render(setup.found, setup.backtest, setup.config))
        if verdicts:
            out(f"\n{table.text()}")
    code = 0
    if fail_on_drift and setup.found.rises:
        code = DRIFT_FOUND
    elif setup.backtest.failures:
        code = DEFECT
    elif fail_on_drift and (doubt := too_little_judged(setup)):
        say(f"--fail-on-drift: {doubt}")
        code = OPERATOR_MUST_ACT
    for name, error in setup.backtest.failures.items():
        say_failure(name, error)
    return code


def compare(given: Given, *, as_json: bool, fail_on_drift: bool) -> int:
    """Compare two sides, print which is better, and return the exit code."""
    found = backtest_compare.compare(given)
    if as_json:
        out_json(backtest_compare_text.document(found))
    else:
        out(backtest_compare_text.render(found))
    if fail_on_drift and found.decision == "worse":
        return DRIFT_FOUND
    if fail_on_drift and (doubt := too_little_compared(found)):
        say(f"--fail-on-drift: {doubt}")
        return OPERATOR_MUST_ACT
    return 0


def too_little_judged(setup: Setup) -> str:
    """Return why a backtest without alerts does not show that there is no drift, empty if it does.

    It does where a window was judged, and at least half of the events were in one. Events that
    were late or rejected count as events.
    """
    found, totals = setup.found, setup.backtest.totals
    rejected = totals.rejected.total() - found.refused
    events = totals.counted[found.model] + totals.late[found.model] + rejected
    tested = found.events_tested()
    if 2 * tested >= events > 0 and tested:
        return ""
    what = f"only {tested:,} of {events:,} events were" if tested else "no window was"
    reasons = [f"{windows:,} windows: {why}" for why, windows in found.insufficient.most_common(1)]
    if late := totals.late[found.model]:
        reasons.append(f"{late:,} events were late")
    if rejected:
        reasons.append(f"{rejected:,} rejected")
    because = f" ({'; '.join(reasons)})" if reasons else ""
    return (
        f"{what} judged{because}, which says nothing of drift: give more events, or a window that"
        " fits them"
    )


def too_little_compared(found: Compared) -> str:
    """Return why a comparison without a loser does not show that there is none, or nothing."""
    if found.decision is None:
        return f"nothing was compared: {found.reason}"
    predictions = [side.predictions for side in found.sides]
    events = max(predictions) if found.paired else sum(predictions)
    if 2 * found.events >= events:
        return ""
    return (
        f"only {found.events:,} of {events:,} predictions were compared, which says little of the"
        " rest: give more labels"
    )


def say_failure(name: str, error: Exception) -> None:
    """Say on stderr that a model or comparison failed by a defect of Driftline's own."""
    say("".join(traceback.format_exception(error)).rstrip())
    say(
        f"{name} failed by an error of Driftline's own, at the traceback above: report it; what it"
        " found until then, and all of the others, stands"
    )
