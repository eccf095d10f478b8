from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from driftline.detectors import FeatureColumn, Reference, build_reference
from driftline.detectors.outcomes import METRICS, Outcomes, count_outcomes, measure
from driftline.errors import ReferenceError  # noqa: A004 (the operator's word for it)

from .windows import binary, scored

RNG = np.random.default_rng(11)
SCORE = RNG.random(600)
LAYOUT = binary(SCORE)
COUNTS = np.array(
    [count_outcomes(LAYOUT, scored(part, part > 0.4)) for part in (SCORE, SCORE[:200], SCORE[200:])]
)


def reference(outcome: dict[str, Any] | None) -> Reference:
    columns = {"x": FeatureColumn("numeric", RNG.normal(size=600))}
    built = build_reference("m", columns, {"channel": ["web"] * 200 + [None] * 400})
    return Reference.from_json(replace(built, outcome=outcome).to_json())


def content(**changed: Any) -> dict[str, Any]:
    sparse = []
    for flat in COUNTS:
        cells = np.flatnonzero(flat)
        sparse.append({"cell": cells.tolist(), "count": flat[cells].tolist()})
    whole = {"n": 600, "layout": LAYOUT.to_json(), "counts": sparse, "error_model": None}
    return {**whole, **changed}


def test_a_reference_gives_its_outcomes_back() -> None:
    outcomes = Outcomes.of(reference(json.loads(json.dumps(content()))))
    assert outcomes is not None
    assert np.array_equal(outcomes.counts, COUNTS)
    assert outcomes.layout.to_json() == LAYOUT.to_json()
    assert outcomes.watched == "accuracy"
    assert outcomes.error_model is None
    assert [found["accuracy"] for found in outcomes.figures] == [
        measure(LAYOUT, flat)["accuracy"] for flat in COUNTS
    ]
    calibration = outcomes.calibration
    assert calibration is not None
    assert calibration.probability.shape == (LAYOUT.bins,)


def test_a_reference_without_ground_truth_has_none() -> None:
    assert Outcomes.of(reference(None)) is None


@pytest.mark.parametrize(
    "outcome",
    [
        {"n": 600, "accuracy": 0.9, "confusion": {"0": {"0": 600}}},
        content(counts=content()["counts"][:2]),
        content(counts=[{"cell": [10**6], "count": [1]}] * 3),
        content(layout={"kind": "ranking"}),
        content(counts=None),
    ],
    ids=["of an older version", "a stream too few", "a cell too many", "no layout", "no counts"],
)
def test_an_outcome_without_counts_says_what_to_do(outcome: dict[str, Any]) -> None:
    with pytest.raises(ReferenceError, match="build it again with driftline reference build"):
        Outcomes.of(reference(outcome))


def test_metrics_come_in_order() -> None:
    found = list(measure(LAYOUT, COUNTS[0], METRICS))
    assert found == list(METRICS)[: len(found)]
    assert found[-1] == "calibration_error"
