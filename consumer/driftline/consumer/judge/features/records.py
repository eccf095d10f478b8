"""Describes what a window shows of features, for their verdicts and alerts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isnan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from driftline.consumer.judge.bin_changes import category_of, ends_of, top_of
from driftline.consumer.judge.budget_rules import SEQUENTIAL
from driftline.consumer.judge.dispersed import note_of
from driftline.consumer.judge.features.changes import ChangeWatch
from driftline.consumer.judge.features.normal import Normal
from driftline.consumer.judge.features.rules import RuleBook, Ruling
from driftline.consumer.judge.features.schema import schema_change
from driftline.consumer.judge.lives.life import Life, breaches
from driftline.consumer.judge.number_changes import number_change
from driftline.consumer.judge.reach_sentence import in_segments
from driftline.consumer.judge.records import NO_FIGURE, Cause, JudgedWindow, Judgement, RecordWriter
from driftline.consumer.judge.sentence import (
    Wording,
    back_to_normal,
    named,
    rate_change,
    scope,
    unjudged,
)
from driftline.consumer.wire.records import (
    STATES,
    Alert,
    DetectorValue,
    Sequential,
    Verdict,
    number,
)
from driftline.consumer.wire.samples import WindowSample
from driftline.consumer.wire.subject import Subject
from driftline.detectors import (
    DETECTORS,
    RATES,
    Baseline,
    Bins,
    Comparison,
    FeatureType,
    rate_effect,
)

_ORDER = [
    (detector.name, detector.always, detector.types)
    for detector in sorted(
        DETECTORS.values(), key=lambda each: (each.name in RATES, not each.budget)
    )
]


@dataclass(frozen=True)
class FeatureWindow:
    """What is known of the features of a window.

    Attributes:
        window: when it is.
        found: the results of the detectors.
        counts: flat counts of the window.
        rulings: the results of the rules.
        untested: per feature why its values could not be tested; None: they were.
        firing: features of the stream that fire now, worst first.
        normal: what they were compared with.
        sample: of the whole model's events; None of a segment, or where there is none.
    """

    window: JudgedWindow
    found: Comparison
    counts: NDArray[np.int64]
    rulings: Sequence[Ruling]
    untested: Sequence[str | None]
    firing: Sequence[str]
    normal: Normal
    sample: WindowSample | None = None


class FeatureWriter:
    """Writes the records of one stream's features.

    Args:
        records: of the stream.
        baseline: its reference counts.
        rules: the model's rules.
        features: places of the features that have verdicts, in the order of their names.
        changes: the evidence on the stream.
        note: what its verdicts say of the reference; None: nothing.
    """

    def __init__(
        self,
        records: RecordWriter,
        baseline: Baseline,
        rules: RuleBook,
        features: Sequence[int],
        changes: ChangeWatch,
        note: str | None = None,
    ) -> None:
        self._records, self._rules, self._changes = records, rules, changes
        self._note = note
        self._baseline = baseline
        layout = baseline.layout.features
        self._subjects = [(f, Subject.feature(layout[f].name), layout[f].type) for f in features]

    def verdicts(self, now: FeatureWindow, phi: NDArray[np.float64]) -> list[Verdict]:
        """Return the verdicts of a window that was judged.

        A feature whose values could not be tested is `insufficient`, with the reason, unless one of
        its rates is in breach.

        Args:
            now: the window.
            phi: by which it was tempered, shape (5, F).
        """
        verdicts, effects = [], now.found.effect.tolist()
        for f, subject, kind in self._subjects:
            reason = now.untested[f]
            if reason and any(ruling.levels[f] for ruling in now.rulings):
                reason = None
            found = Judgement(
                subject=subject,
                type=kind,
                reason=reason,
                counts=now.found.counts(f),
                effect=number(effects[f]),
                figures={} if reason else figures_of(now.found, f, kind, now.rulings),
                bins=None if reason else _bins_of(now.normal.baseline, f, now.counts),
            )
            notes = self._note, note_of(phi[:, f].tolist()), self._records.note
            note = "; ".join(filter(None, notes)) or None
            known = int(self._baseline.feature_events[f]), self._evidence(f), note
            verdicts.append(self._records.verdict(now.window, found, *known))
        return verdicts

    def insufficient(
        self, window: JudgedWindow, reason: str, found: Comparison | None
    ) -> list[Verdict]:
        """Return the verdicts of a window that cannot be judged, with the `reason`."""
        return [
            self._records.verdict(
                window,
                Judgement(
                    subject=subject,
                    type=kind,
                    reason=reason,
                    counts=found.counts(f) if found is not None else None,
                ),
                int(self._baseline.feature_events[f]),
            )
            for f, subject, kind in self._subjects
        ]

    def alert(self, life: Life, now: FeatureWindow, reason: str | None = None) -> Alert:
        """Return the record of `life`, which fired, rose, resolved or is due again, in `now`.

        `reason`: why the window cannot be judged, so that nothing follows from its counts.
        """
        f = self._baseline.layout.position[life.feature]
        kind = self._baseline.layout.features[f].type
        ruling = next((r for r in now.rulings if r.rule.key == life.rule), None)
        name = ruling.rule.detectors[f] if ruling is not None else None
        if ruling is not None and name is not None:
            # Kept, because a rule may have left the configuration when its alert resolves.
            life.described = self._rules.describe(ruling.rule, name, life.severity)
        figures = figures_of(now.found, f, kind, now.rulings, name) if name is not None else {}
        detector = None if name is None else (name, figures.get(name, NO_FIGURE))
        if life.rule == SEQUENTIAL:
            life.described = self._rules.describe_changes()
            known = self._changes.of(f)
            if known is not None:
                detector = SEQUENTIAL, DetectorValue.of(known.evidence, threshold=known.limit)
        quality = life.kind == "data_quality"
        normal = now.normal
        bins = normal.baseline.bins(f, now.counts)
        effect = now.found.effect[f]
        if quality and name is not None:
            rate = now.found.detectors[name].value
            effect = rate_effect(rate, normal.rates[name], now.found.events)[f]
        judged = name if quality else None
        found = None
        if judged is not None and reason is None and life.firing:
            found = schema_change(normal.baseline, normal.rates, now.found, f, judged, now.sample)
        others = [other for other in now.firing if other != life.feature]
        if reason is not None:
            wording = unjudged(named(life.feature), life.since, reason, self._records.axis)
        elif not life.firing and life.quiet_since is not None:
            wording = back_to_normal(
                named(life.feature), life.since, life.quiet_since, self._records.axis
            )
        else:
            change = found.wording if found else self._change(f, now, judged, bins)
            reach = scope(list(map(named, others)), life.began)
            since = self._records.axis.moment(life.since)
            where = in_segments(life.segments)
            text = f"{named(life.feature)} {change.text}, since {since}. {where}{reach}"
            wording = replace(change, text=text)
            effect = effect if change.effect is None else change.effect
        return self._records.alert(
            life,
            now.window,
            Cause(
                wording=wording,
                type=kind,
                detector=detector,
                effect=number(float(effect)) if reason is None else None,
                breaches=None if ruling is None else breaches(life, ruling.reading(f)),
                counts=now.found.counts(f),
                top=(found.top if found is not None else [])
                if quality or reason is not None
                else top_of(bins),
                others=others,
            ),
            int(self._baseline.feature_events[f]),
        )

    def _change(self, f: int, now: FeatureWindow, rate: str | None, bins: Bins) -> Wording:
        """Return what changed in a feature: a `rate`, else its distribution."""
        normally = now.normal.word(f)
        if rate is not None:
            usual = float(now.normal.rates[rate][f])
            return rate_change(rate, float(now.found.detectors[rate].value[f]), usual, normally)
        if bins.upper is None:
            return category_of(bins, normally)
        phi = self._changes.phi_of(f)
        return number_change(now.normal.baseline, f, now.counts, phi, normally)

    def _evidence(self, f: int) -> Sequential | None:
        known = self._changes.of(f)
        if known is None:
            return None
        onset = self._records.axis.time(known.onset)
        return Sequential(number(known.evidence), number(known.limit), onset)


def _bins_of(baseline: Baseline, f: int, counts: NDArray[np.int64]) -> dict[str, Any]:
    bins = baseline.bins(f, counts)
    what, ends = "categories", list[object](bins.categories or ())
    if bins.upper is not None:
        what, ends = "upper", [*ends_of(bins.upper)]
    return {what: ends, "reference": bins.reference.tolist(), "window": bins.window.tolist()}


def figures_of(
    found: Comparison,
    f: int,
    kind: FeatureType,
    rulings: Sequence[Ruling],
    wanted: str | None = None,
) -> dict[str, DetectorValue]:
    """Return the figures of feature `f`: what the budget tests, others, rates.

    A rate of 0 is left out unless it is `wanted`, and so is a detector that is not always computed
    unless a rule names it.
    """
    levels: dict[str, int] = {}
    limits: dict[str, float] = {}
    for ruling in rulings:
        looked_at = ruling.rule.detectors[f]
        if looked_at is None:
            continue
        levels[looked_at] = max(levels.get(looked_at, 0), int(ruling.levels[f]))
        limit = ruling.rule.limit
        if limit is not None and limit.on == "value":
            lowest = limit.warning if limit.warning is not None else limit.critical
            if lowest is not None:
                limits[looked_at] = min(limits.get(looked_at, np.inf), lowest)
    figures: dict[str, DetectorValue] = {}
    for name, always, types in _ORDER:
        if not (always or name in levels):
            continue
        result = found.detectors[name]
        value = float(result.value[f])
        if name in RATES and not value > 0 and not levels.get(name) and name != wanted:
            continue
        if isnan(value) and kind not in types:
            continue
        figures[name] = DetectorValue.of(
            value,
            float(result.p_value[f]),
            limits.get(name, float(result.threshold[f])),
            STATES[levels[name]] if name in levels and not isnan(value) else None,
        )
    return figures
