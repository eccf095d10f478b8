from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from driftline.detectors.features.cells import Cells, Result
from driftline.detectors.features.cramer_von_mises import cramer_von_mises
from driftline.detectors.grid import FloatArray


def judged(old: FloatArray, new: FloatArray, level: float = 0.01) -> Result:
    distinct, which = np.unique(np.concatenate([old, new]), return_inverse=True)
    owner = np.zeros(distinct.size, np.intp)
    sides = which[: old.size], which[old.size :]
    old_counts, new_counts = (np.bincount(side, minlength=distinct.size) for side in sides)
    return cramer_von_mises(Cells(owner, old_counts, new_counts, 1), np.array([level]))


@pytest.mark.parametrize(("n", "m"), [(2, 3), (7, 30), (100, 100), (500, 3_000)])
@pytest.mark.parametrize("shift", [0.0, 0.1])
def test_untied_values_equal_scipy(n: int, m: int, shift: float) -> None:
    rng = np.random.default_rng(n)
    for _ in range(20):
        old, new = rng.normal(size=m), rng.normal(shift, size=n)
        found = judged(old, new)
        wanted = stats.cramervonmises_2samp(old, new, method="asymptotic")
        assert found.value[0] == pytest.approx(wanted.statistic, rel=1e-9)
        # scipy leaves terms below 1e-7 out of the law.
        assert found.p_value[0] == pytest.approx(wanted.pvalue, abs=2e-7)
        assert judged(old, new, found.p_value[0]).threshold == pytest.approx(found.value, rel=1e-6)


@pytest.mark.parametrize("decimals", [None, 1, 0])
def test_quiet_rounded_values_keep_the_level(decimals: int | None) -> None:
    """Those of the usual form with midranks alarm in every window."""
    rng = np.random.default_rng(5)
    alarms = 0
    for _ in range(1_000):
        old, new = rng.normal(size=2_000), rng.normal(size=200)
        if decimals is not None:
            old, new = old.round(decimals), new.round(decimals)
        alarms += int(judged(old, new).p_value[0] <= 0.05)
    assert alarms <= 1_000 * 0.05 + 4 * np.sqrt(1_000 * 0.05 * 0.95)
    assert alarms >= 10


def test_one_value_on_either_side_has_no_p_value() -> None:
    found = judged(np.array([1.0]), np.array([2.0]))
    assert found.value[0] == 0.25
    assert np.isnan(found.p_value[0])
