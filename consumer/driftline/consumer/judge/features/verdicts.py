"""Writes verdicts: one record for every feature and window, the quiet ones too."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from driftline.consumer.judge.bin_changes import end_of
from driftline.consumer.judge.features.figures import figures_of
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
from driftline.detectors import Baseline, Comparison, FeatureType
from driftline.producer.records.timestamp import format_time


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
                counts=found.counts(f),
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
                counts=found.counts(f) if found is not None else None,
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

    def _kind(self, f: int) -> FeatureType:
        return self._baseline.layout.features[f].type

    def _bins(self, f: int, counts: NDArray[np.int64]) -> dict[str, list[object]]:
        bins = self._baseline.bins(f, counts)
        edges: dict[str, list[object]]
        if bins.upper is None:
            edges = {"categories": list(bins.categories or ())}
        else:
            edges = {"upper": [end_of(x) for x in bins.upper.tolist()]}
        return edges | {"reference": bins.reference.tolist(), "window": bins.window.tolist()}
