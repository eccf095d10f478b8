"""What detectors of distribution functions are given."""

from __future__ import annotations

import numpy as np
import pytest

from driftline.detectors import Baseline, Columns, Feature, Layout, count_columns
from driftline.detectors.features.kuiper import kuiper
from driftline.detectors.samples import Samples


def test_values_are_the_distinct_ones_of_both_sides_in_order() -> None:
    grid = np.array([1.0, 2.0, 3.0])
    layout = Layout.of(
        [
            Feature("a", "numeric", grid),
            Feature("b", "numeric", grid),
            Feature("c", "categorical", np.empty(0), ("x",)),
        ]
    )

    def counted(a: list[float], b: list[float]) -> np.ndarray:
        codes = np.zeros((len(a), 1), np.int32)
        return count_columns(layout, Columns(np.array([a, b]).T, codes))

    baseline = Baseline(layout, counted([1.0, 2.0, 2.0, 3.0], [1.0, 2.0, 3.0, 2.5]))
    window = counted([0.5, 0.7, 2.0, np.nan], [2.2, 3.0, np.inf, -np.inf])
    values = Samples(baseline, window, np.full(3, 0.01), np.ones(3)).values(0, 2)
    # Two values below all of the reference's are two; with b's gap, which the reference has, one.
    assert values.owner.tolist() == [0, 0, 0, 0, 0, 1, 1, 1, 1]
    assert values.reference.tolist() == [0, 0, 1, 2, 1, 1, 1, 1, 1]
    assert values.window.tolist() == [1, 1, 0, 1, 0, 0, 0, 1, 1]
    assert values.running(values.window).tolist() == [1, 2, 2, 3, 3, 0, 0, 1, 2]
    assert values.features == 2
    assert values.n.tolist() == [3.0, 2.0]


@pytest.mark.parametrize("cells", [1, 60, 100, 10_000])
def test_how_many_features_are_judged_at_a_time_does_not_matter(
    monkeypatch: pytest.MonkeyPatch, cells: int
) -> None:
    rng = np.random.default_rng(4)
    layout = Layout.of(
        [Feature(f"n{i}", "numeric", np.arange(float(3 * i))) for i in range(8)]
        + [Feature("c", "categorical", np.empty(0), ("x",))]
    )
    reference, window = (rng.integers(0, 5, layout.size) for _ in range(2))
    samples = Samples(Baseline(layout, reference), window, np.geomspace(1e-6, 1e-2, 9), np.ones(9))
    wanted = samples.over_values(kuiper)
    monkeypatch.setattr("driftline.detectors.samples._BLOCK", cells)
    found = samples.over_values(kuiper)
    for part in ("value", "p_value", "threshold"):
        assert getattr(found, part).tobytes() == getattr(wanted, part).tobytes()
    assert np.isnan(found.value[8])
    assert not np.isnan(found.value[1:8]).any()
