"""Whether features still belong together: of a model as a whole, by pairs and by extremes.

Evidence is added up pane by pane, against what is normal at the margins of each pane: a shift of
one feature is no change of its pairs. All that changed is in one alert. Where an alert on a feature
fires, its pairs say nothing of their own: what is low and high of it has moved.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import msgspec
import numpy as np
from numpy.typing import NDArray

from driftline.consumer.config import ModelConfig, describe_budget
from driftline.consumer.judge.budget_rules import SEQUENTIAL
from driftline.consumer.judge.features.changes import Change, ChangeWatch, Counts
from driftline.consumer.judge.joint.records import JointFigures, worst
from driftline.consumer.judge.joint.sentence import extremes_changed, pair_changed
from driftline.consumer.judge.joint.state import JointState
from driftline.consumer.judge.lives.life import (
    Life,
    Lives,
    Reading,
    WindowTimes,
    advance,
    join_incident,
    repeat,
    written,
)
from driftline.consumer.judge.records import (
    Cause,
    JudgedWindow,
    Judgement,
    RecordWriter,
    too_few,
)
from driftline.consumer.judge.sentence import Wording, back_to_normal, began_with, unjudged
from driftline.consumer.judge.windows.panes import PaneStore
from driftline.consumer.judge.windows.stream_window import StreamWindow
from driftline.consumer.wire.kinds import KINDS, Kind
from driftline.consumer.wire.records import JOINT, STATES, Alert, DetectorValue, Verdict, number
from driftline.consumer.wire.subject import Subject
from driftline.detectors.budget import JOINT as JOINT_PART
from driftline.detectors.budget import evidence_limit
from driftline.detectors.grid import IntArray
from driftline.detectors.joint.layout import JointLayout
from driftline.detectors.joint.normal import JointNormal
from driftline.detectors.reference import Reference, ReferenceCounts
from driftline.detectors.sequential.group import Comparing
from driftline.producer.reference.joint import most_important

_KIND: Kind = "joint_drift"
_SHOWN = 5  # pairs of a verdict
_NAMED = 20  # pairs of an alert


class JointJudge:
    """Judges whether a model's features still belong together.

    Args:
        records: writes those of the whole model.
        config: its configuration, with `joint` and a budget.
        reference: what is normal.
        normal: what of it is normal of features together.
        pane: length of a pane, ms.
        lives: the model's alert lives, which judging moves on.
        kept: what was kept of it; None: nothing.
    """

    def __init__(
        self,
        records: RecordWriter,
        config: ModelConfig,
        reference: Reference,
        normal: JointNormal,
        pane: int,
        lives: Lives,
        kept: JointState | None,
    ) -> None:
        self._records, self._config, self._lives, self._pane = records, config, lives, pane
        self._layout = normal.layout
        self._begin, self._counted = reference.layout.size, normal.counts
        self._watched = watched_pairs(config, self._layout)
        self.changes = ChangeWatch(
            as_reference(reference, normal),
            None,
            self._limits(),
            pane,
            config.window,
            config.min_effect,
            None if kept is None else kept.changes,
            Comparing(fit=normal.margins),
        )
        # What was kept of another reference or other pairs names others.
        known = kept is not None and kept.changes.key == self.changes.state().key
        self._fired = set(kept.fired) if kept is not None and known else set[int]()
        self._figures = JointFigures(reference.layout, normal, self.changes, records.axis)
        self.key: tuple[str, str, Kind] = (records.stream, "", _KIND)

    def state(self) -> JointState:
        """Return what has to be kept."""
        return JointState(self.changes.state(), sorted(self._fired))

    @property
    def fired(self) -> set[str]:
        """The features of pairs that the alert speaks of; "" stands for extremes."""
        names, pairs = self._layout.names, self._layout.pairs
        found = {names[place] for f in self._fired if f for place in pairs[f - 1].tolist()}
        return found | ({""} if 0 in self._fired else set())

    def carry(self, old: JointJudge) -> None:
        """Go on with the evidence of the judge before it, where the same is normal."""
        if old._layout is not self._layout:
            return
        self.changes.carry(old.changes)
        starts = self._layout.table.starts[:-1]
        other = np.logical_or.reduceat(self._counted != old._counted, starts)
        self._fired = {f for f in old._fired if not other[f]}

    def pane(self, start: int, panes: PaneStore) -> list[Alert]:
        """Take in the final pane that starts at `start` (ms); return the alert records it causes.

        The evidence of each feature by itself has taken it in already.
        """
        counts, end = self._counts(panes), start + self._pane
        fired, moved = np.zeros((2, self._watched.size), bool)
        fired[sorted(self._fired)] = True
        moved[:] = self._moved()
        for f in np.flatnonzero(moved & ~fired).tolist():
            self.changes.reset(f)
        changes = self.changes.add(start, counts(start, end), counts, fired | moved)
        if not changes:
            return []
        since = min(change.since for change in changes)
        for change in changes:
            self.changes.fired(change, end, counts)
            self._fired.add(change.f)
        life = self._fire(changes, WindowTimes(since, end, since), panes)
        times = WindowTimes(since, end, since)
        shown = JudgedWindow(
            times, panes.events(since, end, None), panes.versions(since, end, None)
        )
        return [self._alert(life, shown, counts(since, end), None)]

    def judge(self, window: StreamWindow) -> tuple[list[Verdict], list[Alert]]:
        """Return the verdict of a window, and the alert records that it causes."""
        times, panes = window.times, window.panes
        events = panes.events(times.start, times.end, None)
        shown = JudgedWindow(times, events, panes.versions(times.start, times.end, None))
        reason = window.reason
        if reason is None and events < self._config.window.min_events:
            reason = too_few(events, self._config.window.min_events)
        if reason is not None:
            due = repeat(self._lives.values(), self.key[0], times, lambda x: x.key == self.key)
            alerts = [self._alert(life, shown, None, reason) for life in due]
            return [self._verdict(shown, None, reason)], alerts
        counts = self._counts(panes)
        life = self._lives.get(self.key)
        if life is not None:
            quiet = all(
                self.changes.is_quiet(f, life.since, times.end, counts) for f in sorted(self._fired)
            )
            reading = Reading(SEQUENTIAL, 1, 1, 0, quiet)
            life = advance(self._lives, self.key, [reading], times, window.began)
        now = counts(times.start, times.end)
        alerts = [] if life is None else [self._alert(life, shown, now, None)]
        if life is not None and not life.firing:
            del self._lives[self.key]
            for f in self._fired:
                self.changes.reset(f)
            self._fired.clear()
        return [self._verdict(shown, now, None)], alerts

    def empty(self, start: int, end: int) -> tuple[list[Verdict], list[Alert]]:
        """Return the same of a stretch without events from `start` to `end` (ms)."""
        shown = JudgedWindow(WindowTimes(start, end, start), 0, {})
        return [self._verdict(shown, None, "no events")], []

    def _fire(self, changes: Sequence[Change], times: WindowTimes, panes: PaneStore) -> Life:
        """Let the alert fire, or speak of more."""
        critical = max(change.effect for change in changes) >= self._config.critical_effect
        reading = Reading(SEQUENTIAL, 1, 1, 2 if critical else 1, quiet=False)
        first = min(changes, key=lambda change: change.since)
        back, since = self.changes.around(first, times.end)
        began = panes.begun(back, since, times.end, self._config.releases)
        life = advance(self._lives, self.key, [reading], times, began)
        if life is None:
            life = written(self._lives[self.key], times)
        if life.revision == 1:
            join_incident(life, self._lives.values(), self._config.window.length)
        return life

    def _counts(self, panes: PaneStore) -> Counts:
        """Return what counts features together: behind those of each by itself.

        Many pairs are asked about the same panes: what was added up once is kept for them.
        """
        own = slice(self._begin, self._begin + self._layout.size)
        return cache(lambda first, end: panes.counts(first, end, None)[own])

    def _limits(self) -> NDArray[np.float64]:
        """Return the evidence at which each alarms, a natural logarithm; NaN of what is not."""
        limits, budget = np.full(self._watched.size, np.nan), self._config.budget
        if budget is not None and self._watched.any():
            share = JOINT_PART / int(self._watched.sum())
            period = budget.length(self._config.window.every)
            limits[self._watched] = evidence_limit(budget.alarms, period, share, self._pane)
        return limits

    def _moved(self) -> NDArray[np.bool_]:
        """Return of which pairs, and whether of extremes, an alert on a feature speaks."""
        firing = {
            life.feature for life in self._lives.values()
            if life.firing and KINDS[life.kind].about in ("distribution", "quality")
        }  # fmt: skip
        own = np.array([name in firing for name in self._layout.names], bool)
        return np.concatenate([[own.any()], own[self._layout.pairs].any(axis=1)])

    def _verdict(self, shown: JudgedWindow, now: IntArray | None, reason: str | None) -> Verdict:
        found = Judgement(subject=Subject("model", ""), type=JOINT, reason=reason, counts=None)
        if now is None or reason is not None:
            return self._records.verdict(shown, found)
        life = self._lives.get(self.key)
        known = {f: self.changes.of(f) for f in np.flatnonzero(self._watched).tolist()}
        evidence = {f: each.evidence for f, each in known.items() if each is not None}
        leading = sorted(evidence, key=lambda f: (f not in self._fired, -evidence[f], f))
        places = [f for f in leading if f][:_SHOWN]
        effects = self._figures.effects(leading[:1], now)
        figures = {}
        if leading:
            top = max(evidence, key=lambda f: (evidence[f], -f))
            limit = known[top]
            severity = life.severity if life is not None and life.firing else 0
            figures[JOINT] = DetectorValue.of(
                evidence[top],
                threshold=np.nan if limit is None else limit.limit,
                state=STATES[severity],
            )
        judged = replace(
            found,
            effect=number(effects[0]) if effects else None,
            figures=figures,
        )
        return msgspec.structs.replace(
            self._records.verdict(shown, judged),
            pairs=[self._figures.pair(f, now) for f in places],
            extremes=self._figures.extremes(now) if self._watched[0] else None,
        )

    def _alert(
        self, life: Life, shown: JudgedWindow, now: IntArray | None, reason: str | None
    ) -> Alert:
        """Return a record of the alert; `now`: flat counts; None where they cannot be judged."""
        life.described = f"{describe_budget(self._config)} (change alarm)"
        axis, fired = self._records.axis, sorted(self._fired)
        subject = "how features go together"
        if now is None:
            wording = unjudged(subject, life.since, reason or "", axis)
            return self._records.alert(life, shown, Cause(wording=wording))
        effects = self._figures.effects(fired, now)
        ordered = worst(effects, fired)
        pairs = [self._figures.pair(f, now) for f in ordered if f][:_NAMED]
        extremes = self._figures.extremes(now) if 0 in self._fired else None
        if not life.firing and life.quiet_since is not None:
            wording = back_to_normal(subject, life.since, life.quiet_since, axis)
        else:
            many = sum(1 for f in fired if f)
            change = pair_changed(pairs[0], many - 1) if pairs else Wording(subject, subject)
            if extremes is not None and not pairs:
                change = extremes_changed(extremes)
            text = f"{change.text}, since {axis.moment(life.since)}."
            wording = replace(change, text=text + began_with(life.began))
        known = [each for f in ordered[:1] if (each := self.changes.of(f)) is not None]
        figures = [DetectorValue.of(each.evidence, threshold=each.limit) for each in known]
        cause = Cause(
            wording=wording,
            detector=(SEQUENTIAL, figures[0]) if figures else None,
            effect=number(max(effects)) if effects else None,
        )
        alert = self._records.alert(life, shown, cause)
        alert = msgspec.structs.replace(alert, pairs=pairs, extremes=extremes)
        return alert.with_change(wording.row)


def joint_judge(
    records: RecordWriter,
    config: ModelConfig,
    reference: Reference,
    pane: int,
    lives: Lives,
    kept: JointState | msgspec.UnsetType,
) -> JointJudge | None:
    """Return what judges whether features belong together; None where that is not configured.

    `kept`: what was kept of it, if anything; the other arguments are those of `JointJudge`.
    """
    if config.joint is None or reference.joint is None:
        return None
    before = kept if isinstance(kept, JointState) else None
    return JointJudge(records, config, reference, reference.joint, pane, lives, before)


def watched_pairs(config: ModelConfig, layout: JointLayout) -> NDArray[np.bool_]:
    """Return which of the table are watched: extremes, and the pairs of the most important numbers.

    Args:
        config: names how many, weighs them, and says which features are ignored.
        layout: what is counted.
    """
    names = [name for name in layout.names if not config.is_ignored(name)]
    weights = {name: config.weight_for(name) for name in names}
    most = 0 if config.joint is None else config.joint.top
    chosen = set(most_important(names, weights)[:most])
    own = np.array([name in chosen for name in layout.names], bool)
    return np.concatenate([[len(chosen) > 1], own[layout.pairs].all(axis=1)])


def as_reference(reference: Reference, normal: JointNormal) -> Reference:
    """Return what is normal of features together as a reference of its own: each pair a feature.

    It is the same whatever is normal of the features themselves, which may move.
    """
    events = (reference.origin or reference).stream_events[:1]
    return Reference(
        model=reference.model,
        layout=normal.layout.table,
        counted=ReferenceCounts((None,), normal.counts[None], events),
        segments={},
        dispersion=normal.dispersion,
    )
