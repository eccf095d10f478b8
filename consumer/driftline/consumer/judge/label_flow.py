"""Watches how labels come: whether they stop, and whether they slow down, in event time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

import msgspec

from driftline.consumer.config import ModelConfig
from driftline.consumer.join.cells import EXPIRED, delay, labelled
from driftline.consumer.judge.lives import Life, Reading, WindowTimes, step
from driftline.consumer.judge.metric_lives import Lives
from driftline.consumer.judge.records import Alert
from driftline.consumer.judge.sentence import duration, moment, percent
from driftline.consumer.judge.state import LabelHistory
from driftline.consumer.judge.troubles import whole_model_alert
from driftline.detectors.grid import IntArray
from driftline.detectors.reference import Reference

# Windows whose predictions are remembered, to find those that labels are due for.
_WINDOWS = 1_000
# What is usual is remembered in parts of the horizon: so many make one, so many are kept, and so
# many are needed. By default they are three hours each, and kept for eight days: a whole week is
# left when the newest are not looked at, because a change that is slow would pass for usual.
_PARTS, _KEPT, _ENOUGH = 56, 64, 3
# Labels that must be expected, or have come, before their number or their delay means anything.
_FEW = 30
_RULE = "labels: half as many, or twice as late as usual, for 2 of 3"


@dataclass(frozen=True)
class _Look:
    """What one window says: labels for each prediction that they are due for, and their delay."""

    share: float
    delay: int | None
    said: str | None  # what is wrong


class LabelFlow:
    """Judges the labels of one model, all of them together.

    Labels that come a day late are compared with the predictions of the day before. How they come
    follows the hours and the days of the week, so a window is compared with the worst one within
    the last horizon (a week by default) in which nothing was wrong. Until one has been seen nobody
    knows how late labels may come, and it is only noticed that there are none at all.

    Args:
        model: its name.
        config: its configuration.
        reference: named in the alerts.
        lives: of the model's alerts, which are moved on.
        history: as read from the log.
    """

    def __init__(
        self,
        model: str,
        config: ModelConfig,
        reference: Reference,
        lives: Lives,
        history: LabelHistory,
    ) -> None:
        self._model, self._config, self._reference = model, config, reference
        self._lives = lives
        self._horizon = config.labels.horizon if config.labels is not None else 0
        self._part = max(self._horizon // _PARTS, config.window.every)  # ms
        self._by_arrival = config.labels is not None and config.labels.by == "arrival"
        self._history = _copy(history)

    def look(self, times: WindowTimes, events: int, extra: IntArray) -> Iterator[Alert]:
        """Look at a window; yield the alert that labels are amiss, or its end.

        Args:
            times: of the window.
            events: predictions in it.
            extra: the window's cells behind the outcomes, see `driftline.consumer.join.cells`.
        """
        history = self._history
        history.events = [*history.events, events][-_WINDOWS:]
        if history.since is None:
            history.since = times.end
        due = self._due()
        if due < max(self._config.window.min_events, 1):
            return
        found = self._judge(due, extra, self._usual(times))
        key = (self._model, "", "labels")
        level = 1 if found.said is not None else 0
        reading = Reading("labels", 2, 3, level, quiet=not level)
        life, write = step(
            self._lives.get(key), (self._model, "", "labels"), [reading], times, None
        )
        if not level and life is None:
            self._learn(times, found)
        if life is None:
            self._lives.pop(key, None)
            return
        self._lives[key] = life
        if write:
            yield self._write(life, times, events, found)
        if not life.firing and life.revision:
            del self._lives[key]

    def state(self) -> LabelHistory:
        """Return what is to be remembered."""
        return _copy(self._history)

    def _learn(self, times: WindowTimes, found: _Look) -> None:
        """Remember a window in which nothing was wrong."""
        parts = self._history.parts
        number = times.end // self._part
        fewest, longest = found.share, found.delay or 0
        if parts and parts[-1][0] == number:
            _, share, delay = parts.pop()
            fewest, longest = min(fewest, share), max(longest, delay)
        parts.append((number, fewest, longest))
        self._history.parts = [part for part in parts if part[0] > number - _KEPT]

    def _usual(self, times: WindowTimes) -> list[tuple[float, int]]:
        """Return the fewest labels and the longest delay of the parts to compare a window with."""
        since, parts = self._history.since, self._history.parts
        if since is None or (times.end - since) * _PARTS < self._horizon * _KEPT:
            return []
        slow = 2 * int(median(self._delays() or [0])) + self._config.window.length
        newest = times.end // self._part - min(-(-slow // self._part), _KEPT - _PARTS)
        found = [(fewest, longest) for number, fewest, longest in parts if number < newest]
        return found if len(found) >= _ENOUGH else []

    def _delays(self) -> list[int]:
        """Return the longest usual delays of the parts that had labels."""
        return [delay for _, _, delay in self._history.parts if delay]

    def _due(self) -> int:
        """Return the predictions of the window that the labels of the newest one are due for."""
        history, back, delays = self._history, 0, self._delays()
        if delays and self._by_arrival:
            back = round(median(delays) / self._config.window.every)
        return history.events[-1 - min(back, len(history.events) - 1)]

    def _judge(self, due: int, extra: IntArray, usual: list[tuple[float, int]]) -> _Look:
        """Return what a window says, compared with what is usual."""
        came = labelled(extra)
        share, half = came / due, delay(extra, 0.5)
        if (
            not came
            and not self._delays()
            and int(extra[EXPIRED]) >= self._config.window.min_events
        ):
            return _Look(share, half, "labels do not come: not one within the horizon")
        if not usual:
            return _Look(share, half, None)
        shares, delays = (
            [fewest for fewest, _ in usual],
            [longest for _, longest in usual if longest],
        )
        if due * min(shares) >= _FEW and share < min(shares) / 2:
            what = "labels stopped" if not came else "labels became few"
            return _Look(
                share, half,
                f"{what}: {came:,} for {due:,} predictions ({percent(share)}), normally "
                f"{percent(median(shares))}",
            )  # fmt: skip
        if half is None or not delays or came < _FEW:
            return _Look(share, half, None)
        # Delays are known to the bounds of their cells only, a factor of 1.4 apart.
        if half > 2.1 * max(delays) and half - max(delays) >= self._config.window.every:
            return _Look(
                share, half,
                f"labels slowed down: half of them come within {duration(half)}, normally "
                f"{duration(int(median(delays)))}",
            )  # fmt: skip
        return _Look(share, half, None)

    def _write(self, life: Life, times: WindowTimes, events: int, found: _Look) -> Alert:
        life.described = _RULE
        if life.firing:
            text = f"{found.said or 'labels are amiss'}, since {moment(life.since)}."
        else:
            since = life.quiet_since if life.quiet_since is not None else times.start
            text = (
                f"labels come as usual since {moment(since)}, after "
                f"{duration(max(since - life.since, 0))}."
            )
        return whole_model_alert(
            self._model, self._config, self._reference, life, text, times, events
        )


def _copy(history: LabelHistory) -> LabelHistory:
    return msgspec.structs.replace(history, events=list(history.events), parts=list(history.parts))
