from __future__ import annotations

import numpy as np
import pytest

from driftline.detectors.features.cells import Cells
from driftline.detectors.features.kuiper import kuiper
from driftline.detectors.grid import IntArray


def judged(reference: IntArray, window: IntArray) -> tuple[float, float]:
    values = np.unique(np.concatenate([reference, window]))
    counts = [np.searchsorted(values, x) for x in (reference, window)]
    old, new = (np.bincount(x, minlength=values.size) for x in counts)
    found = kuiper(Cells(np.zeros(values.size, np.intp), old, new, 1), np.array([0.01]))
    return float(found.value[0]), float(found.p_value[0])


def test_critical_values_are_the_published_ones() -> None:
    """Stephens, Journal of the Royal Statistical Society B 32, 1970: of V sqrt(n) in the limit."""
    counts = np.full(3, 20_000)
    cells = Cells(np.arange(3), counts, counts, 3)
    found = kuiper(cells, np.array([0.1, 0.05, 0.01])).threshold * 100.0
    assert found == pytest.approx([1.620, 1.747, 2.001], abs=6e-4)


def test_where_a_circle_is_cut_open_does_not_matter() -> None:
    rng = np.random.default_rng(3)
    reference, window = rng.integers(0, 24, 5_000), rng.integers(3, 22, 400)
    found = {judged((reference + turn) % 24, (window + turn) % 24) for turn in range(24)}
    values, p_values = (np.array(part) for part in zip(*found, strict=True))
    assert values == pytest.approx(values[0], rel=1e-12)
    assert p_values == pytest.approx(p_values[0], rel=1e-9)
    assert p_values[0] < 1e-6
