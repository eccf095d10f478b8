"""Judge of the metrics of one stream, by its labels."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from math import isnan, nan

import numpy as np

from driftline.consumer.config import ModelConfig, describe_budget, describe_rate_budget
from driftline.consumer.join.cells import EXPIRED
from driftline.consumer.join.cells import labelled as labelled_of
from driftline.consumer.judge.budget_rules import SEQUENTIAL
from driftline.consumer.judge.dispersed import metric_note
from driftline.consumer.judge.features.change_state import StreamChanges
from driftline.consumer.judge.features.rules import RuleBook
from driftline.consumer.judge.lives.life import Lives, Reading, WindowTimes
from driftline.consumer.judge.performance.changes import MetricChanges
from driftline.consumer.judge.performance.details import details_of
from driftline.consumer.judge.performance.normal import OutcomeNormal, StreamOutcomes
from driftline.consumer.judge.performance.records import (
    MetricWindow,
    MetricWriter,
    by_name,
)
from driftline.consumer.judge.performance.rules import (
    MetricReading,
    against_limit,
    budget_reading,
)
from driftline.consumer.judge.performance.variation import MetricVariations, Phi, StreamVariation
from driftline.consumer.judge.records import RecordWriter, too_few
from driftline.consumer.judge.windows.panes import PaneStore
from driftline.consumer.judge.windows.track import DueSpan
from driftline.consumer.wire.records import Alert, Verdict
from driftline.consumer.wire.subject import Subject
from driftline.detectors.grid import FloatArray, IntArray
from driftline.detectors.outcomes import (
    GAP,
    METRICS,
    Figure,
    Outcomes,
    correctness,
    error_gap,
    gap,
    gap_figure,
    measure,
)
from driftline.detectors.outcomes.mixture import labelled_events
from driftline.detectors.reference import Reference


class MetricStream:
    """Judges the metrics of one stream.

    Attributes:
        segment: None for the whole model, else ``tag=value``.
        name: of the stream.
        size: cells of an outcome's counts.
        of_classes: whether classes are predicted, so that each prediction is right or wrong.

    Args:
        records: writes those of the stream.
        config: the model's configuration.
        reference: has the place of the stream.
        outcomes: what its performance is compared with.
        rules: what one test of a metric may spend of the budget.
        kept: what was kept of the evidence on the stream's metrics; None: nothing.
        varied: what was kept of how much they vary; None: nothing.

    Attributes:
        changes: that evidence; None where the budget watches no metric.
        variation: how much the metrics vary.
    """

    def __init__(
        self,
        records: RecordWriter,
        config: ModelConfig,
        reference: Reference,
        outcomes: Outcomes,
        rules: RuleBook,
        kept: StreamChanges | None = None,
        varied: StreamVariation | None = None,
    ) -> None:
        self.segment, self.name = records.segment, records.stream
        self._writer = MetricWriter(records)
        self.size = outcomes.layout.size
        self.of_classes = outcomes.layout.labelled
        self._config, self._outcomes, self._level = config, outcomes, rules.performance_level
        unlimited = config.budget is not None and not config.performance
        self._default = outcomes.watched if unlimited else None
        self._known = StreamOutcomes(reference, outcomes, records.segment)
        self._normal = {
            name: figure
            for name, figure in self._known.whole.figures.items()
            if METRICS[name].always or name in config.performance
        }
        self.changes: MetricChanges | None = None
        watched = {self._default, GAP.name} if outcomes.has_gap else {self._default}
        if config.budget is not None and watched != {None}:
            self.changes = MetricChanges(
                reference, outcomes, self.segment, {*filter(None, watched)},
                rules.performance_limit, config.window, kept,
            )  # fmt: skip
        names = sorted([*self._normal, *([GAP.name] if outcomes.has_gap else [])])
        self.variation = MetricVariations(
            self.segment, reference.id, self.size, names, config.window, varied
        )

    def pane(
        self,
        start: int,
        panes: PaneStore,
        lives: Lives,
        others: list[str],
        incidents: list[int],
        waiting: Callable[[], int],
        reach: Callable[[DueSpan], str],
    ) -> list[Alert]:
        """Take in the final pane that starts at `start` (ms); return the alert records it causes.

        Performance that became worse is told at once, described by what came since it did.

        Args:
            start: of the pane.
            panes: where its counts are.
            lives: of the model's alerts, which are moved on.
            others: features of the stream that changed by then.
            incidents: `since` (ms) of the incidents that are open.
            waiting: returns how many predictions wait for their label at its end.
            reach: returns in which segments performance is worse in a range of time, in words.
        """
        changes, end = self.changes, start + self._config.window.every
        now = panes.counts(start, end, self.segment)
        self.variation.cut(self._writer.worse_since(lives))
        self.variation.add(start, now[: self.size], labelled_of(now[self.size :]), self._measured)
        if changes is None:
            return []
        written = []
        found_now = changes.add(start, panes, self.said(lives))
        # The gap comes last: an alert on performance says it, too.
        for change in sorted(found_now, key=lambda each: changes.names[each.f] == GAP.name):
            since, name = change.since, changes.names[change.f]
            if name in self.said(lives):
                continue
            counts = panes.counts(since, end, self.segment)
            outcomes, extra = counts[: self.size], counts[self.size :]
            normal = self.normal(since, end, panes)
            found = self._found(outcomes, self.variation.before(since), normal)
            by = {each.subject.name: each for each in found}
            one, gap = by[name], by.get(GAP.name)
            if not self._is_worse(one):
                continue
            worse = nan if one.reading is None else one.reading.effect
            level = 2 if worse >= self._config.critical_effect else 1
            one = replace(one, reading=Reading(SEQUENTIAL, 1, 1, level, quiet=False))
            window = MetricWindow(
                WindowTimes(since, end, since),
                panes.events(since, end, self.segment),
                panes.versions(since, end, self.segment),
                {
                    "labelled": labelled_of(extra),
                    "waiting": waiting(),
                    "expired": int(extra[EXPIRED]),
                },
                others,
                changes.began(change, end, panes, self._config.releases),
            )
            length = self._config.window.length
            written += self._writer.alerts(
                lives, [one], gap, window, incidents, length, partial(reach, DueSpan(since, end))
            )
            changes.fired(change, end, panes)
        return written

    def normal(self, start: int, end: int, panes: PaneStore) -> OutcomeNormal:
        """Return what is normal for the labels in the panes from one time to another (ms)."""
        layout = self._outcomes.layout

        def labelled(stream: str) -> int:
            return labelled_events(layout, panes.counts(start, end, stream)[: self.size])

        return self._known.of(labelled)

    def said(self, lives: Lives) -> set[str]:
        """Return the metrics of which an alert says already that they became worse."""
        names = [] if self.changes is None else self.changes.names
        return {
            name for name in names
            if self._writer.fires(lives, Subject.metric(name))
            or self._writer.is_said(lives, Subject.metric(name))
        }  # fmt: skip

    def _is_worse(self, one: MetricReading) -> bool:
        """Return whether a metric, or the gap, is so much worse that people should know."""
        sizes = self._outcomes.layout.kind == "regression" and one.subject.name != GAP.name
        if sizes and not one.figure.value > one.normal:
            return False
        least = self._config.min_effect if sizes else self._config.min_rise
        return one.reading is not None and one.reading.effect >= least

    def judge(
        self,
        window: MetricWindow,
        counts: IntArray | None,
        labelled: int,
        reason: str | None,
        lives: Lives,
        incidents: Iterable[int],
        normal: Callable[[], OutcomeNormal],
        reach: Callable[[], str] = str,
    ) -> tuple[list[Verdict], list[Alert]]:
        """Return the verdicts of a window, sorted by metric, and the alert records it causes.

        Args:
            window: as its records have it.
            counts: of the outcomes, flat; None where they cannot be added.
            labelled: predictions that got their label in it.
            reason: why it cannot be judged, if that is known already.
            lives: of the model's alerts, which are moved on.
            incidents: `since` (ms) of the incidents that are open.
            normal: returns what is normal for it.
            reach: returns in which segments performance became worse, in words.
        """
        needed = self._config.window.min_events
        if reason is None and labelled < needed:
            reason = too_few(labelled, needed, "labelled events")
        if reason is not None or counts is None:
            verdicts = self._insufficient(window, reason or "")
            return verdicts, self._writer.again(
                lives, window, self._normal, reason or "", estimated=False
            )
        phi = self.variation.before(window.times.start)
        known_normal = normal()
        found = by_name(self._found(counts, phi, known_normal))
        verdicts = []
        for one in found:
            details = details_of(
                one.subject.name, self._outcomes.layout, counts, known_normal.counts
            )
            known = None if self.changes is None else self.changes.of(one.subject.name)
            note = metric_note(phi[one.subject.name].interval, tested=not isnan(one.p_value))
            verdicts.append(self._writer.verdict(one, window, None, details, known, note))
        length = self._config.window.length
        gap = next((one for one in found if one.subject.name == GAP.name), None)
        alerts = self._writer.alerts(lives, found, gap, window, incidents, length, reach)
        return verdicts, alerts

    def renew(self, over: Iterable[str], lives: Lives) -> None:
        """Begin metrics anew that are well again, as the end of an alert of some stream says.

        Args:
            over: their names.
            lives: of the model's alerts.
        """
        for name in sorted(over):
            if self.changes is not None and not self._writer.fires(lives, Subject.metric(name)):
                self.changes.reset(name)

    def errors(self, counts: IntArray) -> tuple[FloatArray, FloatArray]:
        """Return (wrong, right) predictions of classes, of now and of the reference."""
        layout = self._outcomes.layout
        found = [layout.view(each, "confusion") for each in (counts, self._known.whole.counts)]
        wrong = [float(each.sum() - np.trace(each)) for each in found]
        now, normal = (
            np.array([bad, float(each.sum()) - bad]) for bad, each in zip(wrong, found, strict=True)
        )
        return now, normal

    def empty(self, stretch: DueSpan) -> list[Verdict]:
        """Return the verdicts for a range of time without predictions and labels."""
        times = WindowTimes(stretch.start, stretch.end, stretch.start)
        nothing = {"labelled": 0, "waiting": 0, "expired": 0}
        return self._insufficient(MetricWindow(times, 0, {}, nothing, []), "no events")

    def _insufficient(self, window: MetricWindow, reason: str) -> list[Verdict]:
        names = [*self._normal, *([GAP.name] if self._outcomes.has_gap else [])]
        return [
            self._writer.verdict(
                MetricReading(Subject.metric(name), Figure.none(), nan), window, reason
            )
            for name in sorted(names)
        ]

    def _measured(self, counts: IntArray) -> dict[str, Figure]:
        """Return the metrics, and the gap, with the intervals of independent events."""
        layout = self._outcomes.layout
        found: dict[str, Figure] = {**measure(layout, counts, self._normal)}
        if layout.errors is not None:
            found[GAP.name] = error_gap(layout, counts, self._known.whole.counts).figure
        elif (calibration := self._known.whole.calibration) is not None:
            found[GAP.name] = gap_figure(layout, calibration, counts)
        return found

    def _found(
        self, counts: IntArray, phi: Mapping[str, Phi], normal: OutcomeNormal
    ) -> list[MetricReading]:
        """Return the metrics and the gap, each with the result of its rule.

        Args:
            counts: of the outcomes.
            phi: how much each of them varies.
            normal: what they are compared with.
        """
        found = []
        for name, figure in measure(self._outcomes.layout, counts, self._normal).items():
            scale = METRICS[name].scale
            figure = figure.widened(phi[name].interval or 1.0, scale.least, scale.most)
            one = against_limit(self._config, name, figure, normal.figures[name].value)
            if name == self._default:
                one = self._by_budget(one, counts, phi[name].tested, normal)
            found.append(one)
        return [*found, *self._gap(counts, phi.get(GAP.name), normal)]

    def _by_budget(
        self, one: MetricReading, counts: IntArray, phi: float, normal: OutcomeNormal
    ) -> MetricReading:
        """Return the metric that the budget watches, with the result."""
        config, layout = self._config, self._outcomes.layout
        found = correctness(layout, counts, normal.counts, self._level, phi)[one.subject.name]
        rate = layout.kind == "classification"
        least = config.min_rise if rate else config.min_effect
        return replace(
            one,
            p_value=found.p_value,
            threshold=found.threshold,
            reading=budget_reading(
                found.p_value, self._level, found.effect, least, config.critical_effect
            ),
            described=describe_rate_budget(config) if rate else describe_budget(config),
        )

    def _gap(self, counts: IntArray, phi: Phi | None, normal: OutcomeNormal) -> list[MetricReading]:
        """Return how far the realised performance is from the estimate for the same events."""
        config, outcomes = self._config, self._outcomes
        if phi is None:
            return []
        figure, p_value, effect, means = Figure.none(), nan, nan, None
        if outcomes.layout.errors is not None:
            errors = error_gap(outcomes.layout, counts, normal.counts, phi.tested)
            figure = errors.figure.widened(phi.interval or 1.0)
            p_value, effect = errors.p_value, errors.effect
            means = (errors.realised, errors.expected)
        elif normal.calibration is not None:  # None: the reference has no scores of this segment
            value, p_value = gap(outcomes.layout, normal.calibration, counts, phi.tested)
            figure, effect = Figure(value, nan, nan, 0), -value
        reading = None
        if config.budget is not None:
            reading = budget_reading(
                p_value, self._level, effect, config.min_rise, config.critical_effect
            )
        return [
            MetricReading(
                Subject.metric(GAP.name), figure, 0.0, p_value, nan, reading,
                describe_rate_budget(config), means,
            )
        ]  # fmt: skip
