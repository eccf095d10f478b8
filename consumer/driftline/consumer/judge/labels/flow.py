"""Watches how labels come: whether they stop, and whether they slow down, in event time."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace

from driftline.consumer.config import ModelConfig
from driftline.consumer.judge.labels.cohorts import Cohorts, Counted, LabelTimes
from driftline.consumer.judge.labels.coverage import WRONG, LabelCoverage
from driftline.consumer.judge.labels.pace import LabelPace
from driftline.consumer.judge.lives.life import Life, Lives, Reading, WindowTimes, repeat, step
from driftline.consumer.judge.records import Cause, JudgedWindow, RecordWriter
from driftline.consumer.judge.sentence import Wording
from driftline.consumer.judge.state import LabelHistory
from driftline.consumer.wire.axis import duration, moment
from driftline.consumer.wire.kinds import Kind
from driftline.consumer.wire.records import Alert

_PACE, _COVERAGE = "labels: pace", "labels: coverage"
_RULE = "labels: half as many, or twice as late as usual, 2 of 3 times"
# Spans after which what was wrong is taken as usual if labels still come: time enough to mend it.
_LASTING = 2


class LabelFlow:
    """Judges the labels of one model, all of them together, by two rules.

    `LabelCoverage` asks once no label can come any more, `LabelPace` in every window. They share
    one alert. What one rule has reported the other does not report again: predictions whose labels
    fail while an alert of the pace lasts are not judged when they are settled.

    Args:
        records: writes those of the whole model.
        config: its configuration.
        lives: of the model's alerts, which are moved on.
        history: as read from the log; one that was counted by other lengths is not used.
    """

    def __init__(
        self, records: RecordWriter, config: ModelConfig, lives: Lives, history: LabelHistory
    ) -> None:
        self._records, self._model = records, records.model
        self._key: tuple[str, str, Kind] = (records.model, "", "labels")
        self._lives = lives
        times = LabelTimes.of(config)
        self._span = times.span
        lengths = [times.every, times.within, times.lag, times.cohort, times.span, times.part]
        if history.lengths != lengths:
            history = LabelHistory(lengths=lengths)
        self._history = deepcopy(history)
        self._cohorts = Cohorts(times, self._history)
        self._coverage = LabelCoverage(
            times, config.window.min_events, self._cohorts, self._history
        )
        self._pace = LabelPace(times, self._cohorts, self._history)

    def look(self, times: WindowTimes, window: Counted, pane: Counted) -> Iterator[Alert]:
        """Look at a window; yield the alert that labels stopped or slowed down, or its end.

        Args:
            times: of the window.
            window: what was counted in it.
            pane: what was counted in its newest pane.
        """
        history, life = self._history, self._lives.get(self._key)
        self._cohorts.count(times, window.predictions, pane)
        pace = self._pace.look(times, window, calm=life is None)
        coverage = self._coverage.look(times)
        looks = [look for look in (pace, coverage) if look is not None]
        if not looks:
            yield from self._again(times, window.predictions)
            return
        readings: list[Reading] = []
        since = times.newest
        for rule, last in ((_COVERAGE, history.stretches), (_PACE, history.windows)):
            wrong = [start for start in last if start is not None]
            level = 1 if len(wrong) >= WRONG else 0
            since = min(since, *wrong) if level else since
            quiet = not level and not (last and last[-1] is not None)
            readings.insert(0, Reading(rule, 1, 1, level, quiet))
        begun = times if life is not None else replace(times, newest=since)
        life, write = step(life, self._key, readings, begun, {})
        if life is None:
            self._lives.pop(self._key, None)
            return
        self._lives[self._key] = life
        if life.rule == _PACE:
            self._coverage.skip(times.end)
            history.stretches = []
        lasting = life.firing and times.end - life.since >= _LASTING * self._span
        if lasting and any(look.problem and look.some for look in looks):
            self._accept(life, times, write)
            write = True
        if write:
            problem = next((look.problem for look in looks if look.problem is not None), None)
            yield self._write(life, times, window.predictions, problem)
        if not life.firing:
            del self._lives[self._key]

    def miss(self, times: WindowTimes, predictions: int) -> Iterator[Alert]:
        """Pass over a window whose counts are not whole, and all that they would tell later."""
        self._coverage.skip(times.end)
        yield from self._again(times, predictions)

    def state(self) -> LabelHistory:
        """Return what is to be remembered."""
        return deepcopy(self._history)

    def _again(self, times: WindowTimes, predictions: int) -> Iterator[Alert]:
        """Yield the alert if it is to be written again though the window shows nothing."""
        for life in repeat(self._lives.values(), self._model, times, lambda x: x.kind == "labels"):
            yield self._write(life, times, predictions, None)

    def _accept(self, life: Life, times: WindowTimes, write: bool) -> None:
        """End an alert that lasts, and forget what was usual before it."""
        history = self._history
        history.coverages, history.parts, history.usual = [], [], None
        history.stretches, history.windows = [], []
        life.firing, life.written, life.quiet_since = False, times.end, times.start
        life.revision += 0 if write else 1

    def _write(self, life: Life, times: WindowTimes, events: int, problem: str | None) -> Alert:
        life.described = _RULE
        since = life.quiet_since if life.quiet_since is not None else times.start
        lasted = duration(max(since - life.since, 0))
        row = problem or "are amiss"
        if life.firing:
            text = f"labels {row}, since {moment(life.since)}."
        elif problem is not None:
            text = f"labels {row}, for {lasted}; from now on that is usual."
        else:
            text = f"labels come as usual since {moment(since)}, after {lasted}."
        window = JudgedWindow(times, events, {})
        return self._records.alert(life, window, Cause(wording=Wording(text, row)))
