"""Events of whole hours: how many are normal, and how rare a number of them would be.

What is normal is the mean of the hours that are alike: of the same hour of the day, or of the week
where three weeks are known. How far windows lie from it is measured, each from the mean of the
other days: real streams vary far more than independent events would. So the law of a number of
events is the negative binomial one, a Poisson law whose mean varies; its variance is
mean + variation x mean squared. A rise is tested by the same law turned around (how rare would so
few as are normal be, were that number normal), since bursts have a longer tail.

The expected number of false alarms is the sum of the levels of the tests, however much windows
resemble each other; that they do is a reason to measure the variation by windows as a whole.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import numpy as np

from driftline.detectors import special
from driftline.detectors.grid import FloatArray, IntArray

HOUR = 3_600_000
"""ms."""

DAY, WEEK = 24, 168
"""Hours."""

STEPS = (1, 2, 3, 4, 6, 8, 12, 24)
"""Hours of the steps in which events may be counted."""

LEAST_DAYS = 7
"""Days that must be known before it is known what is normal."""

LEAST_WEEKS = 3
"""Weeks that must be known before hours of the week are told apart."""

MOST_DAYS = 56
"""Days of a reference that are kept, the last ones."""

FACTOR = 2.0
"""Less than 1 / FACTOR of what is normal may alarm, or more than FACTOR times as many."""

UNKNOWN = -1
"""Stands for the events of a step that is not known as a whole."""

HourOfWeek = Callable[[IntArray], IntArray]
"""Returns the hour of the week, 0 to 167, of times (ms since 1970)."""

_LEAST_VARIATION = 0.0025  # 5 % of the mean: nothing is as even as independent events
_MOST_VARIATION = 100.0  # ten times the mean: no number of events is rare then
_MOST_EVENTS = 2**53  # of a window: never reached, and exact as a float
_CERTAINTY = 2.0  # standard errors that are added to a variation
_ADDED = 0.05  # of a mean window
_OUT = 0.01  # of the windows, on either side, that do not tell how far windows normally lie


@dataclass(frozen=True, eq=False)
class StepEvents:
    """Events of steps in a row.

    Attributes:
        first: number of the first step since 1970, UTC.
        events: of each step, shape (H,); `UNKNOWN` where it is not known.
        hours: length of a step, of `STEPS`.
    """

    first: int
    events: IntArray
    hours: int = 1

    def between(self, first: int, end: int) -> StepEvents:
        """Return those from the step `first` on, before the step `end`."""
        low, high = max(first - self.first, 0), max(end - self.first, 0)
        return StepEvents(max(first, self.first), self.events[low:high], self.hours)

    def joined(self, hours: int) -> StepEvents:
        """Return the events of longer steps, those that are known as a whole.

        Example:
            >>> found = StepEvents(5, np.arange(9)).joined(3)
            >>> found.first, found.events
            (2, array([ 6, 15]))
        """
        many = hours // self.hours
        skipped = -self.first % many
        whole = max(self.events.size - skipped, 0) // many
        parts = self.events[skipped : skipped + whole * many].reshape(whole, many)
        sums = np.where((parts < 0).any(axis=1), UNKNOWN, parts.sum(axis=1))
        return StepEvents((self.first + skipped) // many, sums, hours)

    def known(self) -> float:
        """Return of how many days the events are known."""
        return int((self.events >= 0).sum()) * self.hours / DAY

    def cells(self, hour_of_week: HourOfWeek) -> IntArray:
        """Return the cell of the week that each step is of, shape (H,)."""
        return cells_of(self.first, self.events.size, self.hours, hour_of_week)


@dataclass(frozen=True, eq=False)
class Volume:
    """How many events came when a reference was built.

    Attributes:
        timezone: whose clocks tell the hour: an IANA name, or an offset such as `+02:00`.
        hourly: events of the whole model in each hour, of the last weeks.

    Example:
        >>> document = Volume("UTC", StepEvents(7, np.array([3, 0, 4]))).to_json()
        >>> again = Volume.from_json(document)
        >>> again.timezone, again.hourly.first, again.hourly.events.tolist()
        ('UTC', 7, [3, 0, 4])
    """

    timezone: str
    hourly: StepEvents

    def to_json(self) -> dict[str, Any]:
        """Return it as a reference's file has it."""
        hourly = self.hourly
        return {
            "timezone": self.timezone,
            "first": hourly.first,
            "events": hourly.events.tolist(),
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote.

        Raises:
            KeyError, TypeError, ValueError: it is not of this form.
        """
        events = np.array(document["events"], np.int64)
        return cls(document["timezone"], StepEvents(int(document["first"]), events))


def cells_of(first: int, steps: int, hours: int, hour_of_week: HourOfWeek) -> IntArray:
    """Return the cells of the week that some steps are of: of its middle, each.

    Args:
        first: number of the first of them since 1970.
        steps: how many.
        hours: length of each.
        hour_of_week: of the stream's time zone.
    """
    times = (first + np.arange(steps)) * (hours * HOUR) + hours * HOUR // 2
    cells: IntArray = hour_of_week(times) // hours
    return cells


@dataclass(frozen=True)
class Spread:
    """How far windows lie from what is normal, of which each is a multiple.

    Attributes:
        variation: square of their distance, beyond what independent events have.
        least, most: of 98 % of them.
    """

    variation: float
    least: float
    most: float

    def beside(self, other: Spread) -> Spread:
        """Return the wider of both."""
        return Spread(
            max(self.variation, other.variation),
            min(self.least, other.least),
            max(self.most, other.most),
        )


@dataclass(frozen=True, eq=False)
class Pattern:
    """What is normal.

    Attributes:
        means: events of a step, by cell of the day or the week; NaN where none is known.
        spread: of windows.
        steps: in a window.
    """

    means: FloatArray
    spread: Spread
    steps: int

    @cached_property
    def added(self) -> float:
        """Events that are added to a window and to what is normal, so that quiet hours are calm."""
        return _ADDED * float(np.nanmean(self.means)) * self.steps

    def expected(self, cells: IntArray) -> float:
        """Return the events that a window normally brings; NaN where that is not known.

        Args:
            cells: of the week, see `cells_of`.
        """
        return float(self.means[cells % self.means.size].sum())

    def p_value(self, events: int, normal: float) -> float:
        """Return how rare a number so far from what is normal is, on either side."""
        return p_value(events + self.added, normal + self.added, self.spread.variation)

    def alarms(self, events: int, normal: float, alpha: float) -> bool:
        """Return whether a window is out of what is normal, at the level `alpha` of its test."""
        times = self.times(events, normal)
        far = times < min(1.0 / FACTOR, self.spread.least) or times > max(FACTOR, self.spread.most)
        return far and self.p_value(events, normal) <= alpha

    def times(self, events: int, normal: float) -> float:
        """Return how many times as many events there are as are normal."""
        return (events + self.added) / (normal + self.added)

    def limit(self, normal: float, alpha: float, *, fall: bool) -> float:
        """Return the number of events at which a window alarms.

        Args:
            normal: events that it normally brings.
            alpha: level of its test.
            fall: the largest number that is too small, NaN where even none is not; else the
                smallest one that is too large, NaN where no number that could come is.
        """
        if fall:
            low, high = -1, int(normal)  # the first alarms, or none does; the last does not
        else:
            low, high = int(normal), 2 * int(normal) + 1
            while not self.alarms(high, normal, alpha):
                if high > _MOST_EVENTS:
                    return np.nan
                low, high = high, 2 * high
        while high - low > 1:
            middle = (low + high) // 2
            if self.alarms(middle, normal, alpha) == fall:
                low = middle
            else:
                high = middle
        if fall:
            return float(low) if low >= 0 else np.nan
        return float(high)


def pattern_of(
    past: StepEvents, hour_of_week: HourOfWeek, cycle: int, steps: int
) -> Pattern | None:
    """Return the pattern of past events; None where they are too few.

    Args:
        past: the events.
        hour_of_week: of the stream's time zone.
        cycle: `DAY` or `WEEK`: after which steps are alike.
        steps: in a window.

    Example:
        >>> past = StepEvents(0, 100 + 10 * (np.arange(14 * DAY) % 24))
        >>> found = pattern_of(past, lambda times: times // HOUR % WEEK, DAY, 1)
        >>> found.expected(np.array([0, 1])), found.spread
        (210.0, Spread(variation=0.0025, least=1.0, most=1.0))
    """
    days, blocks = past.known(), past.known() / max(1.0, steps * past.hours / DAY)
    if blocks < LEAST_DAYS or days < (LEAST_WEEKS * 7 if cycle == WEEK else LEAST_DAYS):
        return None
    size = cycle // past.hours
    known, alike = past.events >= 0, past.cells(hour_of_week) % size
    events = np.where(known, past.events, 0).astype(np.float64)
    number = np.bincount(alike[known], minlength=size).astype(np.float64)
    total = np.bincount(alike, events, size)
    if not total.any():
        return None
    with np.errstate(invalid="ignore", divide="ignore"):
        means = np.where(number > 0, total / number, np.nan)
        others = (total[alike] - events) / (number[alike] - 1.0)
    others[~known | (number[alike] < 2)] = np.nan
    spread = spread_of(events, others, steps, _ADDED * float(np.nanmean(means)) * steps)
    if spread is None:
        return None
    wide = spread.variation * (1.0 + _CERTAINTY * np.sqrt(2.0 / blocks))
    return Pattern(means, replace(spread, variation=_bounded(wide)), steps)


def normal_events(
    reference: StepEvents | None, own: StepEvents, steps: int, hour_of_week: HourOfWeek
) -> Pattern | None:
    """Return what is normal for the windows of a stream; None while that is not known.

    The reference tells it from the second day of a stream on where it was built of events that came
    as often, which the first day shows: between half and twice as many. Where not, it may be a part
    of the events, or of another time, and the stream's first week is waited for. In any case its
    level is the stream's own. Of all patterns that are known, the one counts that windows keep to
    best: of reference or stream, by hour of the day or of the week.

    Args:
        reference: events of the reference, in the steps of the stream; None where it has no times.
        own: events of the stream so far.
        steps: in a window.
        hour_of_week: of the stream's time zone.
    """
    if own.known() < 1.0:
        return None
    found = []
    for cycle in (DAY, WEEK):
        found.append(pattern_of(own, hour_of_week, cycle, steps))
        if reference is not None:
            pattern = pattern_of(reference, hour_of_week, cycle, steps)
            found.append(None if pattern is None else _at_level(pattern, own, hour_of_week))
    known = [pattern for pattern in found if pattern is not None]
    return min(known, key=lambda pattern: pattern.spread.variation, default=None)


def _at_level(pattern: Pattern, own: StepEvents, hour_of_week: HourOfWeek) -> Pattern | None:
    """Return the pattern of a reference at a stream's own level; None where it may not be used."""
    means = pattern.means[own.cells(hour_of_week) % pattern.means.size]
    normal = np.where(own.events >= 0, means, np.nan)
    known = ~np.isnan(normal)
    whole, days = float(normal[known].sum()), int(known.sum()) * own.hours / DAY
    if whole <= 0 or days < 1.0:
        return None
    ratio = float(own.events[known].sum()) / whole
    if ratio <= 0 or (days < LEAST_DAYS and not 1.0 / FACTOR <= ratio <= FACTOR):
        return None
    spread, added = pattern.spread, ratio * pattern.added
    seen = spread_of(own.events.astype(np.float64), ratio * normal, pattern.steps, added)
    if seen is not None:
        spread = spread.beside(seen)
    # The level is known from some days only, and is as uncertain as they vary.
    uncertain = replace(spread, variation=_bounded(spread.variation * (1.0 + 1.0 / days)))
    return Pattern(ratio * pattern.means, uncertain, pattern.steps)


def spread_of(events: FloatArray, normal: FloatArray, steps: int, added: float) -> Spread | None:
    """Return how far windows lie from what is normal; None where there is none.

    The variation of the busier half and of the quieter one are measured apart, and the larger
    counts. Of each the windows that lie farthest off are left out, as many as one step is in: an
    hour in which what was missed came at once would hide that nothing comes.

    Args:
        events: of steps in a row, shape (H,).
        normal: what they would normally bring; NaN where that is not known.
        steps: in a window.
        added: to events and what is normal, above 0.
    """
    there = ~np.isnan(normal)
    if there.size < steps:
        return None
    whole = _sums(there.astype(np.float64), steps) > steps - 0.5
    seen = _sums(np.where(there, events, 0.0), steps)[whole]
    mean = _sums(np.where(there, normal, 0.0), steps)[whole]
    if not mean.size:
        return None
    order, variation = np.argsort(mean, kind="stable"), 0.0
    for half in (order[: mean.size // 2], order[mean.size // 2 :]):
        beyond = (seen[half] - mean[half]) ** 2 - mean[half]
        half = half[np.argsort(beyond, kind="stable")[: max(half.size - steps, 0)]]
        beyond = (seen[half] - mean[half]) ** 2 - mean[half]
        square = float(((mean[half] + added) ** 2).sum())
        variation = max(variation, float(beyond.sum()) / square if square else 0.0)
    times = np.sort((seen + added) / (mean + added))
    out = int(_OUT * times.size)
    return Spread(variation, float(times[out]), float(times[-1 - out]))


def _bounded(variation: float) -> float:
    return min(max(variation, _LEAST_VARIATION), _MOST_VARIATION)


def _sums(values: FloatArray, steps: int) -> FloatArray:
    total = np.concatenate([[0.0], np.cumsum(values)])
    sums: FloatArray = total[steps:] - total[:-steps]
    return sums


def p_value(events: float, mean: float, variation: float) -> float:
    """Return how rare a number so far from the mean is, on either side.

    Example:
        >>> [f"{p_value(events, 1000, .01):.1g}" for events in (900, 500, 1500, 2000)]
        ['0.3', '6e-09', '0.0003', '2e-09']
    """
    low, high = min(events, mean), max(events, mean)
    shape = 1.0 / variation
    tail = float(special.betainc(shape, np.floor(low) + 1.0, shape / (shape + high)))
    return min(1.0, 2.0 * tail)
