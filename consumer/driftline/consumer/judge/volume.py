"""Whether as many events come as is normal at this time: of a model as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from math import ceil, isnan

import numpy as np

from driftline.consumer.config import ModelConfig, describe_volume_budget
from driftline.consumer.judge.lives.life import (
    DAY,
    Life,
    Lives,
    Reading,
    WindowTimes,
    advance,
    join_incident,
    repeat,
)
from driftline.consumer.judge.records import Cause, JudgedWindow, Judgement, RecordWriter
from driftline.consumer.judge.sentence import Wording, back_to_normal, began_with, unjudged
from driftline.consumer.judge.volume_sentence import amiss_to_the_end, events_changed
from driftline.consumer.judge.volume_state import VolumeState
from driftline.consumer.judge.volume_steps import VolumeSteps
from driftline.consumer.judge.windows.panes import PaneStore
from driftline.consumer.judge.windows.stream_window import StreamWindow
from driftline.consumer.judge.windows.track import Track
from driftline.consumer.wire.codec import pack_integers, unpack_integers
from driftline.consumer.wire.kinds import Kind
from driftline.consumer.wire.records import EVENTS, STATES, Alert, DetectorValue, Verdict, number
from driftline.consumer.wire.subject import Subject
from driftline.detectors.grid import IntArray
from driftline.detectors.reference import Reference
from driftline.detectors.seasons import CYCLES
from driftline.detectors.volume import (
    FACTOR,
    HOUR,
    LEAST_DAYS,
    UNKNOWN,
    Pattern,
    StepEvents,
    cells_of,
    normal_events,
)
from driftline.producer.records.local_times import local_times
from driftline.producer.records.time_zone import Zone, find_zone

_KIND: Kind = "data_quality"
_QUIET = 1.5  # times as many, or as few, of which an alert says no more
_CRITICAL = 0.9  # of the events too few: a tenth, or ten times as many
_LASTING = 14 * DAY  # then it is usual
_SILENT = "the model was silent, of which an alert of its own speaks"
_ANEW = "events are counted anew"


class VolumeJudge:
    """Judges how many events a model's windows have.

    A window of it is one of the model's that ends with a whole hour, or of the last hour where they
    are shorter. Where panes are longer than an hour, it is a whole number of panes.

    Args:
        records: writes those of the whole model.
        config: its configuration.
        reference: what tells how many are normal, if it has times.
        pane: length of a pane, ms.
        level: of the test of a window.
        lives: the model's alert lives, which judging moves on.
        track: its windows and panes.
        kept: what was kept of it.

    Attributes:
        key: of its alert's life.
        judged: whether it judges anything.
    """

    def __init__(
        self,
        records: RecordWriter,
        config: ModelConfig,
        reference: Reference,
        pane: int,
        level: float,
        lives: Lives,
        track: Track,
        kept: VolumeState,
    ) -> None:
        self._records, self._config, self._lives = records, config, lives
        self._level, self._track = level, track
        self.key: tuple[str, str, Kind] = (records.stream, "", _KIND)
        self._counted = VolumeSteps.of(config.window.length, pane)
        self.judged, hours = self._counted.judged, self._counted.hours
        self._hours, self._step, self._steps = hours, hours * HOUR, self._counted.many
        volume, seasons = reference.volume, reference.seasons
        self._hourly = None if volume is None else volume.hourly.joined(hours)
        self._enough = self._counted.days(volume) > 0
        zone = volume.timezone if volume is not None else seasons and seasons.timezone
        self._hour_of_week = partial(_hour_of_week, find_zone(zone or "UTC"))
        if kept.hours != hours:
            kept = VolumeState()
        self._begun, self._until, self._silent = kept.begun, kept.until, kept.silent
        self._open, self._next = kept.open, (kept.until or 0) // self._step
        self._recent, self._own = (
            unpack_integers(packed) if packed else np.empty(0, np.int64)
            for packed in (kept.recent, kept.events)
        )
        self._day: int | None = None
        self._known = 0  # days of the stream that told the pattern
        self._pattern: Pattern | None = None

    def state(self) -> VolumeState:
        """Return what has to be kept."""
        return VolumeState(
            self._hours,
            self._begun,
            self._until,
            self._open,
            pack_integers(self._recent),
            pack_integers(self._own),
            self._silent,
        )

    def silent(self, until: int) -> None:
        """Note that the model is silent, or was until a time (ms): of this another alert speaks."""
        self._silent = max(self._silent or until, -(-until // self._step) * self._step)

    def judge(self, window: StreamWindow) -> tuple[list[Verdict], list[Alert]]:
        """Return the verdict of a window, and the alert records that it causes."""
        end, every, panes = window.times.end, self._config.window.every, window.panes
        if not self.judged:
            return [], []
        new = self._count(end - every, end, panes)
        if end % self._step:
            self._keep(new)
            return [], []
        start = end - self._steps * self._step
        recent = self._recent[-self._steps :]
        events = None if recent.size < self._steps or recent.min() < 0 else int(recent.sum())
        read = max(start, window.times.start), end, None
        seen = panes.events(*read) if events is None else events
        times = WindowTimes(start, end, end - max(self._step, every))
        shown = JudgedWindow(times, seen, panes.versions(*read))
        found = self._look(shown, window.began, known=events is not None)
        self._keep(new)
        return found

    def empty(self, start: int, end: int) -> tuple[list[Verdict], list[Alert]]:
        """Return the same of a range of time without events, from `start` to `end` (ms)."""
        if not self.judged:
            return [], []
        new, step = self._count(start, end, None), self._step
        start, end = -(-start // step) * step, end // step * step
        if start >= end:
            self._keep(new)
            return [], []
        shown = JudgedWindow(WindowTimes(start, end, start), 0, {})
        found = self._look(shown, {}, known=True)
        self._keep(new)
        return found

    def _count(self, start: int, end: int, panes: PaneStore | None) -> list[int]:
        """Count the events until `end` (ms); return those of each step that is over.

        Args:
            start: where counting begins if it has not yet, ms.
            end: ms.
            panes: where they are; None: there are none.
        """
        step, new, at = self._step, list[int](), self._until
        if at is None:  # nothing is known of the time before the first pane
            at = max([start, *([] if panes is None else panes.starts()[:1])])
        most = self._counted.kept * DAY
        if end - at > most:
            at, self._open, self._own = end - most, UNKNOWN, self._own[:0]
            self._begun, self._next = -(-at // step), at // step
        while at < end:
            to = min((at // step + 1) * step, end)
            if self._open != UNKNOWN:
                known = panes is None or not panes.foreign(at, to)
                known = known and not self._track.lost(at, to)
                known = known and (self._silent is None or at >= self._silent)
                more = 0 if panes is None else panes.events(at, to, None)
                self._open = self._open + more if known else UNKNOWN
            if to % step == 0:
                if self._until is None:  # it may have begun before what is read of it
                    self._begun = self._next = to // step
                else:
                    new.append(self._open)
                self._open = 0
                self._until = to
            at = to
        if self._until is not None:
            self._until = max(self._until, end)
        self._recent = np.concatenate([self._recent, np.array(new, np.int64)])[-self._steps :]
        return new

    def _keep(self, new: list[int]) -> None:
        """Keep the events of steps that are over, but for those in which the alert fires."""
        life = self._lives.get(self.key)
        fires = life is not None and life.firing
        kept = np.full(len(new), UNKNOWN) if fires else np.array(new, np.int64)
        self._own = np.concatenate([self._own, kept])[-(self._counted.kept * DAY // self._step) :]
        self._next += len(new)

    def _look(
        self, shown: JudgedWindow, began: Mapping[str, str], *, known: bool
    ) -> tuple[list[Verdict], list[Alert]]:
        """Judge some time; `known`: whether all of its events are."""
        times, events = shown.times, shown.events
        normal, reason = self._normal(times, known=known)
        fires = self._lives.get(self.key)
        anew = fires is not None and fires.since < self._begun * self._step
        if anew or reason is not None or self._pattern is None:
            if fires is not None and (anew or self._lasts(fires, times)):
                ended = self._accept(fires, times, written=False)
                del self._lives[self.key]
                alert = self._alert(ended, shown, None, _ANEW if anew else reason)
                return [self._verdict(shown, None, reason or _ANEW)], [alert]
            due = repeat(self._lives.values(), self.key[0], times, lambda x: x.key == self.key)
            alerts = [self._alert(life, shown, None, reason) for life in due]
            return [self._verdict(shown, None, reason)], alerts
        pattern = self._pattern
        ratio = pattern.times(events, normal)
        level = int(pattern.alarms(events, normal, self._level))
        changed = 1.0 - min(events, normal) / max(events, normal, 1e-9)
        level += int(level and changed >= _CRITICAL)
        figure = DetectorValue.of(
            float(events),
            pattern.p_value(events, normal),
            pattern.limit(normal, self._level, fall=events < normal),
            STATES[level],
            reference=normal,
        )
        verdict = self._verdict(shown, (figure, changed), None)
        reading = Reading(EVENTS, 1, 1, level, 1.0 / _QUIET < ratio < _QUIET)
        life = advance(self._lives, self.key, [reading], times, began)
        fires = self._lives.get(self.key)
        if fires is not None and not fires.quiet and self._lasts(fires, times):
            life = self._accept(fires, times, written=life is not None)
        if life is None:
            return [verdict], []
        if life.revision == 1:
            join_incident(life, self._lives.values(), self._config.window.length)
        if not life.firing:
            del self._lives[self.key]
        return [verdict], [self._alert(life, shown, (figure, changed), None)]

    def _normal(self, times: WindowTimes, *, known: bool) -> tuple[float, str | None]:
        """Return how many events a window normally brings, or why that is not known."""
        first, end = times.start // self._step, times.end // self._step
        if self._silent is not None and times.start < self._silent:
            return np.nan, _SILENT
        steps = DAY // self._step
        day = (first - self._begun) // steps  # of the stream
        if day != self._day:
            self._day = day
            own = self._past()
            before = self._begun + day * steps
            own = own.between(before - self._counted.own * steps, before)
            self._known = int(own.known())
            self._pattern = normal_events(self._hourly, own, self._steps, self._hour_of_week)
        if self._pattern is None:
            return np.nan, self._not_known()
        if not known:
            return np.nan, "not all events of this time are known"
        cells = cells_of(first, end - first, self._hours, self._hour_of_week)
        normal = self._pattern.expected(cells)
        return normal, None if not isnan(normal) else "this hour of the day was never seen before"

    def _past(self) -> StepEvents:
        return StepEvents(self._next - self._own.size, self._own, self._hours)

    def _not_known(self) -> str:
        if self._enough and not self._known:
            return "how many events are normal is known after the first whole day of the stream"
        least = LEAST_DAYS if self._enough else ceil(self._counted.least)
        return (
            f"how many events are normal is not known yet: {self._known} days of the stream were "
            f"seen, {least} are needed"
        )

    @staticmethod
    def _lasts(life: Life, times: WindowTimes) -> bool:
        return life.firing and times.end - life.since >= _LASTING

    def _accept(self, life: Life, times: WindowTimes, *, written: bool) -> Life:
        """End an alert with the window, and forget what was usual before it."""
        self._begun, self._own, self._day = times.end // self._step, self._own[:0], None
        life.firing, life.written, life.quiet_since = False, times.end, times.end
        life.revision += 0 if written else 1
        return life

    def _verdict(
        self, shown: JudgedWindow, found: tuple[DetectorValue, float] | None, reason: str | None
    ) -> Verdict:
        judged = Judgement(
            subject=Subject("model", ""),
            type=EVENTS,
            reason=reason,
            counts=None,
            effect=None if found is None else number(found[1]),
            figures={} if found is None else {EVENTS: found[0]},
        )
        return self._records.verdict(shown, judged)

    def _alert(
        self,
        life: Life,
        shown: JudgedWindow,
        found: tuple[DetectorValue, float] | None,
        reason: str | None,
    ) -> Alert:
        life.described = describe_volume_budget(self._config, FACTOR)
        axis = self._records.axis
        if found is None:
            why, end = reason or "", shown.times.end
            if life.firing:
                wording = unjudged("the number of events", life.since, why, axis)
            else:
                wording = amiss_to_the_end(why, life.since, end, axis)
            return self._records.alert(life, shown, Cause(wording=wording))
        figure, changed = found
        quiet = life.quiet_since
        if not life.firing and quiet is not None and quiet < shown.times.end:
            wording = back_to_normal("the number of events", life.since, quiet, axis)
        else:
            normal = float(figure.reference or 0.0)
            hours = (shown.times.end - shown.times.start) // HOUR
            wording = events_changed(shown.events, normal, hours)
            text = f"{wording.text}, since {axis.moment(life.since)}."
            if not life.firing:
                lasted = axis.length(shown.times.end - life.since)
                text = f"{wording.text}, for {lasted}; from now on that is usual."
            text += began_with(life.began)
            wording = replace(wording, text=text)
        return self._records.alert(
            life,
            shown,
            Cause(
                wording=Wording(wording.text, wording.row),
                detector=(EVENTS, figure),
                effect=number(changed),
                breaches=(int(figure.state != "ok"), 1),
            ),
        )


def _hour_of_week(zone: Zone, times: IntArray) -> IntArray:
    return CYCLES["hour_of_week"].cell_of(local_times(zone, times))
