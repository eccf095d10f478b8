"""How many events are normal: an oracle, laws, quiet streams of several kinds, and changed ones."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from driftline.detectors.grid import FloatArray, IntArray
from driftline.detectors.volume import (
    DAY,
    FACTOR,
    HOUR,
    UNKNOWN,
    WEEK,
    Pattern,
    Spread,
    StepEvents,
    cells_of,
    normal_events,
    p_value,
    pattern_of,
)

LEVEL = 0.2 / (
    720 * 21
)  # of a window an hour among ten features, where one alarm in 30 d is allowed
FIRST = 400_000


def hour_of_week(times: IntArray) -> IntArray:
    return times // HOUR % WEEK


def daily(hours: IntArray) -> FloatArray:
    return 1.0 + 0.8 * np.sin(2 * np.pi * hours / DAY)


def weekly(hours: IntArray) -> FloatArray:
    return daily(hours) * np.where(hours // DAY % 7 < 5, 1.0, 0.25)


def office(hours: IntArray) -> FloatArray:
    return np.where((hours // DAY % 7 < 5) & (hours % DAY > 7) & (hours % DAY < 18), 1.0, 0.0)


def flat(hours: IntArray) -> FloatArray:
    return np.ones(hours.size)


def counts(
    rng: np.random.Generator,
    days: int,
    mean: float,
    cycle: Callable[[IntArray], FloatArray] = flat,
    *,
    spread: float = 0.0,
    lasting: float = 0.0,
) -> IntArray:
    """Events of hours: `spread` is that of each hour on its own, `lasting` resembles its past."""
    rates = mean * cycle(np.arange(days * DAY))
    if spread:
        rates = rates * rng.gamma(spread**-2, spread**2, rates.size)
    if lasting:
        noise, level = rng.normal(0, lasting, rates.size), 0.0
        for i in range(rates.size):
            level = 0.9 * level + np.sqrt(1 - 0.81) * noise[i]
            rates[i] *= np.exp(level)
    return rng.poisson(rates).astype(np.int64)


def alarms(reference: IntArray | None, stream: IntArray, steps: int = 1) -> list[int]:
    """Ends of the windows that alarm; what is normal is looked up once a day, as judge does."""
    before = 0 if reference is None else reference.size
    known = None if reference is None else StepEvents(FIRST - before, reference)
    own, found = StepEvents(FIRST, stream), []
    for day in range(1, stream.size // DAY):
        past = own.between(FIRST + (day - 28) * DAY, FIRST + day * DAY)
        pattern = normal_events(known, past, steps, hour_of_week)
        for end in range(day * DAY + steps, (day + 1) * DAY + 1) if pattern is not None else ():
            cells = cells_of(FIRST + end - steps, steps, 1, hour_of_week)
            events = int(stream[end - steps : end].sum())
            if pattern is not None and pattern.alarms(events, pattern.expected(cells), LEVEL):
                found.append(end)
    return found


@given(st.integers(0, 3_000), st.floats(1.0, 2_000.0), st.floats(0.003, 2.0))
def test_it_is_the_negative_binomial_law(events: int, mean: float, variation: float) -> None:
    low, high = min(events, mean), max(events, mean)
    tail = stats.nbinom.cdf(np.floor(low), 1 / variation, 1 / (1 + variation * high))
    assert p_value(events, mean, variation) == pytest.approx(min(1.0, 2 * tail), rel=1e-6)


@given(
    st.lists(st.integers(-1, 50), max_size=60), st.sampled_from((2, 3, 6, 24)), st.integers(0, 99)
)
def test_longer_steps_hold_the_events_of_theirs(events: list[int], hours: int, first: int) -> None:
    found = StepEvents(first, np.array(events, np.int64)).joined(hours)
    for number, sum_ in enumerate(found.events.tolist(), found.first):
        own = events[number * hours - first : (number + 1) * hours - first]
        assert len(own) == hours
        assert sum_ == (UNKNOWN if UNKNOWN in own else sum(own))
    assert first + len(events) - (found.first + found.events.size) * hours < hours


@given(st.floats(0.0, 500.0), st.floats(0.003, 1.0), st.booleans())
def test_the_limit_is_where_it_begins_to_alarm(normal: float, variation: float, fall: bool) -> None:
    pattern = Pattern(np.full(DAY, 100.0), Spread(variation, 1.0, 1.0), 1)
    limit = pattern.limit(normal, LEVEL, fall=fall)
    if np.isnan(limit):
        assert fall
        assert not pattern.alarms(0, normal, LEVEL)
        return
    assert pattern.alarms(int(limit), normal, LEVEL)
    assert not pattern.alarms(int(limit) + (1 if fall else -1), normal, LEVEL)


@pytest.mark.parametrize("steps", [1, 6])
def test_one_burst_does_not_hide_that_nothing_comes(steps: int) -> None:
    past = np.random.default_rng(3).poisson(50, 28 * DAY)
    past[100] = 500
    pattern = pattern_of(StepEvents(FIRST, past), hour_of_week, DAY, steps)
    assert pattern is not None
    assert pattern.alarms(0, 50.0 * steps, LEVEL)
    assert pattern.limit(50.0 * steps, LEVEL, fall=False) < 400 * steps


@pytest.mark.parametrize("burst", [1_000, 100_000, 10**9])
def test_where_no_rise_alarms_there_is_no_limit(burst: int) -> None:
    past = np.full(8 * DAY, 10)
    past[[50, 100, 150]] = burst
    pattern = pattern_of(StepEvents(FIRST, past), hour_of_week, DAY, 1)
    assert pattern is not None
    for normal in (0.0, 10.0, burst / 8):
        assert np.isnan(pattern.limit(normal, LEVEL, fall=False))
        assert not pattern.alarms(10**12, normal, LEVEL)


QUIET = {
    "independent": (1_000.0, flat, 0.0, 0.0),
    "few": (3.0, flat, 0.0, 0.0),
    "uneven": (1_000.0, flat, 0.3, 0.0),
    "like their past": (1_000.0, flat, 0.0, 0.4),
    "by day": (1_000.0, daily, 0.0, 0.2),
    "by week": (200.0, weekly, 0.2, 0.0),
    "offices": (500.0, office, 0.0, 0.0),
}


@pytest.mark.parametrize("kind", QUIET)
@pytest.mark.parametrize("days", [0, 28])
def test_quiet_streams_stay_quiet(kind: str, days: int) -> None:
    mean, cycle, spread, lasting = QUIET[kind]
    found = counts(np.random.default_rng(days), days + 35, mean, cycle, spread=spread,
                   lasting=lasting)  # fmt: skip
    reference = found[: days * DAY] if days else None
    assert alarms(reference, found[days * DAY :]) == []
    assert alarms(reference, found[days * DAY :], steps=6) == []


@pytest.mark.parametrize("times", [0.0, 0.2, 5.0])
def test_a_fall_and_a_rise_are_found_in_their_hours(times: float) -> None:
    found = counts(np.random.default_rng(1), 34, 1_000.0, weekly)
    changed = slice(32 * DAY + 6, 32 * DAY + 12)
    found[changed] = (found[changed] * times).astype(np.int64)
    ends = [4 * DAY + hour for hour in range(7, 13)]
    assert alarms(found[: 28 * DAY], found[28 * DAY :]) == ends


def test_what_comes_back_is_normal_again() -> None:
    """A weekend is no fall where the reference holds weekends, though not three weeks."""
    found = counts(np.random.default_rng(2), 24, 1_000.0, weekly)
    assert alarms(found[: 10 * DAY], found[10 * DAY :]) == []


def test_a_part_of_the_events_teaches_only_when_they_come() -> None:
    """A reference with a tenth of the events is no reason to alarm; the first week tells so."""
    rng = np.random.default_rng(3)
    part, all_of = counts(rng, 28, 100.0, daily), counts(rng, 9, 1_000.0, daily)
    reference = StepEvents(FIRST - part.size, part)
    for day in range(1, 7):
        own = StepEvents(FIRST, all_of[: day * DAY])
        assert normal_events(reference, own, 1, hour_of_week) is None
    all_of[-20:-10] //= 5
    assert alarms(part, all_of) == list(range(9 * DAY - 19, 9 * DAY - 9))


def test_a_reference_of_other_hours_is_not_believed() -> None:
    """All of its events are at midnight: a date without a time of day."""
    rng = np.random.default_rng(4)
    dates = np.where(np.arange(28 * DAY) % DAY == 0, 24_000, 0)
    assert alarms(dates, counts(rng, 20, 1_000.0, daily)) == []


def test_nothing_is_known_of_less_than_a_week_or_of_no_events() -> None:
    week = StepEvents(0, np.full(WEEK, 5))
    assert pattern_of(week, hour_of_week, DAY, 1) is not None
    assert pattern_of(week, hour_of_week, WEEK, 1) is None
    assert pattern_of(week, hour_of_week, DAY, 2 * DAY) is None
    assert pattern_of(week.between(1, WEEK), hour_of_week, DAY, 1) is None
    assert pattern_of(StepEvents(0, np.zeros(WEEK, np.int64)), hour_of_week, DAY, 1) is None


def test_small_changes_do_not_alarm_however_certain_they_are() -> None:
    pattern = pattern_of(StepEvents(0, np.full(WEEK, 100_000)), hour_of_week, DAY, 1)
    assert pattern is not None
    assert pattern.p_value(60_000, 100_000.0) < LEVEL
    assert not pattern.alarms(60_000, 100_000.0, LEVEL)
    assert pattern.alarms(40_000, 100_000.0, LEVEL)
    assert pattern.times(40_000, 100_000.0) < 1 / FACTOR
