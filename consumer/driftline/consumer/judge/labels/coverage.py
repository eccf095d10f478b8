"""Whether the predictions that no label can come for any more got theirs."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

from driftline.consumer.judge.labels.cohorts import Cohorts, LabelTimes
from driftline.consumer.judge.lives.life import WindowTimes
from driftline.consumer.judge.sentence import percent
from driftline.consumer.judge.state import LabelHistory
from driftline.consumer.wire.axis import duration

# Labels that must be expected, or have come, before their number means anything: that only half
# of them come is chance less than once in a thousand times.
FEW = 30
# WRONG of the last LOOKS must be wrong, as limits on metrics are judged by default: one late
# batch or one odd hour is none.
WRONG, LOOKS = 2, 3
# The median of three is not moved by one that is odd, of 56 not by an odd hour of each day: the
# stretches of about one horizon.
_ENOUGH, _KEPT = 3, 56


@dataclass(frozen=True)
class Seen:
    """What a rule saw: the `problem` of the labels, if any; and whether some came."""

    problem: str | None
    some: bool


class LabelCoverage:
    """Compares the share of predictions that got their label with what is usual.

    It is asked when no label can come any more, so it need not know when labels usually do: in
    batches, not at weekends, late. It knows of a loss after one horizon, and needs no history to
    notice that not one came.

    Args:
        times: lengths.
        least: predictions that a range of time must have.
        cohorts: the predictions.
        history: what is remembered.
    """

    def __init__(
        self, times: LabelTimes, least: int, cohorts: Cohorts, history: LabelHistory
    ) -> None:
        self._times, self._least = times, max(least, 1)
        self._cohorts, self._history = cohorts, history

    def look(self, window: WindowTimes) -> Seen | None:
        """Return the result of the newest range of time that is settled now; None if none is."""
        history, seen = self._history, None
        for predictions, without in self._cohorts.settled(window.end):
            predictions, without = predictions + history.stretch[0], without + history.stretch[1]
            history.stretch = (predictions, without)
            usual = median(history.coverages) if len(history.coverages) >= _ENOUGH else None
            labels = max(predictions - without, 0)
            expected = labels if usual is None else usual * predictions
            if predictions < self._least or (expected < FEW and (labels or usual is not None)):
                continue
            history.stretch = (0, 0)
            seen = self._judge(labels, predictions, usual)
            wrong = window.newest if seen.problem is not None else None
            history.stretches = [*history.stretches, wrong][-LOOKS:]
            if wrong is None:
                history.coverages = [*history.coverages, labels / predictions][-_KEPT:]
        return seen

    def skip(self, until: int) -> None:
        """Judge no predictions made before `until` (ms) that are not settled yet."""
        self._history.judged_from = until
        self._history.stretch = (0, 0)

    def _judge(self, labels: int, predictions: int, usual: float | None) -> Seen:
        within, share = duration(self._times.within), labels / predictions
        if usual is None and not labels:
            text = f"do not come: not one within {within} for {predictions:,} predictions"
            return Seen(text, some=False)
        if usual is not None and share < usual / 2:
            return Seen(
                f"do not come: {labels:,} within {within} for {predictions:,} predictions "
                f"({percent(share)}), normally {percent(usual)}",
                some=labels > 0,
            )
        return Seen(None, some=labels > 0)
