from __future__ import annotations

from math import fsum, ldexp

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.detectors.outcomes.fixed_point import LIMB, split, total

NUMBERS = st.lists(st.floats(-(2.0**20), 2.0**20, width=64), max_size=50)


@given(NUMBERS)
def test_sum_is_exact(numbers: list[float]) -> None:
    # 20 bits above the point, 103 below: every double of at least 2**-50 fits without rounding.
    kept = [x for x in numbers if x == 0.0 or abs(x) >= 2.0**-50]
    cells = split(np.array(kept), -103, 4).sum(axis=1).astype(np.int64)
    assert total(cells, -103) == fsum(kept)


@given(NUMBERS)
def test_limbs_are_whole_and_small(numbers: list[float]) -> None:
    limbs = split(np.array(numbers), -60, 3)
    assert (limbs == np.rint(limbs)).all()
    assert (np.abs(limbs) <= 2.0**LIMB).all()


def test_what_is_below_the_unit_is_rounded() -> None:
    assert total(split(np.array([0.74, 0.76]), -1, 1).sum(axis=1).astype(np.int64), -1) == 1.5


def test_two_thousand_million_values_fit() -> None:
    largest = split(np.array([ldexp(1.0, 60)]), -1, 2)[:, 0]
    cells = [int(limb) * 2**31 for limb in largest]
    assert max(cells) < 2**63
    assert total(np.array(cells), -1) == pytest.approx(ldexp(1.0, 91))
