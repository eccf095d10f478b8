"""Judge of one stream, a model or one segment of it: a window in, verdicts and alerts out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from driftline.consumer.config import DetectorName, ModelConfig
from driftline.consumer.judge.dispersed import ASSUMED
from driftline.consumer.judge.features.change_state import StreamChanges
from driftline.consumer.judge.features.changes import SEQUENTIAL, Change, ChangeWatch, Counts
from driftline.consumer.judge.features.records import FeatureWindow, FeatureWriter
from driftline.consumer.judge.features.rules import UNSEEN, RuleBook, Ruling
from driftline.consumer.judge.features.schema import is_gone
from driftline.consumer.judge.lives.firing_times import FiringTimes
from driftline.consumer.judge.lives.life import (
    Life,
    Lives,
    Reading,
    WindowTimes,
    advance,
    join_incident,
    repeat,
)
from driftline.consumer.judge.records import JudgedWindow, RecordWriter, too_few
from driftline.consumer.judge.windows.panes import PaneStore
from driftline.consumer.wire.kinds import DRIFT, Kind
from driftline.consumer.wire.records import Alert, Verdict
from driftline.consumer.wire.subject import Subject
from driftline.detectors import Baseline, Comparison, compare, normal_rates
from driftline.detectors.dispersion import UNKNOWN
from driftline.detectors.grid import FloatArray, IntArray
from driftline.detectors.reference import Reference


@dataclass(frozen=True)
class StreamWindow:
    """A window to be judged.

    Attributes:
        times: when it is.
        panes: where its counts are.
        reason: why it cannot be judged, if that is known already.
        new_version: model version that its newest pane is the first to show.
    """

    times: WindowTimes
    panes: PaneStore
    reason: str | None
    new_version: str | None


class StreamJudge:
    """Judges the windows of one stream.

    Args:
        records: writes those of the stream.
        config: the model's configuration.
        reference: what the model is compared with.
        rules: when it alarms.
        lives: the model's alert lives, which judging moves on.
        kept: what was kept of the evidence on the stream, None: nothing.
        firings: where to note which alerts fire when; None where nobody looks back at it.
        whole: the judge of the whole model, which is asked first; None of that one.
    """

    def __init__(
        self,
        records: RecordWriter,
        config: ModelConfig,
        reference: Reference,
        rules: RuleBook,
        lives: Lives,
        kept: StreamChanges | None = None,
        firings: FiringTimes | None = None,
        whole: StreamJudge | None = None,
    ) -> None:
        self._whole = whole
        self._found: Comparison | None = None  # of the window judged last
        self._segment, self.name = records.segment, records.stream
        self._config = config
        self._rules = rules
        self._lives = lives
        self._firings = firings
        self._baseline = Baseline(
            reference.layout, reference.counts[reference.position[records.segment]]
        )
        self._normal = normal_rates(self._baseline)
        names = [feature.name for feature in reference.layout.features]
        watched = [f for f in np.argsort(names, kind="stable").tolist() if rules.watched[f]]
        self._features = [(f, names[f], Subject.feature(names[f]).drift) for f in watched]
        self.changes = ChangeWatch(
            reference, records.segment, rules.limits, rules.pane, config.window.every,
            config.window.length, config.min_effect, kept,
        )  # fmt: skip
        self._writer = FeatureWriter(
            records, self._baseline, self._normal, rules, watched, self.changes
        )

    def pane(self, start: int, panes: PaneStore) -> list[Alert]:
        """Take in the final pane that starts at `start` (ms); return the alert records it causes.

        A change that evidence shows is told at once, described by what came since it began.
        """
        pane, size = self._rules.pane, self._baseline.layout.size

        def counts(first: int, end: int) -> IntArray:
            return panes.counts(first, end, self._segment)[:size]

        end, frozen = start + pane, np.zeros(len(self._rules.watched), bool)
        for f, name, drift in self._features:
            frozen[f] = self._fires(name, drift) or self._values_fire(name)
        alarms = self.changes.add(start, counts(start, end), counts, frozen)
        return [self._told(change, end, panes, counts) for change in alarms]

    def _told(self, change: Change, end: int, panes: PaneStore, counts: Counts) -> Alert:
        """Let the alert on a change fire; where values came that are not listed, that on these."""
        since, f = change.since, change.f
        times, now = WindowTimes(since, end, since), counts(since, end)
        found = self._compare(now, self.changes.phi(since))
        rulings = self._rules.judge(found, self._normal)
        name, kind = next((name, drift) for place, name, drift in self._features if place == f)
        level = 2 if change.effect >= self._config.critical_effect else 1
        reading = Reading(SEQUENTIAL, 1, 1, level, quiet=False)
        # An alert on another rate goes on; the change is then told as a drift.
        if not self._fires(name, "data_quality"):
            for ruling in rulings:
                if ruling.levels[f] and ruling.rule.key == UNSEEN:
                    kind, reading = "data_quality", ruling.reading(f)
        key = (self.name, name, kind)
        pending = self._lives.pop(key, None)  # a threshold that was not broken often enough yet
        life = advance(self._lives, key, [reading], times, None)
        if life is None:
            raise AssertionError("a change that alarms always fires")
        if pending is not None:
            life.history = {**pending.history, **life.history}
        join_incident(life, self._lives.values(), self._config.window.length)
        self.changes.fired(change, end, counts)
        shown = JudgedWindow(
            times,
            panes.events(since, end, self._segment),
            panes.versions(since, end, self._segment),
        )
        firing, also = self._firing(found), set(self.changes.also())
        firing += [n for place, n, _ in self._features if place in also and n not in firing]
        self._note(times, found)
        sample = None if self._segment else panes.sample(since, end)
        window = FeatureWindow(shown, found, now, rulings, (), firing, sample)
        return self._writer.alert(life, window)

    def judge(self, window: StreamWindow) -> tuple[list[Verdict], list[Alert]]:
        """Return the verdicts of the window, sorted by feature, and the alert records it causes."""
        times, panes = window.times, window.panes
        events = panes.events(times.start, times.end, self._segment)
        shown = JudgedWindow(times, events, panes.versions(times.start, times.end, self._segment))
        reason = window.reason
        if reason is None and events < self._config.window.min_events:
            reason = too_few(events, self._config.window.min_events)
        if reason is None and not self._baseline.events:
            reason = "the reference has no events of this segment"
        if panes.foreign(times.start, times.end):
            return self._writer.insufficient(shown, reason or "", None), []
        size = self._baseline.layout.size  # behind it are the cells of estimates
        counts = panes.counts(times.start, times.end, self._segment)[:size]
        phi = self.changes.phi(times.start)
        found = self._compare(counts, phi)
        if reason is not None:
            verdicts = self._writer.insufficient(shown, reason, found)
            names = self._baseline.layout.position
            due = repeat(self._lives.values(), self.name, times, lambda life: life.feature in names)
            now = FeatureWindow(shown, found, counts, (), (), self._firing(found))
            return verdicts, [self._writer.alert(life, now, reason) for life in due]
        self._found = found
        rulings = self._rules.judge(found, self._normal)
        written = list(self._live(times, found, rulings, window.new_version, counts))
        untested, firing = self._rules.untested(found), self._firing(found)
        sample = None if self._segment else panes.sample(times.start, times.end)
        now = FeatureWindow(shown, found, counts, rulings, untested, firing, sample, phi)
        return self._writer.verdicts(now), [
            self._writer.alert(
                life,
                now,
                # Nothing follows from the counts of a feature that has no values in the window.
                untested[self._baseline.layout.position[life.feature]]
                if life.firing and life.kind != "data_quality"
                else None,
            )
            for life in written
        ]

    def _compare(self, counts: IntArray, phi: FloatArray) -> Comparison:
        rules = self._rules
        known = np.where(phi < UNKNOWN, phi, ASSUMED)
        return compare(self._baseline, counts, rules.alpha, rules.rate_alpha, rules.named, known)

    def empty(self, start: int, end: int) -> list[Verdict]:
        """Return the verdicts for a stretch without events from `start` to `end` (ms)."""
        window = JudgedWindow(WindowTimes(start, end, start), 0, {})
        nothing = compare(self._baseline, np.zeros_like(self._baseline.counts), np.nan)
        return self._writer.insufficient(window, "no events", nothing)

    def _live(
        self,
        times: WindowTimes,
        found: Comparison,
        rulings: list[Ruling],
        new_version: str | None,
        counts: IntArray,
    ) -> Iterator[Life]:
        """Move the lives of this stream on by one window; yield those to be written."""
        written = []
        breached, drifted = np.zeros((2, len(self._rules.watched)), bool)
        for ruling in rulings:
            breached |= ruling.levels > 0
            if not ruling.rule.quality:
                drifted |= ruling.levels > 0
        unseen = {r.rule.key for r in rulings if "unseen" in r.rule.detectors}
        outside = {r.rule.key for r in rulings if "out_of_range" in r.rule.detectors}
        for f, name, drift in self._features:
            kinds: tuple[tuple[Kind, bool], ...] = (("data_quality", True), (drift, False))
            for kind, quality in kinds:
                key = (self.name, name, kind)
                if key not in self._lives and not breached[f]:
                    continue
                readings = [
                    r.reading(f)
                    for r in rulings
                    if r.rule.quality == quality and r.rule.detectors[f] is not None
                ]
                if not quality and self.changes.watches(f):
                    readings.append(self._still(key, f, counts))
                if quality and (drifted[f] or self._fires(name, drift)):
                    # A number that moved goes beyond its range, too: that is one fact.
                    readings = [
                        replace(reading, level=0) if reading.rule in outside else reading
                        for reading in readings
                    ]
                rate = self._rate_of_the_model(f, name, rulings)
                if rate is not None and (quality or rate == "unseen"):
                    readings = [replace(reading, level=0) for reading in readings]
                elif self._is_reported(name, drift, quality, times, unseen):
                    readings = [
                        replace(reading, level=0)
                        if not quality or reading.rule in unseen
                        else reading
                        for reading in readings
                    ]
                life = advance(self._lives, key, readings, times, new_version)
                if life is not None:
                    written.append(life)
                    if life.revision == 1:
                        join_incident(life, self._lives.values(), self._config.window.length)
        self._note(times, found)
        for life in written:
            if not life.firing:
                del self._lives[life.key]
                if life.kind in DRIFT or life.rule == UNSEEN:
                    self.changes.reset(self._baseline.layout.position[life.feature])
        yield from written

    def _still(self, key: tuple[str, str, str], f: int, counts: IntArray) -> Reading:
        """Return whether what evidence once showed is over, by a window as a whole."""
        life = self._lives.get(key)
        fires = life is not None and SEQUENTIAL in life.history
        quiet = not fires or self.changes.is_quiet(f, counts)
        return Reading(SEQUENTIAL, 1, 1, 0, quiet)

    def _values_fire(self, name: str) -> bool:
        """Return whether an alert on the values of a feature speaks of its change already."""
        life = self._lives.get((self.name, name, "data_quality"))
        return life is not None and life.firing and life.rule == UNSEEN

    def is_gone(self, f: int) -> bool:
        """Return whether no event of the window judged last had a feature."""
        return self._found is not None and is_gone(self._found, f)

    def _rate_of_the_model(
        self, f: int, name: str, rulings: Sequence[Ruling]
    ) -> DetectorName | None:
        """Return the rate by which the whole model has an alert on the schema of a feature.

        None where there is no such alert: a segment does not repeat one.
        """
        if self._whole is None:
            return None
        life = self._lives.get((self._whole.name, name, "data_quality"))
        if life is None or not life.firing:
            return None
        rate = next((r.rule.detectors[f] for r in rulings if r.rule.key == life.rule), None)
        schema = rate in ("invalid", "unseen") or (rate == "missing" and self._whole.is_gone(f))
        return rate if schema else None

    def _is_reported(
        self, name: str, drift: Kind, quality: bool, times: WindowTimes, unseen: set[str]
    ) -> bool:
        """Return whether an alert speaks of values that are not listed already.

        Where such values come, the distribution changes too: that is one fact, of which the alert
        that fires first speaks, and in one window that on the values.

        Args:
            name: of the feature.
            drift: the kind of alerts on its distribution.
            quality: whether an alert on the values is asked about, else one on the distribution.
            times: of the window.
            unseen: keys of the rules on values that are not listed.
        """
        values = self._lives.get((self.name, name, "data_quality"))
        values_fire = values is not None and values.firing and values.rule in unseen
        changed = self._lives.get((self.name, name, drift))
        if changed is None or not changed.firing:
            return values_fire and not quality
        near = changed.since >= times.start - (times.end - times.start)
        return quality and near and not values_fire

    def _fires(self, name: str, kind: Kind) -> bool:
        life = self._lives.get((self.name, name, kind))
        return life is not None and life.firing

    def _note(self, times: WindowTimes, found: Comparison) -> None:
        """Note which alerts fire now, or have just been resolved."""
        if self._firings is None:
            return
        position = self._baseline.layout.position
        for life in self._lives.values():
            if life.stream == self.name and life.revision and life.feature in position:
                effect = float(found.effect[position[life.feature]])
                self._firings.note(life, times.end, effect)

    def _firing(self, found: Comparison) -> list[str]:
        """Return the features of this stream that fire now, worst first."""
        effect = found.effect.tolist()
        effects = {name: effect[f] for f, name, _ in self._features}
        firing = {
            life.feature for life in self._lives.values()
            if life.stream == self.name and life.firing and life.feature in effects
        }  # fmt: skip
        return sorted(firing, key=lambda name: (-np.nan_to_num(effects[name], nan=-1.0), name))
