"""Delays of labels, in cells that add up."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.consumer.join.oracle import delay_cell

from driftline.consumer.join.cells import DELAYS, EXPIRED, EXTRA_CELLS, delay, labelled

DAY = 86_400_000


def cells(delays: list[int], expired: int = 0) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    counts = np.bincount(np.searchsorted(DELAYS, delays), minlength=EXTRA_CELLS)
    counts[EXPIRED] = expired
    return counts


def test_cells_reach_from_a_second_over_twenty_years() -> None:
    assert DELAYS[0] == 1_000
    assert DELAYS[-1] > 20 * 365 * DAY
    assert (np.diff(DELAYS) > 0).all()
    assert [int(np.searchsorted(DELAYS, d)) for d in (0, 1_000, 1_001, 7 * DAY)] == [0, 0, 1, 39]
    assert [delay_cell(d) for d in (0, 1_000, 1_001, 7 * DAY)] == [0, 0, 1, 39]


@given(
    st.lists(st.integers(0, 30 * DAY), min_size=1, max_size=50),
    st.sampled_from([0.01, 0.25, 0.5, 0.95, 1.0]),
    st.integers(0, 9),
)
def test_a_quantile_is_an_upper_bound_at_most_root_two_too_large(
    delays: list[int], share: float, expired: int
) -> None:
    found = delay(cells(delays, expired), share)
    exact = float(np.quantile(delays, share, method="inverted_cdf"))
    assert found is not None
    assert exact <= found <= max(1_000, exact * 2**0.5 + 1)
    assert labelled(cells(delays, expired)) == len(delays)


def test_no_labels_have_no_delay() -> None:
    assert delay(cells([], expired=4), 0.5) is None
    assert labelled(cells([], expired=4)) == 0


@pytest.mark.parametrize("share", [0.5, 0.95])
def test_beyond_all_cells_the_last_bound_is_told(share: float) -> None:
    assert delay(cells([1_000 * 365 * DAY] * 3), share) == DELAYS[-1]
