"""Judge of a stream's estimated performance: from predictions alone, before labels come."""

from __future__ import annotations

from math import isnan

import numpy as np

from driftline.consumer.config import ModelConfig
from driftline.consumer.judge.dispersed import metric_note
from driftline.consumer.judge.lives.life import Lives
from driftline.consumer.judge.performance.normal import OutcomeNormal, StreamOutcomes
from driftline.consumer.judge.performance.records import MetricWindow, MetricWriter, by_name
from driftline.consumer.judge.performance.rules import MetricReading, against_limit
from driftline.consumer.judge.records import RecordWriter, too_few
from driftline.consumer.judge.windows.stream_window import StreamWindow
from driftline.consumer.wire.kinds import DRIFT
from driftline.consumer.wire.records import Alert, Verdict
from driftline.detectors.dispersion import OTHER, UNKNOWN
from driftline.detectors.grid import FloatArray, IntArray
from driftline.detectors.outcomes import (
    METRICS,
    Figure,
    Outcomes,
    estimate,
    estimate_errors,
    estimate_size,
)
from driftline.detectors.reference import Reference
from driftline.errors import ReferenceError  # noqa: A004 (the operator's word for it)


def estimate_cells(reference: Reference) -> int:
    """Return how many cells behind all others may be counted for estimates.

    Also where performance is not watched: it may have been when a pane was counted.
    """
    try:
        outcomes = Outcomes.of(reference)
    except ReferenceError:  # built by a version that counted none
        return 0
    if outcomes is None or outcomes.calibration is None:
        return 0
    return estimate_size(outcomes.layout)


class EstimateStream:
    """Judges the estimated performance of one stream, as the configuration limits the realised one.

    Args:
        records: writes those of the stream.
        config: the model's configuration.
        reference: what its performance is compared with.
        outcomes: of the reference.
        lives: the model's alert lives, which judging moves on.
    """

    def __init__(
        self,
        records: RecordWriter,
        config: ModelConfig,
        reference: Reference,
        outcomes: Outcomes,
        lives: Lives,
    ) -> None:
        self._segment, self._name = records.segment, records.stream
        self._writer = MetricWriter(records)
        self._config, self._layout, self._outcomes = config, reference.layout, outcomes
        self._lives = lives
        self._begin = reference.size  # of the cells of estimates
        self._known = StreamOutcomes(reference, outcomes, records.segment)
        self._normal = self._known.whole.figures
        self._inputs = self._estimated_from(reference)
        segment = records.segment
        self._scale = {} if segment is None else self._errors_in(reference.counts_of(segment))

    def judge(self, window: StreamWindow, phi: FloatArray) -> tuple[list[Verdict], list[Alert]]:
        """Return the verdicts of a window, sorted by metric, and the alert records it causes.

        Args:
            window: of the stream's events.
            phi: how much the features vary, as for the window, shape (5, F).
        """
        times, panes = window.times, window.panes
        start, end = times.start, times.end
        events = panes.events(start, end, self._segment)
        needed, reason = self._config.window.min_events, window.reason
        if reason is None and events < needed:
            reason = too_few(events, needed)
        if reason is not None:  # the features' verdicts have it
            empty = MetricWindow(times, events, {}, None, [])
            return [], self._writer.again(self._lives, empty, self._normal, reason, estimated=True)
        inputs = phi[OTHER, self._inputs]
        most = float(inputs[inputs < UNKNOWN].max(initial=1.0))
        normal = self._known.whole
        if normal.calibration is not None:
            normal = self._known.of(lambda part: panes.events(start, end, part))
        counts = panes.counts(start, end, self._segment)
        found = by_name(self._estimates(counts, most, normal))
        versions = panes.versions(start, end, self._segment)
        firing = [
            life.feature for life in self._lives.values()
            if life.stream == self._name and life.firing and life.kind in DRIFT and life.feature
        ]  # fmt: skip
        shown = MetricWindow(times, events, versions, None, sorted(firing), window.began)
        note = metric_note(most, tested=False)
        verdicts = [self._writer.verdict(one, shown, None, note=note) for one in found]
        incidents = [
            life.incident for life in self._lives.values()
            if life.firing and life.incident is not None and life.kind in DRIFT
        ]  # fmt: skip
        length = self._config.window.length
        return verdicts, self._writer.alerts(self._lives, found, None, shown, incidents, length)

    def _estimates(self, counts: IntArray, phi: float, known: OutcomeNormal) -> list[MetricReading]:
        size, outcomes = self._layout.size, self._outcomes
        figures = {}
        if known.calibration is not None:
            figures = estimate(outcomes.layout, known.calibration, counts[self._begin :])
        elif outcomes.error_model is not None:
            figures = estimate_errors(self._layout, outcomes.error_model, counts[:size])
        found = []
        for name, figure in figures.items():
            normal, scale = known.figures[name].value, self._scale.get(name, 1.0)
            if not isnan(normal):
                if scale != 1.0:
                    ends = figure.low * scale, figure.high * scale
                    figure = Figure.of(figure.value * scale, *ends, figure.n)
                bounds = METRICS[name].scale
                figure = figure.widened(phi, bounds.least, bounds.most)
                found.append(against_limit(self._config, name, figure, normal, estimated=True))
        return found

    def _estimated_from(self, reference: Reference) -> IntArray:
        """Return the places of the features that the estimates rest on."""
        layout, model = reference.layout, self._outcomes.error_model
        if model is not None:
            places: IntArray = np.unique(np.searchsorted(layout.starts, model.cells, "right") - 1)
            return places
        score = layout.position.get("prediction.score")
        return np.array([] if score is None else [score], np.int64)

    def _errors_in(self, counts: IntArray) -> dict[str, float]:
        """Return how many times as large as estimated a segment's errors are in the reference.

        The error model is the whole model's: a segment may always have had errors of another size.
        """
        model = self._outcomes.error_model
        if model is None:
            return {}
        expected = estimate_errors(self._layout, model, counts)
        return {
            name: self._normal[name].value / figure.value
            for name, figure in expected.items()
            if figure.value > 0.0
        }
