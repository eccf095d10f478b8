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

# Windows that are remembered, and how many of them it takes to know what is usual.
_REMEMBERED, _ENOUGH = 100, 3
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

    Usual is the median of the last windows in which nothing was wrong. Labels that come a day late
    are compared with the predictions of the day before.

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
        self._history = msgspec.structs.replace(
            history,
            events=list(history.events),
            shares=list(history.shares),
            delays=list(history.delays),
        )

    def look(self, times: WindowTimes, events: int, extra: IntArray) -> Iterator[Alert]:
        """Look at a window; yield the alert that labels are amiss, or its end.

        Args:
            times: of the window.
            events: predictions in it.
            extra: the window's cells behind the outcomes, see `driftline.consumer.join.cells`.
        """
        history = self._history
        history.events = [*history.events, events][-_REMEMBERED:]
        due = self._due()
        if due < max(self._config.window.min_events, 1):
            return
        found = self._judge(due, extra)
        key = (self._model, "", "labels")
        level = 1 if found.said is not None else 0
        reading = Reading("labels", 2, 3, level, quiet=not level)
        life, write = step(
            self._lives.get(key), (self._model, "", "labels"), [reading], times, None
        )
        if not level and life is None:
            history.shares = [*history.shares, found.share][-_REMEMBERED:]
            if found.delay is not None:
                history.delays = [*history.delays, found.delay][-_REMEMBERED:]
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
        return msgspec.structs.replace(
            self._history,
            events=list(self._history.events),
            shares=list(self._history.shares),
            delays=list(self._history.delays),
        )

    def _due(self) -> int:
        """Return the predictions of the window that the labels of the newest one are due for."""
        history, back = self._history, 0
        if history.delays and self._config.labels is not None:
            usual = median(history.delays)
            if self._config.labels.by == "arrival":
                back = round(usual / self._config.window.every)
        return history.events[-1 - min(back, len(history.events) - 1)]

    def _judge(self, due: int, extra: IntArray) -> _Look:
        history, came = self._history, labelled(extra)
        share, half = came / due, delay(extra, 0.5)
        if len(history.shares) < _ENOUGH:
            if not came and int(extra[EXPIRED]) >= self._config.window.min_events:
                return _Look(share, half, "labels do not come: not one within the horizon")
            return _Look(share, half, None)
        usual = median(history.shares)
        if due * usual >= _FEW and share < usual / 2:
            what = "labels stopped" if not came else "labels became few"
            return _Look(
                share, half,
                f"{what}: {came:,} for {due:,} predictions ({percent(share)}), normally "
                f"{percent(usual)}",
            )  # fmt: skip
        late = median(history.delays) if history.delays else None
        if half is None or late is None or came < _FEW:
            return _Look(share, half, None)
        # Delays are known to the bounds of their cells only, a factor of 1.4 apart.
        if half > 2.1 * late and half - late >= self._config.window.every:
            return _Look(
                share, half,
                f"labels slowed down: half of them come within {duration(half)}, normally "
                f"{duration(int(late))}",
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
