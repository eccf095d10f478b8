"""Predicted and true classes in different forms are the same classes, before and after."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from driftline.consumer import backtest

ROWS = 1_200
RNG = np.random.default_rng(9)
TRUE = RNG.random(ROWS) < 0.4
PREDICTED = np.where(RNG.random(ROWS) < 0.1, ~TRUE, TRUE)
FORMS: dict[str, Any] = {
    "booleans": lambda values: values.tolist(),
    "0 and 1": lambda values: values.astype(int),
    "texts of Python": lambda values: values.astype(str),
    "capitals": lambda values: np.where(values, "TRUE", "FALSE"),
    "yes and no": lambda values: np.where(values, "yes", "no"),
    "Y and N": lambda values: np.where(values, "Y", "N"),
}


@pytest.mark.parametrize("truth", FORMS)
@pytest.mark.parametrize("predicted", ["booleans", "0 and 1", "texts of Python", "capitals"])
def test_classes_are_met_in_any_form(predicted: str, truth: str) -> None:
    data = {"prediction": FORMS[predicted](PREDICTED), "actual": FORMS[truth](TRUE)}

    found = backtest(data, rows=200, min_events=100)

    assert found["performance.accuracy"].change.startswith("0.9")
    assert found.drifted == []


def test_other_classes_are_none_of_these() -> None:
    data = {"prediction": np.where(PREDICTED, "M", "F"), "actual": TRUE}

    found = backtest(data, rows=200, min_events=100)

    assert not any(row.type == "performance" for row in found.features)
    assert any("have no class in common" in str(note) for note in found.notes)
