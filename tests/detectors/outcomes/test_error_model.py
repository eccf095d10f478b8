from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import Ridge

from driftline.detectors import Columns, Feature, Layout, choose_grid, count_columns
from driftline.detectors.grid import FloatArray, IntArray
from driftline.detectors.outcomes.error_model import (
    RIDGE,
    ErrorModel,
    cells_of,
    estimate_errors,
    fit_errors,
)

NONE = np.empty(0)


def layout_of(columns: Columns) -> Layout:
    """Numeric features x0, x1, ... and one of three categories."""
    numeric = [
        Feature(f"x{f}", "numeric", choose_grid(np.sort(column[np.isfinite(column)]), 300))
        for f, column in enumerate(columns.numeric.T)
    ]
    return Layout.of([*numeric, Feature("c", "categorical", NONE, ("a", "b", "c"))])


def flat_cells(layout: Layout, columns: Columns) -> IntArray:
    blocks = [cells_of(layout, columns, f) for f in range(len(layout.features))]
    return np.stack(blocks, axis=1) + layout.starts[:-1]


def draw(
    rng: np.random.Generator, n: int, shift: float = 0.0, shares: tuple[float, ...] = (1, 1, 1)
) -> tuple[Columns, FloatArray]:
    """Errors that grow with the first feature and depend on the category; the second is noise."""
    x = rng.normal([shift, 0.0], 1.0, (n, 2))
    c = rng.choice(3, n, p=np.array(shares) / sum(shares)).astype(np.int32)
    scale = 1.0 + 0.5 * np.abs(x[:, 0] + 1.0) + 0.8 * c
    return Columns(x, c[:, None]), scale * rng.standard_t(8, n)


@pytest.mark.parametrize(
    ("shift", "shares"),
    [(0.0, (1, 1, 1)), (0.7, (1, 1, 1)), (-0.7, (1, 1, 1)), (0.0, (0.2, 1, 3)), (1.0, (3, 1, 0))],
)
def test_follows_the_realised_errors_under_covariate_shift(
    shift: float, shares: tuple[float, ...]
) -> None:
    rng = np.random.default_rng(1)
    columns, residual = draw(rng, 20_000)
    layout = layout_of(columns)
    model = fit_errors(layout, columns, residual)
    columns, residual = draw(rng, 100_000, shift, shares)  # events that the model never saw
    found = estimate_errors(layout, model, count_columns(layout, columns))
    assert found["mae"].value == pytest.approx(float(np.abs(residual).mean()), rel=0.03)
    assert found["rmse"].value == pytest.approx(float(np.sqrt((residual**2).mean())), rel=0.04)


def test_realised_values_lie_in_the_interval_in_95_percent() -> None:
    rng = np.random.default_rng(2)
    inside = dict.fromkeys([(name, s) for name in ("mae", "rmse") for s in (0.0, 0.7)], 0)
    for run in range(400):
        if run % 4 == 0:
            columns, residual = draw(rng, 5_000)
            layout = layout_of(columns)
            model = fit_errors(layout, columns, residual)
        for shift in (0.0, 0.7):
            columns, residual = draw(rng, 1_000, shift)
            realised = np.abs(residual).mean(), np.sqrt((residual**2).mean())
            figures = estimate_errors(layout, model, count_columns(layout, columns))
            for (name, figure), value in zip(figures.items(), realised, strict=True):
                inside[name, shift] += figure.low <= value <= figure.high
    # Beyond the outermost percent of the reference the model is constant: a little less there.
    assert all(0.90 <= count / 400 <= 0.98 for count in inside.values()), inside
    assert all(inside[name, 0.0] / 400 >= 0.93 for name in ("mae", "rmse")), inside


def test_estimates_what_another_model_cannot_know() -> None:
    """Larger errors of the same inputs are not seen: it is an estimate from inputs only."""
    rng = np.random.default_rng(3)
    columns, residual = draw(rng, 5_000)
    layout = layout_of(columns)
    model = fit_errors(layout, columns, residual)
    found = estimate_errors(layout, model, count_columns(layout, columns))
    assert found["mae"].value == pytest.approx(float(np.abs(residual).mean()), rel=1e-4)
    assert found["rmse"].value == pytest.approx(float(np.sqrt((residual**2).mean())), rel=1e-4)
    assert found["mae"].n == 5_000


def test_weights_are_those_of_sklearns_ridge() -> None:
    rng = np.random.default_rng(4)
    columns, residual = draw(rng, 800)
    layout = layout_of(columns)
    model = fit_errors(layout, columns, residual)
    bins = np.searchsorted(model.cells, flat_cells(layout, columns), "right") - 1
    design = np.zeros((800, model.cells.size))
    design[np.arange(800)[:, None], bins] = 1.0
    for target, mean, weights in zip(
        (np.abs(residual), residual**2), model.mean, model.weights, strict=True
    ):
        ridge = Ridge(alpha=RIDGE, solver="cholesky").fit(design, target)
        assert np.allclose(mean + design @ weights, ridge.predict(design), rtol=0, atol=1e-4 * mean)
    assert np.array_equal(model.held, design.sum(axis=0))


CELLS = st.floats(-3, 3) | st.sampled_from([np.nan, np.inf, -np.inf, 0.0, 1.0])


@given(st.lists(st.tuples(CELLS, st.integers(0, 6)), min_size=1, max_size=40))
def test_cells_are_those_that_are_counted(events: list[tuple[float, int]]) -> None:
    columns = Columns(
        np.array([[x] for x, _ in events]), np.array([[c] for _, c in events], np.int32)
    )
    layout = Layout.of(
        [
            Feature("x", "numeric", np.array([-1.0, 0.0, 0.5, 1.0])),
            Feature("c", "categorical", NONE, ("a", "b", "c")),
        ]
    )
    flat = flat_cells(layout, columns)
    counted = np.bincount(flat.ravel(), minlength=layout.size)
    assert np.array_equal(counted, count_columns(layout, columns))


def test_missing_absent_and_unseen_values_have_errors_of_their_own() -> None:
    rng = np.random.default_rng(5)
    x = rng.normal(size=(4_000, 1))
    x[::4], x[1::8] = np.nan, np.inf
    columns = Columns(x, rng.integers(0, 3, (4_000, 1)).astype(np.int32))
    layout = layout_of(columns)
    residual = np.where(np.isnan(x[:, 0]), 5.0, 1.0) * rng.choice([-1.0, 1.0], 4_000)
    model = fit_errors(layout, columns, residual)
    gone, new = (
        Columns(np.full((900, 1), np.nan), np.full((900, 1), code, np.int32)) for code in (0, 3)
    )
    known = estimate_errors(layout, model, count_columns(layout, gone))["mae"]
    unseen = estimate_errors(layout, model, count_columns(layout, new))["mae"]
    assert known.value == pytest.approx(5.0, rel=0.01)
    assert unseen.value == pytest.approx(5.0, rel=0.01)
    assert unseen.high - unseen.low > 5.0 * (known.high - known.low)  # nobody knows of it


def test_the_order_of_the_events_does_not_matter() -> None:
    rng = np.random.default_rng(6)
    columns, residual = draw(rng, 3_000)
    residual *= 10.0 ** rng.uniform(-6, 6, 3_000)
    order = rng.permutation(3_000)
    layout = layout_of(columns)
    again = Columns(columns.numeric[order], columns.codes[order])
    first = fit_errors(layout, columns, residual).to_json()
    assert fit_errors(layout, again, residual[order]).to_json() == first


def test_json_round_trip() -> None:
    rng = np.random.default_rng(7)
    columns, residual = draw(rng, 2_000)
    layout = layout_of(columns)
    model = fit_errors(layout, columns, residual)
    text = json.dumps(model.to_json(), allow_nan=False)
    restored = ErrorModel.from_json(json.loads(text))
    counts = count_columns(layout, draw(rng, 100)[0])
    assert estimate_errors(layout, restored, counts) == estimate_errors(layout, model, counts)
    broken = model.to_json()
    broken["weights"][0].pop()
    with pytest.raises(ValueError, match=r"."):
        ErrorModel.from_json(broken)


@pytest.mark.parametrize(
    "residual", [np.zeros(1), np.zeros(50), np.full(50, 3.0), np.array([1e75])]
)
def test_constant_and_single_errors(residual: FloatArray) -> None:
    n = residual.size
    columns = Columns(np.zeros((n, 1)), np.zeros((n, 1), np.int32))
    layout = layout_of(columns)
    model = fit_errors(layout, columns, residual)
    found = estimate_errors(layout, model, count_columns(layout, columns))
    assert found["mae"].value == pytest.approx(residual[0])
    assert found["rmse"].value == pytest.approx(residual[0])
    json.dumps(model.to_json(), allow_nan=False)


def test_an_empty_window_has_no_estimate() -> None:
    columns, residual = draw(np.random.default_rng(8), 100)
    layout = layout_of(columns)
    found = estimate_errors(
        layout, fit_errors(layout, columns, residual), np.zeros(layout.size, np.int64)
    )
    assert all(np.isnan(figure.value) and figure.n == 0 for figure in found.values())
