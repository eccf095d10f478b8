"""Levels, rounding and what a quiet window shows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.detectors import QuietWindow, level, quiet_share, significant
from driftline.detectors.features.cells import Cells
from driftline.detectors.features.psi import psi

DAY = 86_400_000


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=1e-280, max_value=1e290))
def test_ten_significant_digits_are_kept(x: float) -> None:
    for value in (x, -x):
        assert float(significant(value)) == pytest.approx(float(f"{value:.9e}"), rel=1e-13)
    assert significant(significant(x)) == pytest.approx(float(significant(x)), rel=1e-15)


def test_ordinary_numbers_round_to_the_nearest_double() -> None:
    rng = np.random.default_rng(7)
    for x in rng.normal(size=2_000) * 10.0 ** rng.integers(-9, 12, 2_000):
        assert float(significant(x)) == float(f"{x:.9e}")


def test_special_values_stay() -> None:
    special = np.array([0.0, -0.0, np.nan, np.inf, -np.inf, 1e-320])
    assert np.array_equal(significant(special)[:5], special[:5], equal_nan=True)
    assert not np.signbit(significant(-0.0))
    assert significant(0.123456, digits=3) == 0.123


@given(st.lists(st.floats(), min_size=1, max_size=8), st.sampled_from([1, 6, 10, 15]))
def test_one_by_one_values_are_rounded_as_in_an_array(values: list[float], digits: int) -> None:
    """Few values take another way than many: to the same bits."""
    powers = [float(f"1e{k}") for k in range(-300, 300)]
    with np.errstate(all="ignore"):  # of the very largest
        many = significant([*values, *powers], digits)
        few = [significant(value, digits) for value in (*values, *powers)]
    assert many.tobytes() == np.array(few).tobytes()


def test_last_bits_do_not_matter() -> None:
    assert significant(0.1 + 0.2) == significant(0.3)


def test_level_shares_the_budget() -> None:
    assert level(1, 30 * DAY, 18, 6 * DAY) == 1 / 90
    assert level(100, DAY, 1, DAY) == 1.0
    spent = 7 * level(2, 30 * DAY, 7, DAY) * 30  # tests x level x looks
    assert spent == pytest.approx(2.0)


def test_quiet_share_is_what_the_check_command_states() -> None:
    """With 100 events 2.5 % of quiet windows reach PSI 0.1, 219 of 8,640; with 500 none does."""
    few, more = (
        quiet_share("psi", 0.1, QuietWindow(events, 50_000, bins=10)) for events in (100, 500)
    )
    assert few is not None
    assert more is not None
    assert round(8_640 * few) == 219
    assert 8_640 * more < 1e-3


@pytest.mark.parametrize("n", [200, 1_000])
def test_bias_corrected_psi_is_zero_on_average_when_nothing_changed(n: int) -> None:
    rng = np.random.default_rng(8)
    windows = 4_000
    reference = rng.multinomial(10_000, np.full(10, 0.1), windows)
    window = rng.multinomial(n, np.full(10, 0.1), windows)
    owner = np.repeat(np.arange(windows), 10)
    cells = Cells(owner, reference.ravel(), window.ravel(), windows)
    found = psi(cells, np.full(windows, 0.01))
    spread = found.value.std() / np.sqrt(windows)
    assert abs(found.value.mean()) < 4 * spread + 0.05 * 9 / n  # the law is of the first order
    assert (found.value >= found.threshold).mean() == (found.p_value <= 0.01).mean() < 0.016
