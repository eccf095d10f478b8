"""Estimated performance on real data: it falls as the realised one does, without its labels."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from driftline.detectors.grid import FloatArray
from driftline.detectors.outcomes import (
    Figure,
    OutcomeLayout,
    OutcomeRows,
    Outcomes,
    count_outcomes,
    measure,
)
from driftline.detectors.outcomes.calibration import Calibration
from driftline.detectors.outcomes.estimation import count_predictions, estimate, gap
from driftline.producer.files.rows import read_rows
from driftline.producer.records.mapping import Mapping
from driftline.producer.reference.build import ReferenceSettings, reference_from_rows

DATA = Path(__file__).parents[2] / "data"
MAPPING = Mapping(
    {
        "timestamp": "timestamp",
        "event_id": "id",
        "prediction.score": "y_pred_proba",
        "prediction.label": "y_pred",
        "actual": "repaid",
        "features": "*",
    }
)
ROWS = 1_000  # a window: about six days


@dataclass(frozen=True)
class Window:
    realised: dict[str, Figure]
    estimated: dict[str, Figure]
    gap: tuple[float, float]


def column(file: str, name: str) -> FloatArray:
    rows = (row for chunk in read_rows(DATA / file) for row in chunk)
    return np.array([float(row[name]) for row in rows])


@cache
def reference() -> tuple[OutcomeLayout, Calibration]:
    rows = read_rows(DATA / "car_loan_reference.csv.gz")
    built = reference_from_rows(rows, MAPPING, ReferenceSettings("car-loan"))
    outcomes = Outcomes.of(built.reference)
    assert outcomes is not None
    assert outcomes.calibration is not None
    return outcomes.layout, outcomes.calibration


@cache
def analysis() -> OutcomeRows:
    assert np.array_equal(
        column("car_loan_analysis.csv.gz", "id"), column("car_loan_analysis_target.csv.gz", "id")
    )
    return OutcomeRows(
        column("car_loan_analysis.csv.gz", "y_pred").astype(np.int32),
        column("car_loan_analysis.csv.gz", "y_pred_proba"),
        column("car_loan_analysis_target.csv.gz", "repaid"),
    )


def window(begin: int, end: int) -> Window:
    layout, calibration = reference()
    own, rows = slice(begin, end), analysis()
    predicted, score = rows.predicted[own], rows.score[own]
    counts = count_outcomes(layout, OutcomeRows(predicted, score, rows.actual[own]))
    cells = count_predictions(layout, predicted, score)
    return Window(
        measure(layout, counts),
        estimate(layout, calibration, cells),
        gap(layout, calibration, counts),
    )


@pytest.mark.parametrize(
    ("begin", "accuracy", "estimated_accuracy", "auc", "estimated_auc"),
    [(0, 0.9438, 0.9436, 0.9711, 0.9707), (25_000, 0.9158, 0.9113, 0.9597, 0.9605)],
    ids=["before the drift", "after it"],
)
def test_estimates_fall_as_the_realised_values_do(
    begin: int, accuracy: float, estimated_accuracy: float, auc: float, estimated_auc: float
) -> None:
    found = window(begin, begin + 25_000)
    assert found.realised["accuracy"].value == pytest.approx(accuracy, abs=1e-4)
    assert found.realised["roc_auc"].value == pytest.approx(auc, abs=1e-4)
    assert found.estimated["accuracy"].value == pytest.approx(estimated_accuracy, abs=1e-4)
    assert found.estimated["roc_auc"].value == pytest.approx(estimated_auc, abs=1e-4)
    for name in ("accuracy", "roc_auc"):
        figure, realised = found.estimated[name], found.realised[name].value
        # The scores of this data mean a little more after the drift than before.
        assert figure.low <= realised <= figure.high + 2e-4
    assert found.gap[1] > 0.4  # the estimates are to be trusted: a score means what it meant


def test_each_window_tells_the_drift_without_its_labels() -> None:
    windows = [window(begin, begin + ROWS) for begin in range(0, 50_000, ROWS)]
    estimated = [each.estimated["accuracy"].value for each in windows]
    assert min(estimated[:25]) > 0.935 > 0.92 > max(estimated[25:])
    inside = sum(
        each.estimated["accuracy"].low
        <= each.realised["accuracy"].value
        <= each.estimated["accuracy"].high
        for each in windows
    )
    assert inside == 48
    assert min(each.gap[1] for each in windows) > 0.01
