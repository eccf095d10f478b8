"""Writes alert records: the figures, the bins that contributed most, and the sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from driftline.consumer.config import ModelConfig
from driftline.consumer.judge.bin_changes import category_of, moved_of, top_of
from driftline.consumer.judge.features.figures import figures_of
from driftline.consumer.judge.features.rules import RuleBook, Ruling
from driftline.consumer.judge.lives.life import Life, Reading, WindowTimes, breaches
from driftline.consumer.judge.sentence import (
    Spread,
    duration,
    fit,
    moment,
    named,
    numeric_change,
    opening,
    rate_change,
    scope,
    unjudged,
    verb,
)
from driftline.consumer.wire.ids import identity, stream_name
from driftline.consumer.wire.records import (
    Alert,
    ReferenceName,
    Window,
    most_frequent,
    number,
)
from driftline.detectors import Baseline, Bins, Comparison, rate_effect
from driftline.producer.records.timestamp import format_time

_LISTED = 20


@dataclass(frozen=True)
class AlertContext:
    """The window that causes alert records.

    Attributes:
        times, events, versions: of the window.
        found: what the detectors say.
        counts: flat counts of the window.
        rulings: what the rules say.
        firing: features of the stream that fire now, worst first.
        normal: the reference's rates.
    """

    times: WindowTimes
    events: int
    versions: dict[str, int]
    found: Comparison
    counts: NDArray[np.int64]
    rulings: Sequence[Ruling]
    firing: list[str]
    normal: Mapping[str, NDArray[np.float64]]


class AlertWriter:
    """Writes the alert records of one stream.

    Args:
        model: its name.
        segment: None for the whole model, else ``tag=value``.
        config: the model's configuration.
        reference: the reference's id.
        baseline: the stream's reference counts.
        rules: the model's rules.
    """

    def __init__(
        self,
        model: str,
        segment: str | None,
        config: ModelConfig,
        reference: str,
        baseline: Baseline,
        rules: RuleBook,
    ) -> None:
        self._rules = rules
        self._model = model
        self._segment = segment
        self._stream = stream_name(model, segment)
        self._config = config
        self._reference = ReferenceName(reference, baseline.events)
        self._baseline = baseline

    def write(self, life: Life, now: AlertContext, reason: str | None = None) -> Alert:
        """Return the record of `life`, which fired, rose, resolved or is due again, in `now`.

        `reason`: why the window cannot be judged, so that nothing follows from its counts.
        """
        f = self._baseline.layout.position[life.feature]
        feature = self._baseline.layout.features[f]
        ruling = next((r for r in now.rulings if r.rule.key == life.rule), None)
        name = ruling.rule.detectors[f] if ruling is not None else None
        if ruling is not None and name is not None:
            # Kept, because a rule may have left the configuration when its alert resolves.
            life.described = self._rules.describe(ruling.rule, name, life.severity)
        figures = figures_of(now.found, f, feature.type, now.rulings, name)
        figure = figures.get(name) if name is not None else None
        quality = life.kind == "data_quality"
        bins = self._baseline.bins(f, now.counts)
        others = [other for other in now.firing if other != life.feature]
        effect = now.found.effect[f]
        if quality and name is not None:
            rate = now.found.detectors[name].value
            effect = rate_effect(rate, now.normal[name], now.found.events)[f]
        incident = life.since if life.incident is None else life.incident
        return Alert(
            schema="driftline.alert.v1",
            alert_id=identity(self._stream, life.feature, life.kind, format_time(life.since)),
            revision=life.revision,
            status="firing" if life.firing else "resolved",
            severity="critical" if life.severity == 2 else "warning",
            kind=life.kind,
            summary=self._summary(life, now, f, name, bins, others)
            if reason is None
            else fit(unjudged(self._subject(life), life.since, reason)),
            stream=self._stream,
            model=self._model,
            segment=self._segment,
            feature=life.feature,
            type=feature.type,
            since=format_time(life.since),
            until=None if life.quiet_since is None or life.firing
            else format_time(life.quiet_since),
            rule=life.described,
            detector=name,
            value=figure.value if figure else None,
            p_value=figure.p_value if figure else None,
            threshold=figure.threshold if figure else None,
            effect=number(float(effect)) if reason is None else None,
            breaches=_breaches(life, ruling, f),
            window=Window(format_time(now.times.start), format_time(now.times.end), now.events),
            reference=self._reference,
            versions=most_frequent(now.versions),
            counts=now.found.counts(f),
            top=[] if quality or reason is not None else top_of(bins),
            incident_id=identity(self._model, format_time(incident)),
            also_firing=others[:_LISTED],
            owner=self._config.owner,
            runbook=self._config.runbook,
        )  # fmt: skip

    def _summary(
        self,
        life: Life,
        now: AlertContext,
        f: int,
        detector: str | None,
        bins: Bins,
        others: Sequence[str],
    ) -> str:
        subject = self._subject(life)
        if not life.firing and life.quiet_since is not None:
            after = duration(life.quiet_since - life.since)
            return fit(
                f"{subject} is back to normal since {moment(life.quiet_since)}, after {after}."
            )
        if life.kind == "data_quality" and detector is not None:
            rate = float(now.found.detectors[detector].value[f])
            text = rate_change(detector, rate, float(now.normal[detector][f]))
        elif bins.upper is not None:
            present, normal = self._spread(f, now.counts), self._spread(f, None)
            moved = moved_of(bins, self._baseline.only_values(f, now.counts))
            text = f"{verb(present, normal, moved)}: {numeric_change(present, normal, moved)}"
        else:
            text = f"changed: {category_of(bins)}"
        names = [named(other) for other in others]
        reach = scope(names, life.version)
        return fit(f"{subject} {text}, since {moment(life.since)}. {reach}", names)

    def _subject(self, life: Life) -> str:
        return f"{opening(self._stream)}{named(life.feature)}"

    def _spread(self, f: int, counts: NDArray[np.int64] | None) -> Spread:
        low, middle, high = (self._baseline.quantile(f, q, counts) for q in (0.25, 0.5, 0.75))
        return Spread(middle, high - low)


def _breaches(life: Life, ruling: Ruling | None, f: int) -> tuple[int, int] | None:
    if ruling is None:
        return None
    rule = ruling.rule
    return breaches(
        life, Reading(rule.key, rule.k, rule.n, int(ruling.levels[f]), bool(ruling.quiet[f]))
    )
