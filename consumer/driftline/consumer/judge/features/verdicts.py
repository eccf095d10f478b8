"""Writes verdicts: one record for every feature and window, the quiet ones too."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan

import numpy as np
from numpy.typing import NDArray

from driftline.consumer.judge.bin_changes import end_of
from driftline.consumer.judge.features.rules import STATES, RuleBook, Ruling, State
from driftline.consumer.judge.lives.life import WindowTimes
from driftline.consumer.wire.ids import identity, stream_name
from driftline.consumer.wire.records import (
    DetectorValue,
    ReferenceName,
    Verdict,
    Window,
    most_frequent,
    number,
)
from driftline.detectors import RATES, Baseline, Comparison
from driftline.producer.records.timestamp import format_time

_SHOWN = {
    "numeric": ("ks", "chi_square", "psi", "jensen_shannon", "wasserstein"),
    "categorical": ("chi_square", "psi", "jensen_shannon"),
    "boolean": ("chi_square", "psi", "jensen_shannon"),
}
_COUNTS = ("valid", "missing", "absent", "invalid", "unseen", "out_of_range")


def too_few(events: int, needed: int) -> str:
    """Return why a window with few events is not judged.

    >>> too_few(212, 500)
    '212 events, 500 needed'
    """
    return f"{events:,} events, {needed:,} needed"


class VerdictWriter:
    """Writes the verdicts of one stream.

    Args:
        model: its name.
        segment: None for the whole model, else ``tag=value``.
        reference: the reference's id.
        baseline: the stream's reference counts.
        rules: the model's rules.
        features: places of the features to write, in the order of their names.
    """

    def __init__(
        self,
        model: str,
        segment: str | None,
        reference: str,
        baseline: Baseline,
        rules: RuleBook,
        features: Sequence[int],
    ) -> None:
        self._model = model
        self._segment = segment
        self._stream = stream_name(model, segment)
        self._reference = ReferenceName(reference, baseline.events)
        self._baseline = baseline
        self._rules = rules
        self._features = features

    def judged(
        self,
        times: WindowTimes,
        events: int,
        versions: dict[str, int],
        found: Comparison,
        counts: NDArray[np.int64],
        rulings: Sequence[Ruling],
    ) -> list[Verdict]:
        """Return the verdicts of a window that was judged.

        A feature whose values could not be tested is `insufficient`, with the reason, unless one of
        its rates is in breach.
        """
        shown = most_frequent(versions)
        reasons = [
            None if reason and any(ruling.levels[f] for ruling in rulings) else reason
            for f, reason in enumerate(self._rules.untested(found))
        ]
        window = Window(format_time(times.start), format_time(times.end), events)
        return [
            self._verdict(
                window, shown, f,
                reason=reasons[f],
                counts=event_counts(found, f),
                effect=float(found.effect[f]),
                detectors={} if reasons[f] else figures_of(found, f, self._kind(f), rulings),
                bins=None if reasons[f] else self._bins(f, counts),
            )
            for f in self._features
        ]  # fmt: skip

    def insufficient(
        self,
        times: WindowTimes,
        events: int,
        versions: dict[str, int],
        reason: str,
        found: Comparison | None,
    ) -> list[Verdict]:
        """Return the verdicts of a window that cannot be judged, with the `reason`."""
        shown = most_frequent(versions)
        window = Window(format_time(times.start), format_time(times.end), events)
        return [
            self._verdict(
                window, shown, f,
                reason=reason,
                counts=event_counts(found, f) if found is not None else None,
                effect=float("nan"),
                detectors={},
                bins=None,
            )
            for f in self._features
        ]  # fmt: skip

    def _verdict(
        self,
        window: Window,
        versions: dict[str, int],
        f: int,
        *,
        reason: str | None,
        counts: dict[str, int] | None,
        effect: float,
        detectors: dict[str, DetectorValue],
        bins: dict[str, list[object]] | None,
    ) -> Verdict:
        name = self._baseline.layout.features[f].name
        states = {value.state for value in detectors.values()}
        worst: State = next((s for s in reversed(STATES) if s in states), "ok")
        return Verdict(
            schema="driftline.verdict.v1",
            verdict_id=identity(self._stream, name, window.start, window.end, self._reference.id),
            stream=self._stream,
            model=self._model,
            segment=self._segment,
            feature=name,
            type=self._kind(f),
            state="insufficient" if reason is not None else worst,
            reason=reason,
            window=window,
            reference=self._reference,
            versions=versions,
            counts=counts,
            effect=number(effect),
            detectors=detectors,
            bins=bins,
        )

    def _kind(self, f: int) -> str:
        return self._baseline.layout.features[f].type

    def _bins(self, f: int, counts: NDArray[np.int64]) -> dict[str, list[object]]:
        bins = self._baseline.bins(f, counts)
        edges: dict[str, list[object]]
        if bins.upper is None:
            edges = {"categories": list(bins.categories or ())}
        else:
            edges = {"upper": [end_of(x) for x in bins.upper.tolist()]}
        return edges | {"reference": bins.reference.tolist(), "window": bins.window.tolist()}


def event_counts(found: Comparison, f: int) -> dict[str, int]:
    """Return the events of feature `f` by kind."""
    return {name: int(getattr(found, name)[f]) for name in _COUNTS}


def figures_of(
    found: Comparison, f: int, kind: str, rulings: Sequence[Ruling], wanted: str | None = None
) -> dict[str, DetectorValue]:
    """Return the figures of feature `f`; a rate of 0 is left out unless it is `wanted`."""
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
    for name in (*_SHOWN[kind], *RATES):
        result = found.detectors[name]
        value = float(result.value[f])
        if name in RATES and not value > 0 and not levels.get(name) and name != wanted:
            continue
        if isnan(value) and (name == "chi_square" and kind == "numeric"):
            continue  # it has many values in this stream
        figures[name] = DetectorValue(
            value=number(value),
            p_value=number(float(result.p_value[f])),
            threshold=number(limits.get(name, float(result.threshold[f]))),
            state=STATES[levels[name]] if name in levels and not isnan(value) else None,
        )
    return figures
