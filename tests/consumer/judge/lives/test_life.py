"""Alert lives, window by window: pending, firing, resolved."""

from __future__ import annotations

import pytest

from driftline.consumer.judge.lives.life import (
    DAY,
    Life,
    Reading,
    WindowTimes,
    breaches,
    join_incident,
    step,
)
from driftline.consumer.wire.kinds import Kind

KEY: tuple[str, str, Kind] = ("m", "x", "feature_drift")
OK, WARNING, CRITICAL = 0, 1, 2
HOUR = 3_600_000


def window(number: int, every: int = HOUR, length: int = 2 * HOUR) -> WindowTimes:
    """The window whose newest pane is the one with this number."""
    end = (number + 1) * every
    return WindowTimes(end - length, end, end - every)


def live(
    levels: str, k: int = 1, n: int = 1, every: int = HOUR
) -> tuple[list[tuple[int, str, int, int]], Life | None]:
    """Run one rule over windows; return what is written, and what is left.

    `levels` has one letter a window: `.` quiet, `-` neither quiet nor in breach, `w` warning,
    `c` critical, `?` insufficient. Written: (window, status, severity, revision).
    """
    life: Life | None = None
    written = []
    for number, letter in enumerate(levels):
        if letter == "?":
            continue  # an insufficient window does not reach the lives
        level = {"w": WARNING, "c": CRITICAL}.get(letter, OK)
        reading = Reading("rule", k, n, level, letter == ".")
        life, write = step(life, KEY, [reading], window(number, every), {})
        if life is not None and write:
            status = "firing" if life.firing else "resolved"
            written.append((number, status, life.severity, life.revision))
            if not life.firing:
                life = None
    return written, life


@pytest.mark.parametrize(
    ("levels", "ended"),
    [("w..." + "." * 3, 5), ("w..-....." + ".", 8), ("w...", None), ("w..?...", 5)],
)
def test_what_has_to_last_ends_no_sooner(levels: str, ended: int | None) -> None:
    """Quiet since the start of the first quiet window, two hours before its end, for six hours."""
    life, found = None, None
    for number, letter in enumerate(levels):
        if letter == "?":
            continue
        reading = Reading("r", 1, 1, int(letter == "w"), letter == ".", lasting=6 * HOUR)
        life, write = step(life, KEY, [reading], window(number), {})
        if life is not None and write and not life.firing:
            found, life = number, None
    assert found == ended


@pytest.mark.parametrize(
    ("levels", "k", "n", "expected"),
    [
        # Fires at k of n.
        ("..w", 1, 1, [(2, "firing", 1, 1)]),
        (".w.", 2, 3, []),
        ("ww", 2, 3, [(1, "firing", 1, 1)]),
        ("w-w", 2, 3, [(2, "firing", 1, 1)]),
        ("w--w", 2, 3, []),
        ("w--ww", 2, 3, [(4, "firing", 1, 1)]),
        ("www", 3, 3, [(2, "firing", 1, 1)]),
        # The level that enough windows reached is the severity: one critical one is not.
        ("wc", 2, 2, [(1, "firing", 1, 1)]),
        ("cc", 2, 2, [(1, "firing", 2, 1)]),
        ("c", 1, 1, [(0, "firing", 2, 1)]),
        # Severity rises once, and never falls.
        ("wwccwwc", 1, 1, [(0, "firing", 1, 1), (2, "firing", 2, 2)]),
        ("wcc", 2, 2, [(1, "firing", 1, 1), (2, "firing", 2, 2)]),
        # Resolved after three quiet windows in a row.
        ("w...", 1, 1, [(0, "firing", 1, 1), (3, "resolved", 1, 2)]),
        ("w..-..", 1, 1, [(0, "firing", 1, 1)]),
        ("w..-...", 1, 1, [(0, "firing", 1, 1), (6, "resolved", 1, 2)]),
        ("w..w...", 1, 1, [(0, "firing", 1, 1), (6, "resolved", 1, 2)]),
        ("c...", 1, 1, [(0, "firing", 2, 1), (3, "resolved", 2, 2)]),
        # A window that is insufficient counts neither way.
        ("w.?.?.", 1, 1, [(0, "firing", 1, 1), (5, "resolved", 1, 2)]),
        ("w?w", 2, 2, [(2, "firing", 1, 1)]),
        ("w?.w", 2, 2, []),
        # After its end a problem is a new alert.
        ("w...w", 1, 1, [(0, "firing", 1, 1), (3, "resolved", 1, 2), (4, "firing", 1, 1)]),
        # Quiet windows do not count while it is pending.
        ("w..w", 2, 4, [(3, "firing", 1, 1)]),
    ],
)
def test_life(levels: str, k: int, n: int, expected: list[tuple[int, str, int, int]]) -> None:
    assert live(levels, k, n)[0] == expected


def test_a_pending_alert_is_dropped_when_its_breaches_have_passed() -> None:
    assert live("w", 2, 3)[1] is not None
    assert live("w..", 2, 3)[1] is not None
    assert live("w...", 2, 3)[1] is None


def test_since_is_the_newest_pane_of_the_first_window_in_breach() -> None:
    _, life = live("..w-w", 2, 3)
    assert life is not None
    assert life.since == 2 * HOUR
    # Dropped in between, it begins anew.
    _, life = live("w...ww", 2, 3)
    assert life is not None
    assert life.since == 4 * HOUR


def test_a_firing_alert_is_repeated_every_seven_days_of_event_time() -> None:
    written, _ = live("w" * 20, every=DAY)
    assert written == [(0, "firing", 1, 1), (7, "firing", 1, 2), (14, "firing", 1, 3)]
    # With windows that do not fit: at the first that ends 7 days or more after the last record.
    written, _ = live("w" * 8, every=3 * DAY)
    assert [number for number, *_ in written] == [0, 3, 6]
    # A rise in severity is a record too.
    written, _ = live("wwwwc" + "c" * 10, every=DAY)
    assert [number for number, *_ in written] == [0, 4, 11]
    # So it is while it is quiet, and not yet resolved.
    written, _ = live("w-----..-", every=DAY)
    assert written == [(0, "firing", 1, 1), (7, "firing", 1, 2)]


def test_until_is_the_start_of_the_first_quiet_window() -> None:
    life: Life | None = None
    for number, letter in enumerate("w.-..."):
        level = WARNING if letter == "w" else OK
        life, _ = step(life, KEY, [Reading("r", 1, 1, level, letter == ".")], window(number), {})
    assert life is not None
    assert (life.firing, life.revision) == (False, 2)
    assert life.quiet_since == window(3).start


def test_every_rule_must_be_quiet() -> None:
    def both(first: str, second: str) -> list[bool]:
        life: Life | None = None
        out = []
        for number, letters in enumerate(zip(first, second, strict=True)):
            readings = [
                Reading(rule, 1, 1, WARNING if letter == "w" else OK, letter == ".")
                for rule, letter in zip("ab", letters, strict=True)
            ]
            life, write = step(life, KEY, readings, window(number), {})
            out.append(write)
        return out

    assert both("w...", "....") == [True, False, False, True]
    assert both("w...", "..-.") == [True, False, False, False]


def test_one_alert_whatever_number_of_rules_it_breaks() -> None:
    one, two = Reading("one", 1, 1, WARNING, False), Reading("two", 2, 2, CRITICAL, False)
    life, write = step(None, KEY, [one, two], window(0), {})
    assert life is not None
    assert (write, life.rule, life.severity) == (True, "one", WARNING)
    life, write = step(life, KEY, [one, two], window(1), {})
    assert life is not None
    assert (write, life.rule, life.severity, life.revision) == (True, "two", CRITICAL, 2)
    assert breaches(life, two) == (2, 2)
    assert breaches(life, one) == (1, 1)


def test_breaches_are_those_of_the_last_windows_looked_at() -> None:
    life: Life | None = None
    for number, level in enumerate([WARNING, OK, OK, CRITICAL, WARNING]):
        reading = Reading("rule", 2, 4, level, False)
        life, _ = step(life, KEY, [reading], window(number), {})
    assert life is not None
    assert breaches(life, reading) == (2, 4)


def test_nothing_begins_without_a_breach() -> None:
    assert step(
        None, KEY, [Reading("rule", 1, 1, OK, True)], window(0), {"model_version": "2"}
    ) == (None, False)


def test_the_version_of_onset_is_that_of_the_first_breach() -> None:
    reading = Reading("rule", 2, 2, WARNING, False)
    life, _ = step(None, KEY, [reading], window(0), {"model_version": "3.2"})
    life, _ = step(life, KEY, [reading], window(1), {"model_version": "3.3"})
    assert life is not None
    assert life.version == "3.2"


def open_life(since: int, incident: int | None, *, firing: bool = True) -> Life:
    return Life("m", f"f{since}", "feature_drift", since, firing=firing, incident=incident)


@pytest.mark.parametrize(
    ("others", "incident"),
    [
        ([], 100),
        ([open_life(90, 90)], 90),
        ([open_life(50, 50)], 50),  # exactly one window length
        ([open_life(49, 49)], 100),
        ([open_life(150, 150)], 150),  # `since` may lie before the incident's
        ([open_life(90, 90, firing=False)], 100),  # no open incident
        ([open_life(90, None)], 100),
        ([open_life(95, 60)], 60),  # the incident is where its first alert began
        ([open_life(95, 40)], 100),
    ],
)
def test_incidents_join_within_one_window_length(others: list[Life], incident: int) -> None:
    life = open_life(100, None)
    join_incident(life, [*others, life], length=50)
    assert life.incident == incident
