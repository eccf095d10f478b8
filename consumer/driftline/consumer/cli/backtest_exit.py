"""Running a backtest to its exit code: whether it found drift, too little, or a defect."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from pathlib import Path

from driftline.consumer.cli import backtest_text
from driftline.consumer.cli.backtest_files import Files
from driftline.consumer.cli.errors import DEFECT, DRIFT_FOUND, OPERATOR_MUST_ACT
from driftline.consumer.cli.load_config import choose_model
from driftline.consumer.cli.screen import Screen
from driftline.consumer.cli.terminal import out, out_json, say
from driftline.consumer.cli.verdict_table import VerdictTable
from driftline.consumer.config import Loaded
from driftline.consumer.offline.accepted import read_accepted
from driftline.consumer.offline.assumed import assumed
from driftline.consumer.offline.cases import Cases
from driftline.consumer.offline.configured import configured
from driftline.consumer.offline.first_look import FirstLook
from driftline.consumer.offline.given_truth import GivenTruth
from driftline.consumer.offline.published import Published
from driftline.consumer.offline.run import run
from driftline.consumer.offline.setup import Setup
from driftline.consumer.offline.window_options import WindowOptions
from driftline.consumer.wire.records import Alert
from driftline.producer.errors import InputError
from driftline.producer.records.time_form import GivenTimes


def set_up(
    loaded: Loaded | None,
    file: Path,
    model: str | None,
    reference: str | Path | None,
    truth: tuple[str | None, Path | None, str | None],
    wanted: WindowOptions,
    times: GivenTimes,
    seen: FirstLook | None = None,
) -> Setup:
    """Set up a backtest as the options ask for, and print what is assumed.

    Args:
        loaded: the configuration, None where there is none.
        file: the events.
        model: as given; one of the configuration.
        reference: as given.
        truth: what is given as `--actual`, `--labels` and `--positive-label`.
        wanted: of the windows.
        times: what is known of the times.
        seen: what the file showed, if it was looked at.

    Raises:
        DriftlineError: the reference or a file cannot be used.
    """
    if loaded is None:
        return assumed(file, model, reference, Screen(), GivenTruth(*truth), wanted, times, seen)
    name = choose_model(loaded.config, model)
    return configured(loaded, name, file, reference, Screen(), GivenTruth(*truth))


def accept(setup: Setup, given: Sequence[str]) -> None:
    """Accept what is given as `--accept`; see `read_accepted`.

    Raises:
        InputError: one is no feature and time, and no file.
    """
    found = read_accepted(given, setup.model, setup.config.window)
    known = {"", *setup.backtest.features}
    for name in sorted({each.feature for each in found} - known):
        raise InputError(f"--accept {name}: the reference has no such feature")
    setup.backtest.accept(found)


def backtest(
    setup: Setup,
    *,
    verdicts: bool,
    as_json: bool,
    fail_on_drift: bool,
    published: Published | None = None,
    files: Files | None = None,
) -> int:
    """Run a backtest, print what it finds, and return the exit code.

    Args:
        setup: the backtest.
        verdicts: whether each verdict is printed.
        as_json: whether records are printed, not tables.
        fail_on_drift: whether drift is an exit code.
        published: takes in all that is found, for a page or a report.
        files: what to write as well.
    """
    table, cases = VerdictTable(setup.model, setup.config), Cases(setup.found.needed)
    for output in run(setup):
        cases.take(output)
        if published is not None:
            published.take(output)
        if isinstance(output, Alert):
            if as_json:
                out_json(output)
        elif verdicts and as_json:
            out_json(output)
        elif verdicts:
            table.add(output)
    doubt = "" if setup.found.rises else too_little_judged(setup)
    if files is not None:
        files.write(setup, published, cases, doubt)
    if not as_json:
        out(backtest_text.render(setup.found, setup.backtest, setup.config))
        if verdicts:
            out(f"\n{table.text()}")
    code = 0
    if fail_on_drift and setup.found.rises:
        code = DRIFT_FOUND
    elif setup.backtest.failures:
        code = DEFECT
    elif fail_on_drift and doubt:
        say(f"--fail-on-drift: {doubt}")
        code = OPERATOR_MUST_ACT
    for name, error in setup.backtest.failures.items():
        say_failure(name, error)
    return code


def published_by(setup: Setup) -> Published:
    """Return what takes in all that a backtest finds; to be closed, by `with`."""
    return Published(setup.model, setup.config)


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


def say_failure(name: str, error: Exception) -> None:
    """Say on stderr that a model or comparison failed by a defect of Driftline's own."""
    say("".join(traceback.format_exception(error)).rstrip())
    say(
        f"{name} failed by an error of Driftline's own, at the traceback above: report it; what it"
        " found until then, and all of the others, stands"
    )
