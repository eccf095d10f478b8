"""The options of a backtest that say how its windows are."""

from __future__ import annotations

from driftline.consumer.cli.errors import CommandError
from driftline.consumer.config.values import Budget
from driftline.consumer.offline.window_options import GUESSED, WindowOptions
from driftline.producer.records.durations import parse_duration
from driftline.producer.records.time_form import GUESSED as ANY_TIMES
from driftline.producer.records.time_form import GivenTimes


def read_window_options(
    length: str | None,
    every: str | None,
    rows: int | None,
    min_events: int | None,
    budget: str | None,
    rolling: str | None = None,
    previous: int | None = None,
) -> WindowOptions:
    """Return what the options say of the windows.

    Raises:
        CommandError: one cannot be read.
    """
    if rows is not None and length is not None:
        raise CommandError("--rows: leave out --window, which is of time")
    read: dict[str, int | None] = {}
    if rolling is not None and previous is not None:
        raise CommandError("give either --rolling or --previous")
    for option, text in (("--window", length), ("--every", every), ("--rolling", rolling)):
        try:
            of_rows = None if option == "--rolling" else rows
            read[option] = None if text is None else _length(text, of_rows)
        except ValueError:
            unit = "a duration such as 90s, 6h or 7d" if rows is None else "a number of rows"
            raise CommandError(f"{option} {text}: write {unit}") from None
        if read[option] == 0:
            raise CommandError(f"{option} {text}: must be above 0")
    try:
        allowed = None if budget is None else Budget.parse(budget)
    except ValueError as error:
        raise CommandError(f"--budget {budget}: {error}") from None
    return WindowOptions(
        read["--window"], read["--every"], rows, min_events, allowed, read["--rolling"], previous
    )


def _length(text: str, rows: int | None) -> int:
    """Return a duration in ms, or beside --rows a number of rows."""
    return parse_duration(text) if rows is None else int(text)


def check_configured(wanted: WindowOptions, times: GivenTimes) -> None:
    """Refuse options that a configuration has the answers to.

    Raises:
        CommandError: one is given.
    """
    if wanted != GUESSED:
        raise CommandError(
            "--window, --every, --rows, --min-events, --budget, --rolling, --previous: the"
            " configuration has them: change models.<name>.window, budget and reference there, or"
            " leave out --config"
        )
    if times != ANY_TIMES:
        raise CommandError(
            "--timestamp, --time-format, --timezone: the configuration says how times are read:"
            " change sources.<topic> there, or leave out --config"
        )
