"""Judge of one stream, a model or one segment of it: a window in, verdicts and alerts out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

import numpy as np

from driftline.consumer.config import ModelConfig
from driftline.consumer.judge.budget_rules import SEQUENTIAL
from driftline.consumer.judge.dispersed import ASSUMED
from driftline.consumer.judge.features.accepted import AcceptedFeatures
from driftline.consumer.judge.features.causes import Causes, at_least, said_elsewhere, without
from driftline.consumer.judge.features.change_state import StreamChanges
from driftline.consumer.judge.features.changes import Change, ChangeWatch, Counts, counts_of
from driftline.consumer.judge.features.missing import missing_of
from driftline.consumer.judge.features.normal import Normal, StreamNormal
from driftline.consumer.judge.features.reach import NOWHERE, Reach
from driftline.consumer.judge.features.records import FeatureWindow, FeatureWriter
from driftline.consumer.judge.features.rules import UNSEEN, RuleBook, Ruling
from driftline.consumer.judge.features.several_records import SeveralWriter
from driftline.consumer.judge.lives.firing_times import FiringTimes
from driftline.consumer.judge.lives.life import (
    Life,
    Lives,
    Reading,
    WindowTimes,
    advance,
    at_most,
    repeat,
)
from driftline.consumer.judge.records import JudgedWindow, RecordWriter, too_few
from driftline.consumer.judge.version_notes import version_note
from driftline.consumer.judge.windows.panes import PaneStore
from driftline.consumer.judge.windows.stream_window import StreamWindow
from driftline.consumer.wire.kinds import DRIFT, Kind
from driftline.consumer.wire.records import Alert, Verdict
from driftline.consumer.wire.subject import Subject
from driftline.detectors import Comparison, compare
from driftline.detectors.dispersion import UNKNOWN
from driftline.detectors.grid import FloatArray, IntArray
from driftline.detectors.reference import Reference


class StreamJudge:
    """Judges the windows of one stream.

    Args:
        records: writes those of the stream.
        config: the model's configuration.
        reference: what the model is compared with.
        rules: when it alarms.
        lives: the model's alert lives, which judging moves on.
        causes: what they say already, and which stream speaks.
        kept: what was kept of the evidence on the stream, None: nothing.
        firings: where to note which alerts fire when; None where nobody looks back at it.
    """

    def __init__(
        self,
        records: RecordWriter,
        config: ModelConfig,
        reference: Reference,
        rules: RuleBook,
        lives: Lives,
        causes: Causes,
        kept: StreamChanges | None = None,
        firings: FiringTimes | None = None,
    ) -> None:
        self._segment, self.name = records.segment, records.stream
        self._config = config
        self._rules = rules
        self._lives, self._causes = lives, causes
        self._many = causes.many(records.segment)
        self._firings = firings
        self._normal = StreamNormal(reference, records.segment, rules.pane)
        self._baseline = self._normal.whole.baseline
        names = [feature.name for feature in reference.layout.features]
        watched = [f for f in np.argsort(names, kind="stable").tolist() if rules.watched[f]]
        self._features = [(f, names[f], Subject.feature(names[f]).drift) for f in watched]
        self._names = {f: (name, drift) for f, name, drift in self._features}
        self.changes = ChangeWatch(
            reference, records.segment, rules.limits, rules.pane, config.window,
            config.min_effect, kept,
        )  # fmt: skip
        self._accepted = AcceptedFeatures(reference.layout, records.accepted, records.axis)
        self.changes.look_from(self._accepted.begins)
        note = version_note(reference, records.segment)
        self._writer = FeatureWriter(records, self._baseline, rules, watched, self.changes, note)
        self._several = SeveralWriter(records, self._baseline, rules)

    def pane(self, start: int, panes: PaneStore) -> list[Alert]:
        """Take in the final pane that starts at `start` (ms); return the alert records it causes.

        A change that evidence shows is told at once, described by what came since it began.
        """
        counts, end = self._counts(panes), start + self._rules.pane
        frozen = np.zeros(len(self._rules.watched), bool)
        speaking = self._causes.speaking()
        for f, name, drift in self._features if speaking is None or speaking else ():
            frozen[f] = (speaking is None or name in speaking) and (
                self._causes.fires(self._segment, name, drift)
                or self._causes.values_fire(self._segment, name)
                or self._causes.is_said(self._segment, name, drift, start)
            )
        alarms = self.changes.add(start, counts(start, end), counts, frozen)
        own = self._causes.changes(self._segment)
        for change in alarms:
            (name, drift), times = self._names[change.f], WindowTimes(change.since, end, start)
            reach, speaker = self._causes.reach(
                self._segment, (name, drift, None), times, panes, self.changes.phi_of(change.f)
            )
            if speaker != self._segment:
                self._causes.hand_change(speaker, name, change, reach)
            elif all(change.f != other.f for other, _ in own):
                own.append((change, reach))
        return self._told(own, end, panes)

    def handed(self, end: int, panes: PaneStore) -> list[Alert]:
        """Return the alerts on changes that segments showed in the pane that ends at `end` (ms).

        They are in all segments alike, so that this stream speaks of them: the whole model.
        """
        return self._told(self._causes.changes(self._segment), end, panes)

    def _told(
        self, changes: Sequence[tuple[Change, Reach]], end: int, panes: PaneStore
    ) -> list[Alert]:
        """Return the alerts on changes that evidence shows at `end` (ms)."""
        if not changes:
            return []
        counts = self._counts(panes)
        new = []
        for change, reach in changes:
            life = self._fire(change, end, counts(change.since, end), panes)
            life.segments = reach.text
            new.append((life, change.since))
            self.changes.fired(change, end, counts)
        also = self._also()
        first = min(since for _, since in new)
        many = self._many.join([life for life, _ in new], also, WindowTimes(first, end, first))
        written = [*([] if many is None else [(many, many.since)]), *new]
        alerts = []
        for life, since in written:
            if life.silent:
                continue
            times, now = WindowTimes(since, end, since), counts(since, end)
            normal = self._normal.of(since, end, panes)
            found = self._compare(now, self.changes.phi(since), normal)
            shown = JudgedWindow(
                times,
                panes.events(since, end, self._segment),
                panes.versions(since, end, self._segment),
            )
            firing = self._firing(found)
            firing += [name for name in also if name not in firing]
            self._note(times, found)
            rulings, sample = self._rules.judge(found, normal.rates), None
            if self._segment is None:
                sample = panes.sample(since, end)
            window = FeatureWindow(shown, found, now, rulings, (), firing, normal, sample)
            alerts.append(self._record(life, window))
        return alerts

    def _fire(self, change: Change, end: int, now: IntArray, panes: PaneStore) -> Life:
        """Let the alert on a change fire; where values came that are not listed, that on these.

        `now`: flat counts since it began.
        """
        f, (name, kind) = change.f, self._names[change.f]
        normal = self._normal.of(change.since, end, panes)
        found = self._compare(now, self.changes.phi(change.since), normal)
        level = 2 if change.effect >= self._config.critical_effect else 1
        reading = Reading(SEQUENTIAL, 1, 1, level, quiet=False)
        # An alert on another rate goes on; the change is then told as a drift.
        if not self._causes.fires(self._segment, name, "data_quality"):
            for ruling in self._rules.judge(found, normal.rates):
                if ruling.levels[f] and ruling.rule.key == UNSEEN:
                    kind, reading = "data_quality", ruling.reading(f)
        key = (self.name, name, kind)
        pending = self._lives.pop(key, None)  # a threshold that was not broken often enough yet
        times = WindowTimes(change.since, end, change.since)
        back, since = self.changes.around(change, end)
        began = panes.begun(back, since, end, self._config.releases)
        life = advance(self._lives, key, [reading], times, began)
        if life is None:
            raise AssertionError("a change that alarms always fires")
        if pending is not None:
            life.history = {**pending.history, **life.history}
        self._causes.join(life)
        return life

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
        counts = self._counts(panes)(times.start, times.end)
        phi, normal = self.changes.phi(times.start), self._normal.of(times.start, times.end, panes)
        found = self._compare(counts, phi, normal)
        if reason is not None:
            verdicts = self._writer.insufficient(shown, reason, found)
            names = self._baseline.layout.position
            due = repeat(
                self._lives.values(),
                self.name,
                times,
                lambda life: (
                    (life.feature in names and not life.silent) or self._many.is_mine(life)
                ),
            )
            now = FeatureWindow(shown, found, counts, (), (), self._firing(found), normal)
            return verdicts, [self._record(life, now, reason) for life in due]
        rulings = self._accepted.rulings(self._rules.judge(found, normal.rates), times.start)

        quiet = partial(self.changes.is_quiet, end=times.end, counts=self._counts(panes))
        written = list(self._live(window, found, rulings, quiet))
        untested = self._accepted.untested(self._rules.untested(found), times.start)
        firing = self._firing(found)
        sample = None if self._segment else panes.sample(times.start, times.end)
        now = FeatureWindow(shown, found, counts, rulings, untested, firing, normal, sample)
        return self._writer.verdicts(now, phi), [
            self._record(
                life,
                now,
                # Nothing follows from the counts of a feature that has no values in the window.
                untested[self._baseline.layout.position[life.feature]]
                if life.firing and life.kind != "data_quality" and life.feature
                else None,
            )
            for life in written
        ]

    def _compare(self, counts: IntArray, phi: FloatArray, normal: Normal) -> Comparison:
        rules, known = self._rules, np.where(phi < UNKNOWN, phi, ASSUMED)
        return compare(normal.baseline, counts, rules.alpha, rules.rate_alpha, rules.named, known)

    def empty(self, start: int, end: int) -> list[Verdict]:
        """Return the verdicts for a stretch without events from `start` to `end` (ms)."""
        window = JudgedWindow(WindowTimes(start, end, start), 0, {})
        nothing = compare(self._baseline, np.zeros_like(self._baseline.counts), np.nan)
        return self._writer.insufficient(window, "no events", nothing)

    def _live(
        self,
        window: StreamWindow,
        found: Comparison,
        rulings: list[Ruling],
        quiet: Callable[[int, int], bool],
    ) -> Iterator[Life]:
        """Move the lives of this stream on by one window; yield those to be written."""
        times, written = window.times, []
        breached, drifted = np.zeros((2, len(self._rules.watched)), bool)
        for ruling in rulings:
            breached |= ruling.levels > 0
            if not ruling.rule.quality:
                drifted |= ruling.levels > 0
        unseen = {r.rule.key for r in rulings if "unseen" in r.rule.detectors}
        outside = {r.rule.key for r in rulings if "out_of_range" in r.rule.detectors}
        causes, segment = self._causes, self._segment
        for f, name, drift in self._features:
            kinds: tuple[tuple[Kind, bool], ...] = (("data_quality", True), (drift, False))
            for kind, quality in kinds:
                key, handed = (self.name, name, kind), causes.levels(segment, name, kind)
                if key not in self._lives and not breached[f] and not handed:
                    continue
                looking = [
                    r for r in rulings
                    if r.rule.quality == quality and r.rule.detectors[f] is not None
                ]  # fmt: skip
                readings = at_least([r.reading(f) for r in looking], handed)
                if not quality and self.changes.watches(f):
                    readings.append(self._still(key, f, quiet))
                if quality and (drifted[f] or causes.firing(segment, name, drift)):
                    # A number that moved goes beyond its range, too: that is one fact.
                    readings = said_elsewhere(readings, outside, self._lives.get(key))
                if self._is_reported(name, drift, quality, times, unseen):
                    readings = without(readings, unseen if quality else None)
                if causes.is_said(segment, name, kind, times.newest):
                    readings = at_most(readings, self._lives.get(key))
                breach = [each.rule for each in readings if each.level]
                reach, speaker = NOWHERE, segment
                if breach and not causes.fires(segment, name, kind):
                    rates = (r.rule.detectors[f] for r in looking if r.rule.key == breach[0])
                    subject = name, kind, next(rates) if quality else None
                    reach, speaker = causes.reach(
                        segment, subject, times, window.panes, self.changes.phi_of(f)
                    )
                    if segment is None and speaker is not None:
                        causes.hand_levels(speaker, name, kind, readings)
                        readings = without(readings)
                life = advance(self._lives, key, readings, times, window.began)
                if life is not None:
                    written.append(life)
                    if life.revision == 1:
                        life.segments = reach.text if speaker == segment else ""
                        causes.join(life)
        self._note(times, found)
        ended = [life for life in written if not life.firing]
        for life in ended:
            del self._lives[life.key]
            if life.kind in DRIFT or life.rule == UNSEEN:
                self._causes.over.add(self._baseline.layout.position[life.feature])
        new = [life for life in written if life.firing and life.revision == 1]
        yield from self._many.follow(ended, times)
        yield from filter(None, [self._many.join(new, self._also(), times)])
        rules = {r.rule.key for r in rulings if "missing" in r.rule.detectors}
        counts = missing_of(self._baseline.layout, window.panes, segment, self._rules.pane)
        missing = [life for life in new if life.rule in rules]
        yield from self._many.together(missing, counts, times)
        yield from (life for life in written if not life.silent)

    def renew(self, over: Iterable[int]) -> None:
        """Begin features anew whose change is over, as an alert of some stream says.

        `over`: their places in the layout.
        """
        for f in sorted(over):
            if not self._causes.fires(self._segment, *self._names[f]):
                self.changes.reset(f)

    def _also(self) -> list[str]:
        """Return the features that evidence says changed, but those of which others speak."""
        changed = set(self.changes.also())
        return [
            name for f, name, drift in self._features
            if f in changed and not self._causes.fires_elsewhere(self._segment, name, drift)
        ]  # fmt: skip

    def _record(self, life: Life, now: FeatureWindow, reason: str | None = None) -> Alert:
        if life.features:
            return self._several.alert(life, now, reason)
        return self._writer.alert(life, now, reason)

    def _counts(self, panes: PaneStore) -> Counts:
        """Return what counts the stream's events; behind those are the cells of estimates."""
        return counts_of(panes, self._segment, self._baseline.layout.size)

    def _still(
        self, key: tuple[str, str, str], f: int, quiet: Callable[[int, int], bool]
    ) -> Reading:
        """Return whether what evidence once showed is over, by the last window or windows."""
        life = self._lives.get(key)
        over = life is None or SEQUENTIAL not in life.history or quiet(f, life.since)
        return Reading(SEQUENTIAL, 1, 1, 0, over, lasting=self.changes.lasting(f))

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
        changed = self._causes.firing(self._segment, name, drift)
        if changed is None:
            return values_fire and not quality
        near = changed.since >= times.start - (times.end - times.start)
        return quality and near and not values_fire

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
