"""Predictions by when they were made: those that labels are due for, those that have none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from driftline.consumer.config import ModelConfig
from driftline.consumer.join.cells import EXPIRED, labelled
from driftline.consumer.judge.lives.life import DAY, WindowTimes
from driftline.consumer.judge.state import LabelHistory
from driftline.detectors.grid import IntArray

# The parts of a horizon, and of the time in which labels have their rhythm: enough to separate the
# hours of a day (three hours each, of a week), few enough to be kept.
_PARTS = 56
_WEEK = 7 * DAY


@dataclass(frozen=True)
class Counted:
    """Counts of a range of event time.

    Attributes:
        predictions: made in it.
        extra: its cells behind the outcomes, see `driftline.consumer.join.cells`.
    """

    predictions: int
    extra: IntArray


@dataclass(frozen=True)
class LabelTimes:
    """The lengths of time by which labels are watched, in ms.

    Attributes:
        every: length of a pane.
        within: labels that come later do not count.
        lag: how long after a prediction the pane is in which it counts as without label.
        cohort: predictions are remembered together that were made within so long.
        span: holds every rhythm in which labels may come: whole weeks, because people label;
            at least the horizon, because nothing is known of labels within it; and three panes.
        part: of the span, in which windows are remembered together.
    """

    every: int
    within: int
    lag: int
    cohort: int
    span: int
    part: int

    @classmethod
    def of(cls, config: ModelConfig) -> LabelTimes:
        """Return those of a model, which need not have labels."""
        labels, every = config.labels, config.window.every
        horizon = labels.horizon if labels is not None else 0
        weeks = -(-max(horizon, 3 * every) // _WEEK)
        span, within, lag, cohort = weeks * _WEEK, horizon, horizon, horizon // _PARTS
        if labels is not None and labels.by == "prediction":
            within, lag = labels.maturity, 0
            if labels.maturity < horizon:
                # Labels still come, so how many have follows their rhythm: it must be evened out.
                cohort = span
        elif horizon % every:
            # Predictions of one pane expire in two. How many in each is guessed, and guessed alike
            # at the same hour of two days: at both ends of a cohort of a day.
            cohort = max(cohort, DAY)
        whole = [max(length // every, 1) * every for length in (cohort, span // _PARTS)]
        return cls(every, within, lag, whole[0], span, whole[1])


class Cohorts:
    """The predictions of one model that wait for their labels, in the order of time.

    By arrival, a prediction without label counts in the pane in which it expires, one horizon
    after it was made; by prediction, in the pane in which it was made.

    Args:
        times: lengths.
        history: where they are remembered.
    """

    def __init__(self, times: LabelTimes, history: LabelHistory) -> None:
        self._times, self._history = times, history

    def count(self, window: WindowTimes, predictions: int, pane: Counted) -> None:
        """Count the newest pane of a window.

        Args:
            window: when.
            predictions: made in the window.
            pane: the newest pane.
        """
        history, size = self._history, self._times.cohort
        number, fewest = window.newest // size, predictions
        if history.looked is None:
            history.judged_from = window.newest
        elif history.looked < window.newest:  # windows in which nothing happened are not looked at
            fewest = 0
            if history.cohorts:
                history.cohorts[-1] = (*history.cohorts[-1][:3], 0)
        if not history.cohorts or history.cohorts[-1][0] != number:
            history.cohorts.append((number, 0, 0, fewest))
        if self._times.lag:
            self._add(number, pane.predictions, 0, fewest)
            self._expire(window.newest - self._times.lag, int(pane.extra[EXPIRED]))
        else:
            without = max(pane.predictions - labelled(pane.extra), 0)
            self._add(number, pane.predictions, without, fewest)
        history.looked = window.end

    def fewest(self, first: int, last: int) -> int:
        """Return the fewest predictions in a window that ends in a pane from `first` to `last`."""
        size = self._times.cohort
        found = {number: fewest for number, _, _, fewest in self._history.cohorts}
        return min(found.get(number, 0) for number in range(first // size, last // size + 1))

    def settled(self, until: int) -> Iterator[tuple[int, int]]:
        """Yield and forget cohorts of which all is known at `until` (ms).

        Yields the predictions and those without label; not of cohorts that are not to be judged.
        """
        history, size = self._history, self._times.cohort
        cohorts = history.cohorts
        while cohorts and (cohorts[0][0] + 1) * size + self._times.lag <= until:
            number, predictions, without, _ = cohorts.pop(0)
            if number * size >= history.judged_from:
                yield predictions, without

    def _expire(self, made: int, expired: int) -> None:
        """Count predictions without label, made within a pane's length from `made` (ms) on."""
        size, every = self._times.cohort, self._times.every
        first = made // size
        # Where the horizon is no whole number of panes, those of two cohorts expire in one pane.
        over = expired * max(made + every - (first + 1) * size, 0) // every
        self._add(first, 0, expired - over)
        self._add(first + 1, 0, over)

    def _add(self, number: int, predictions: int, without: int, fewest: int | None = None) -> None:
        for place, (found, a, b, least) in enumerate(self._history.cohorts):
            if found == number:
                least = least if fewest is None else min(least, fewest)
                self._history.cohorts[place] = (found, a + predictions, b + without, least)
