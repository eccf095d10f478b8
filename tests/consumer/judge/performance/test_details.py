"""The confusion matrix and the residuals' quantiles, as verdicts hold them."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest
from sklearn.metrics import confusion_matrix
from tests.consumer.service.small import (
    MODEL,
    SECOND,
    START,
    TOPIC,
    WINDOW,
    backtest,
    plan,
    verdicts,
)

from driftline.consumer.http.series import performance_series
from driftline.consumer.judge.performance.details import NO_DETAILS, details_of
from driftline.consumer.service.plan import Plan
from driftline.consumer.wire.records import Verdict
from driftline.detectors import Reference
from driftline.detectors.outcomes import OutcomeLayout
from driftline.producer.records.mapping import Mapping
from driftline.producer.reference.build import ReferenceSettings, reference_from_rows

Row = dict[str, Any]
COLOURS = ["blue", "green", "red"]


def rows(answers: list[Any], truths: list[Any], start: int = START) -> list[Row]:
    """Events with their ground truth, ten a second."""
    return [
        {
            "event_id": f"{start}-{i}", "timestamp": start + i * SECOND // 10, "model": MODEL,
            "features": {"x": i % 7 / 7}, "prediction": answer, "actual": truth,
        }
        for i, (answer, truth) in enumerate(zip(answers, truths, strict=True))
    ]  # fmt: skip


def reference(some: list[Row]) -> Reference:
    return reference_from_rows([some], Mapping(), ReferenceSettings(MODEL)).reference


def labelled(built: Reference) -> Plan:
    labels = {"topic": TOPIC, "horizon": "60s"}
    return plan({MODEL: built}, labels=labels, window={**WINDOW, "every": "30s"})


def judged(built: Reference, some: list[Row], feature: str) -> Verdict:
    """The verdict on the only whole window of labels."""
    found = verdicts(backtest(labelled(built), some), f"performance.{feature}")
    return next(one for one in found if one.state == "ok")


def test_accuracy_has_the_confusion_matrix_of_all_classes() -> None:
    rng = np.random.default_rng(3)
    truths = rng.choice(COLOURS, 900).tolist()
    answers = [t if rng.random() < 0.7 else str(rng.choice([*COLOURS, "mauve"])) for t in truths]
    built = reference(rows(truths, truths))
    verdict = judged(built, rows(answers, truths), "accuracy")
    assert verdict.confusion is not None
    assert verdict.confusion["classes"] == COLOURS
    within = verdict.counts["labelled"] if verdict.counts else 0
    wanted = confusion_matrix(truths[:within], answers[:within], labels=[*COLOURS, "mauve"])
    assert verdict.confusion["window"] == wanted[:3].tolist()
    assert np.trace(np.array(verdict.confusion["reference"])) == 900
    written = msgspec.json.decode(msgspec.json.encode(verdict))
    assert list(written)[-3:] == ["bins", "confusion", "note"]
    assert verdict.detectors["accuracy"].value == pytest.approx(np.trace(wanted) / within, abs=1e-6)


def test_bias_has_the_residuals_quantiles_with_their_intervals() -> None:
    rng = np.random.default_rng(4)
    truths = rng.normal(50, 10, 900)
    built = reference(rows((truths + rng.normal(0, 2, 900)).tolist(), truths.tolist()))
    residuals = rng.normal(1, 3, 900)
    verdict = judged(built, rows((truths + residuals).tolist(), truths.tolist()), "bias")
    within = verdict.counts["labelled"] if verdict.counts else 0
    assert list(verdict.detectors) == [
        "bias", "residual_q05", "residual_q25", "residual_q50", "residual_q75", "residual_q95",
    ]  # fmt: skip
    for share in (0.05, 0.25, 0.5, 0.75, 0.95):
        figure = verdict.detectors[f"residual_q{round(100 * share):02}"]
        assert figure.state is None
        assert figure.interval is not None
        low, high = figure.interval
        assert low is not None
        assert high is not None
        assert figure.value == pytest.approx(np.quantile(residuals[:within], share), abs=0.25)
        assert low < np.quantile(residuals[:within], share) < high
        assert figure.reference == pytest.approx(
            2 * {0.05: -1.645, 0.25: -0.674, 0.5: 0, 0.75: 0.674, 0.95: 1.645}[share], abs=0.4
        )


def test_each_figure_is_a_series_of_its_own() -> None:
    rng = np.random.default_rng(4)
    truths = rng.normal(50, 10, 900)
    some = rows((truths + rng.normal(0, 2, 900)).tolist(), truths.tolist())
    verdict = judged(reference(some), some, "bias")
    found = performance_series(set(), {("", verdict.subject.field): verdict}, set())
    values = {one.labels: one.value for one in found if one.metric == "performance"}
    assert values == {("", name): figure.value for name, figure in verdict.detectors.items()}


def test_other_metrics_and_features_have_neither() -> None:
    truths = ["no", "yes"] * 300
    built = reference(rows(truths, truths))
    found = verdicts(backtest(labelled(built), rows(truths, truths)))
    for verdict in found:
        written = msgspec.json.decode(msgspec.json.encode(verdict))
        has = verdict.feature == "performance.accuracy" and verdict.state != "insufficient"
        assert ("confusion" in written) == has


def test_a_matrix_of_many_classes_is_left_out() -> None:
    layout = OutcomeLayout.classification([str(i) for i in range(21)], None, labelled=True)
    counts = np.ones(layout.size, np.int64)
    assert details_of("accuracy", layout, counts, counts) is NO_DETAILS
    assert details_of("f1", layout, counts, counts) is NO_DETAILS
