"""The figures of the documented verdicts and alerts, from the car-loan data, to the digit shown."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

import numpy as np
import pytest

from driftline.detectors import (
    Baseline,
    Comparison,
    FeatureColumn,
    Layout,
    Reference,
    build_reference,
    compare,
    count_columns,
    encode,
)
from driftline.detectors.features.cells import Cells
from driftline.detectors.features.chi_square import chi_square
from driftline.detectors.features.psi import psi, psi_terms
from driftline.detectors.grid import IntArray

DATA = Path(__file__).parents[1] / "data"
NUMERIC = {
    "car_value": "car_value",
    "debt_to_income_ratio": "debt_to_income_ratio",
    "loan_length": "loan_length",
    "driver_tenure": "driver_tenure",
    "prediction.score": "y_pred_proba",
}
ALPHA = 1 / (18 * 5)


def read(name: str) -> list[dict[str, str]]:
    with gzip.open(DATA / name, "rt", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def columns(rows: list[dict[str, str]]) -> dict[str, FeatureColumn]:
    found = {
        name: FeatureColumn("numeric", np.array([float(row[key]) for row in rows]))
        for name, key in NUMERIC.items()
    }
    for name in ("salary_range", "size_of_downpayment"):
        found[name] = FeatureColumn("categorical", [row[name] for row in rows])
    found["prediction.label"] = FeatureColumn("categorical", [row["y_pred"] for row in rows])
    repaid = [row["repaid_loan_on_prev_car"].lower() for row in rows]
    found["repaid_loan_on_prev_car"] = FeatureColumn("boolean", repaid)
    return found


@pytest.fixture(scope="module")
def reference() -> Reference:
    return build_reference("car-loan", columns(read("car_loan_reference.csv.gz")), grid=None)


@pytest.fixture(scope="module")
def baseline(reference: Reference) -> Baseline:
    return Baseline(reference.layout, reference.counts[0])


def between(layout: Layout, begin: str, end: str) -> IntArray:
    rows = [row for row in read("car_loan_analysis.csv.gz") if begin <= row["timestamp"] < end]
    return count_columns(layout, encode(layout, columns(rows)))


@pytest.fixture(scope="module")
def window(reference: Reference) -> IntArray:
    return between(reference.layout, "2019-04-02", "2019-04-08")


@pytest.fixture(scope="module")
def found(baseline: Baseline, window: IntArray) -> Comparison:
    return compare(baseline, window, ALPHA)


VERDICTS = [
    ("car_value", "ks", 0.430551, 6.87915e-157, 0.0516913),
    ("car_value", "psi", 1.53282, 0.0, 0.0127282),
    ("car_value", "jensen_shannon", 0.143782, 6.848e-235, 0.00274874),
    ("salary_range", "chi_square", 99.7874, 1.72664e-21, 11.1167),
    ("salary_range", "psi", 0.266832, 1.43569e-56, 0.00835278),
    ("salary_range", "jensen_shannon", 0.0268827, 4.82768e-45, 0.00143),
]


@pytest.mark.parametrize(("feature", "detector", "value", "p_value", "threshold"), VERDICTS)
def test_verdict_figures(
    reference: Reference,
    found: Comparison,
    feature: str,
    detector: str,
    value: float,
    p_value: float,
    threshold: float,
) -> None:
    f, result = reference.layout.position[feature], found.detectors[detector]
    assert float(f"{result.value[f]:.6g}") == value
    assert float(f"{result.p_value[f]:.6g}") == p_value
    assert float(f"{result.threshold[f]:.6g}") == threshold


def test_wasserstein_from_counts_is_within_a_gap_of_the_exact_value(
    reference: Reference, found: Comparison
) -> None:
    """18,323.6 from the values themselves; from counts the values in gaps stand at the middle."""
    value = found.detectors["wasserstein"].value[reference.layout.position["car_value"]]
    assert float(f"{value:.6g}") == 18323.4
    assert value == pytest.approx(18323.6, rel=2e-5)


@pytest.mark.parametrize(
    ("feature", "effect"),
    [
        ("car_value", "1.53"),
        ("repaid_loan_on_prev_car", "0.30"),
        ("salary_range", "0.27"),
        ("prediction.score", "0.26"),
        ("loan_length", "0.31"),
    ],
)
def test_effects_of_the_backtest(
    reference: Reference, found: Comparison, feature: str, effect: str
) -> None:
    assert f"{found.effect[reference.layout.position[feature]]:.2f}" == effect


def test_counts(reference: Reference, found: Comparison) -> None:
    assert reference.events == 50_000
    assert (found.events == 991).all()
    assert (found.valid == 991).all()
    assert (found.out_of_range[reference.layout.position["car_value"]]) == 0


def test_bins(reference: Reference, baseline: Baseline, window: IntArray) -> None:
    bins = baseline.bins(reference.layout.position["car_value"], window)
    assert bins.upper is not None
    assert bins.upper.tolist() == ([11744, 13494, 15624, 18283, 21902, 26738, 33619, 44064, 60684])
    assert bins.reference.tolist() == ([5003, 4998, 5000, 4999, 5000, 5001, 4999, 5001, 4999, 5000])
    assert bins.window.tolist() == [0, 3, 9, 22, 58, 79, 137, 206, 219, 258]
    top = sorted(bins.contribution, reverse=True)[:5]
    assert [float(f"{c:.6g}") for c in top] == (
        [0.341843, 0.209393, 0.137849, 0.0986698, 0.0746478]
    )
    ranges = baseline.bins(reference.layout.position["salary_range"], window)
    assert ranges.categories == ("0 - 20K €", "20K - 40K €", "40K - 60K €", "60K+ €")
    assert ranges.reference.tolist() == [19918, 15047, 9977, 5058]
    assert ranges.window.tolist() == [418, 341, 226, 6]


@pytest.mark.parametrize(
    ("feature", "begin", "end", "median", "normally"),
    [
        ("car_value", "2019-04-02", "2019-04-08", 43_485, 21_902),
        ("car_value", "2019-03-27", "2019-04-02", 28_921, 21_902),
        ("prediction.score", "2019-04-02", "2019-04-08", 0.64, 0.52),
        ("loan_length", "2019-04-02", "2019-04-08", 18, 16),
    ],
)
def test_medians_of_the_sentences(
    reference: Reference,
    baseline: Baseline,
    feature: str,
    begin: str,
    end: str,
    median: float,
    normally: float,
) -> None:
    f = reference.layout.position[feature]
    assert baseline.quantile(f, 0.5, between(reference.layout, begin, end)) == median
    assert baseline.quantile(f, 0.5) == normally


def test_resolved_alert() -> None:
    counts = np.array([19918, 15047, 9977, 5058, 0]), np.array([360, 300, 222, 109, 0])
    cells = Cells(np.zeros(5, np.intp), *counts, 1)
    test = chi_square(cells, np.array([ALPHA]))
    assert float(f"{test.value[0]:.6g}") == 6.67734
    assert float(f"{test.p_value[0]:.6g}") == 0.0829251
    assert float(f"{test.threshold[0]:.6g}") == 11.1167
    assert float(f"{psi(cells, np.array([ALPHA])).value[0]:.6g}") == 0.0038281
    terms = psi_terms(cells)
    wanted = [0.474003, 0.00135303, 0.411155, 0.113489, 0.0]
    assert [float(f"{share:.6g}") for share in terms / terms.sum()] == wanted


def test_default_grid_loses_at_most_its_error(reference: Reference, found: Comparison) -> None:
    rows = read("car_loan_reference.csv.gz")
    cut = build_reference("car-loan", columns(rows))
    assert len(cut.to_json()) < 100_000
    again = compare(
        Baseline(cut.layout, cut.counts[0]), between(cut.layout, "2019-04-02", "2019-04-08"), ALPHA
    )
    for f, feature in enumerate(cut.layout.features):
        assert again.effect[f] == found.effect[f]  # deciles are kept
        if feature.type == "numeric":
            lost = found.detectors["ks"].value[f] - again.detectors["ks"].value[f]
            assert 0 <= lost <= feature.ks_error + 1e-9
            assert feature.ks_error <= 1.01 / 1024
