"""Whether labels come as many and as soon as they did in the worst window of the last weeks."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

from driftline.consumer.join.cells import delay, labelled
from driftline.consumer.judge.labels.cohorts import Cohorts, Counted, LabelTimes
from driftline.consumer.judge.labels.coverage import FEW, LOOKS, Seen
from driftline.consumer.judge.lives.life import WindowTimes
from driftline.consumer.judge.state import LabelHistory
from driftline.consumer.wire.axis import duration

# The newest seventh of the span (a day) is not what is usual: a stop that comes slowly would pass
# for it.
_NEWEST = 7
# The delay of a window is the one within which this share of its labels came. This share comes in
# time to be counted, and half of it would be too few: between the two there is room for chance.
_MOST = 0.75
# Delays are known to the bounds of their cells only, a factor of the root of two apart: three cells
# (2.8), no longer two (2, and what rounding adds), are twice as late for certain.
_TWICE = 2.1


@dataclass(frozen=True)
class _Window(Seen):
    """One window: labels for each prediction that they are due for, and their delay."""

    share: float
    delay: int
    able: bool  # whether it could have shown that something is wrong


class LabelPace:
    """Compares the labels that came in a window with the worst window of the last weeks.

    How labels come follows the hours and the days of the week. So it needs a whole span of history
    (a week), and judges only where the same time one span before has been seen. It shows at once
    what `LabelCoverage` shows after one horizon, and alone shows that labels slow down; but not
    labels that come in batches, where the worst window has none.

    Args:
        times: lengths.
        cohorts: the predictions.
        history: what is remembered.
    """

    def __init__(self, times: LabelTimes, cohorts: Cohorts, history: LabelHistory) -> None:
        self._times, self._cohorts, self._history = times, cohorts, history

    def look(self, window: WindowTimes, counted: Counted, calm: bool) -> Seen | None:
        """Return the result of a window, None without one; remember it.

        Args:
            window: when.
            counted: in it.
            calm: whether no alert lasts. While one does nothing is learned, and what was usual
                before stays so; one span later that time has not been seen, so that a rhythm which
                is new is reported once.
        """
        history = self._history
        if calm:
            history.usual = self._usual(window)
        due = self._due(window, counted.predictions)
        if due < FEW or not (labelled(counted.extra) or self._delays()):
            return None
        seen = self._judge(window, counted, due)
        if calm and seen.problem is None:
            self._learn(window, seen)
        if not seen.able:
            return None
        wrong = window.newest if seen.problem is not None else None
        history.windows = [*history.windows, wrong][-LOOKS:]
        return seen

    def _due(self, window: WindowTimes, predictions: int) -> int:
        """Return the predictions that the labels of a window are due for.

        Delays scatter. By arrival they are the fewest of any window within the time in which most
        labels come: so none are missed while predictions pause, nor until most of those made since
        could have theirs.
        """
        delays = self._delays()
        if not self._times.lag or not delays:
            return predictions
        back = min(int(median(delays)), self._times.lag)
        return self._cohorts.fewest(window.newest - back, window.newest)

    def _delays(self) -> list[int]:
        """Return the longest usual delays of the parts that had labels."""
        return [longest for _, _, longest in self._history.parts if longest]

    def _usual(self, window: WindowTimes) -> tuple[float, int] | None:
        """Return the fewest labels, and the longest delay, of the span before the newest."""
        times = self._times
        newest = times.span // _NEWEST
        first, same, last = (
            (window.newest - back) // times.part
            for back in (times.span + newest, times.span, newest)
        )
        parts = self._history.parts = [part for part in self._history.parts if first <= part[0]]
        if not any(number == same for number, _, _ in parts):
            return None
        usual = [part for part in parts if part[0] < last]
        return min(fewest for _, fewest, _ in usual), max(longest for _, _, longest in usual)

    def _learn(self, window: WindowTimes, seen: _Window) -> None:
        parts, number = self._history.parts, window.newest // self._times.part
        fewest, longest = seen.share, seen.delay
        if not parts:
            self._history.begun = window.newest
        if parts and parts[-1][0] == number:
            _, share, late = parts.pop()
            fewest, longest = min(fewest, share), max(longest, late)
        self._history.parts = [*parts, (number, fewest, longest)]

    def _judge(self, window: WindowTimes, counted: Counted, due: int) -> _Window:
        """Return the result of a window, compared with what is usual."""
        came, most = labelled(counted.extra), delay(counted.extra, _MOST) or 0
        fewest, longest = self._history.usual or (0.0, 0)
        problem, many, late = None, fewest * due >= FEW, longest > 0 and came >= FEW
        # Until a horizon has passed, labels of predictions made before the beginning are missing:
        # what is learned of delays is too short.
        late = late and window.newest >= self._history.begun + self._times.span + self._times.lag
        if many and came < fewest * due / 2:
            what = "stopped" if not came else "became few"
            problem = (
                f"{what}: {came:,} for {due:,} predictions, normally at least {int(fewest * due):,}"
            )
        # What is not later by a whole pane shows in no window.
        elif late and most > _TWICE * longest and most - longest >= self._times.every:
            problem = (
                f"slowed down: most of them come within {duration(most)}, normally "
                f"{duration(longest)}"
            )
        return _Window(problem, came > 0, came / due, most, many or late)
