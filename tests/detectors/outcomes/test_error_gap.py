"""A regression's errors against those that its inputs let expect."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import isnan

import numpy as np
import pytest
from scipy import stats
from tests.detectors.outcomes.windows import values

from driftline.detectors import Columns, Feature, Layout, choose_grid, count_columns
from driftline.detectors.counts import with_ties
from driftline.detectors.grid import FloatArray
from driftline.detectors.outcomes import OutcomeLayout, OutcomeRows, count_outcomes, error_gap
from driftline.detectors.outcomes.error_model import (
    ErrorModel,
    EventErrors,
    cells_of,
    fit_errors,
)

RNG = np.random.default_rng(11)


def draw(n: int) -> Columns:
    """Inputs with ties, gaps, missing, absent and invalid values, and categories."""
    x = RNG.normal(size=(n, 2)).round(1)
    x[:, 1] += RNG.normal(size=n)
    x[RNG.random(n) < 0.02, 0] = np.nan
    x[RNG.random(n) < 0.02, 0] = np.inf
    x[RNG.random(n) < 0.02, 1] = -np.inf
    return Columns(x, RNG.integers(0, 7, (n, 1)).astype(np.int32))


def fitted() -> tuple[Layout, ErrorModel]:
    columns = draw(4_000)
    grids = [choose_grid(np.sort(own[np.isfinite(own)]), 50) for own in columns.numeric.T]
    features = [Feature(f"x{f}", "numeric", grid) for f, grid in enumerate(grids)]
    layout = Layout.of([*features, Feature("c", "categorical", np.empty(0), ("p", "q", "r"))])
    layout = with_ties(layout, count_columns(layout, columns))
    spread = 1.0 + columns.codes[:, 0] + np.nan_to_num(columns.numeric[:, 1], neginf=0.0) ** 2
    return layout, fit_errors(layout, columns, spread * RNG.normal(size=4_000))


LAYOUT, MODEL = fitted()


@pytest.mark.parametrize("off", [0.0, 1e-8])
def test_expected_errors_of_events_add_up_to_those_of_their_counts(off: float) -> None:
    """Also of values a few bits beside those that many events share."""
    columns = draw(3_000)
    columns.numeric += off
    counts = count_columns(LAYOUT, columns)
    shares = np.add.reduceat(counts, MODEL.cells) / 3_000
    mean = MODEL.mean[0] + MODEL.weights[0] @ shares
    assert EventErrors(LAYOUT, MODEL, 1.0).of(columns).mean(dtype=np.float64) == pytest.approx(mean)


@pytest.mark.parametrize("off", [0.0, 1e-8])
def test_the_cells_of_events_are_those_that_are_counted(off: float) -> None:
    columns = draw(2_000)
    columns.numeric += off
    counts = count_columns(LAYOUT, columns)
    for f, start in enumerate(LAYOUT.starts[:-1]):
        cells = cells_of(LAYOUT, columns, f)
        own = counts[start : LAYOUT.starts[f + 1]]
        assert (np.bincount(cells, minlength=own.size) == own).all()


def test_the_unit_scales_and_what_no_float_holds_is_infinite() -> None:
    columns = draw(50)
    whole, half = (EventErrors(LAYOUT, MODEL, unit).of(columns) for unit in (1.0, 0.5))
    assert (half == 2.0 * whole).all()
    assert np.isinf(EventErrors(LAYOUT, MODEL, 1e-60).of(columns)).any()


def compared(residual: FloatArray) -> OutcomeLayout:
    layout = OutcomeLayout.regression(residual, np.zeros(residual.size))
    return replace(layout, errors="0123456789abcdef")


def rows(residual: FloatArray, expected: FloatArray | float, unit: float) -> OutcomeRows:
    own = values(residual, np.zeros(residual.size))
    own.expected = np.broadcast_to(expected, residual.shape) / unit
    return own


def test_a_gap_is_welchs_test_of_the_excess() -> None:
    normal, now = RNG.standard_t(8, 3_000), 1.15 * RNG.standard_t(8, 900)
    expected, expected_now = RNG.uniform(0.5, 1.5, 3_000), RNG.uniform(0.5, 1.5, 900)
    layout = compared(normal)
    assert layout.grid is not None
    unit = layout.grid.scale
    found = error_gap(
        layout,
        count_outcomes(layout, rows(now, expected_now, unit)),
        count_outcomes(layout, rows(normal, expected, unit)),
    )
    before, after = np.abs(normal) - expected, np.abs(now) - expected_now
    assert after.var() > before.var()  # so the reference's mean counts as that uncertain
    wider = before.mean() + (before - before.mean()) * after.std(ddof=1) / before.std(ddof=1)
    tested = stats.ttest_ind(after, wider, equal_var=False, alternative="greater")
    assert found.figure.value == pytest.approx(after.mean() - before.mean(), rel=1e-8)
    assert found.expected == pytest.approx(expected_now.mean() + before.mean(), rel=1e-8)
    assert found.realised == pytest.approx(np.abs(now).mean(), rel=1e-8)
    assert found.effect == pytest.approx(found.realised / found.expected - 1.0, rel=1e-6)
    assert found.p_value == pytest.approx(tested.pvalue, rel=1e-6)
    half = (found.figure.high - found.figure.low) / 2
    error = found.figure.value / float(tested.statistic)
    assert half == pytest.approx(1.959963985 * error, rel=1e-6)


def test_events_count_in_any_order_and_are_taken_out_again() -> None:
    residual, expected = RNG.normal(size=500), RNG.random(500)
    expected[::7] = np.nan  # not known
    layout = compared(residual)
    own = rows(residual, expected, 1.0)
    counts = count_outcomes(layout, own)
    order = RNG.permutation(500)
    parts = sum(count_outcomes(layout, own.select(order[i::3])) for i in range(3))
    assert (counts == parts).all()
    weight = np.repeat([1, -1], 500)
    twice = count_outcomes(layout, own.select(np.tile(order, 2)), weight)
    assert not twice.any()
    assert layout.view(counts, "pairs")[0] == 500
    assert layout.view(counts, "estimated")[0] == 500 - np.isnan(expected).sum()
    none = count_outcomes(layout, values(residual, np.zeros(500)))
    assert not layout.view(none, "estimated").any()
    assert (none[: layout.sections["estimated"].start] == counts[:-13]).all()


@pytest.mark.parametrize("known", [0, 1])
def test_without_two_events_there_is_no_gap(known: int) -> None:
    residual = RNG.normal(size=400)
    layout = compared(residual)
    whole = count_outcomes(layout, rows(residual, 1.0, 1.0))
    few = count_outcomes(layout, rows(residual[:known], 1.0, 1.0))
    for found in (error_gap(layout, few, whole), error_gap(layout, whole, few)):
        assert all(map(isnan, (found.p_value, found.expected, found.figure.value, found.effect)))


def test_errors_that_are_exactly_as_expected_have_no_probability() -> None:
    residual = np.ones(400)
    layout = compared(residual)
    counts = count_outcomes(layout, rows(residual, 1.0, 1.0))
    found = error_gap(layout, counts, counts)
    assert (found.figure.value, found.expected) == (0.0, 1.0)
    assert isnan(found.p_value)


@pytest.mark.parametrize("law", ["normal", "exponential", "t3", "rare"])
def test_quiet_windows_are_significant_as_seldom_as_they_say(law: str) -> None:
    """Also where a reference of 300 events has none of the large errors that windows have."""
    draws: dict[str, Callable[[int], FloatArray]] = {
        "normal": lambda n: RNG.normal(size=n),
        "exponential": lambda n: RNG.exponential(size=n),
        "t3": lambda n: RNG.standard_t(3, n),
        "rare": lambda n: np.where(RNG.random(n) < 0.01, 1.0, 0.0),
    }
    found = []
    for _ in range(12):
        normal = draws[law](300)
        layout = compared(normal)
        reference = count_outcomes(layout, rows(normal, 0.5, 1.0))
        for _ in range(25):
            window = count_outcomes(layout, rows(draws[law](300), 0.5, 1.0))
            found.append(error_gap(layout, window, reference).p_value)
    assert np.mean(np.array(found) <= 0.01) <= 0.03
