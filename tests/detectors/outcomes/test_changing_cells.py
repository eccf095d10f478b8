"""What is watched pane by pane of performance."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.detectors.outcomes.windows import binary, classes, likely, scored, values

from driftline.detectors.outcomes import (
    GAP,
    ChangingCells,
    OutcomeLayout,
    OutcomeRows,
    count_outcomes,
)

RNG = np.random.default_rng(3)


def block(cells: ChangingCells, flat: Any, name: str) -> list[int]:
    f = cells.layout.position[name]
    counted: list[int] = cells.layout.slots(flat, f).tolist()
    return counted


def test_right_and_wrong_of_a_model_that_names_classes() -> None:
    layout = OutcomeLayout.classification(["a", "b", "c"], None, True)
    rows = classes([0, 1, 2, 2, 3, 0], [0, 1, 2, 0, 1, 0])
    counts = count_outcomes(layout, rows)
    cells = ChangingCells(layout, counts)
    assert [feature.name for feature in cells.layout.features] == ["accuracy"]
    assert block(cells, cells.count(counts), "accuracy") == [4, 2, 0]


@pytest.mark.parametrize(("labelled", "name"), [(True, GAP.name), (False, "roc_auc")])
def test_deciles_of_the_score_with_the_actual_class(labelled: bool, name: str) -> None:
    score = RNG.random(5_000)
    layout = binary(score, labelled)
    rows = scored(score, likely(RNG, score))
    cells = ChangingCells(layout, counts := count_outcomes(layout, rows))
    found = np.array(block(cells, cells.count(counts), name)[:-1]).reshape(2, 10)
    assert found.sum() == 5_000
    assert found[1].sum() == rows.actual.sum()
    assert (abs(found.sum(axis=0) - 500) <= 100).all()  # to the width of a bin
    edges = np.searchsorted(np.sort(score), layout.edges, "right")
    assert set(np.cumsum(found.sum(axis=0))[:-1]) <= set(edges.tolist())


def test_sizes_of_residuals_lie_between_the_edges() -> None:
    residual = RNG.normal(size=3_000)
    layout = OutcomeLayout.regression(residual, np.zeros(3_000))
    assert layout.grid is not None
    counts = count_outcomes(layout, values(residual, np.zeros(3_000)))
    cells = ChangingCells(layout, counts)
    found = block(cells, cells.count(counts), "mae")
    assert found[0::2][:-1] == layout.view(counts, "tails").tolist()
    assert not any(found[1::2])
    assert found[-1] == 0
    grid = cells.layout.features[0].grid
    assert grid[:-1].tolist() == layout.grid.tails.tolist()


def test_cells_add_up() -> None:
    score = RNG.random(900)
    layout, rows = binary(score), scored(score, likely(RNG, score))
    cells = ChangingCells(layout, whole := count_outcomes(layout, rows))
    parts: list[OutcomeRows] = [rows.select(slice(i, None, 3)) for i in range(3)]
    added = np.sum([cells.count(count_outcomes(layout, part)) for part in parts], axis=0)
    assert (added == cells.count(whole)).all()
    assert added.shape == (cells.layout.size,)


def test_nothing_is_watched_of_a_model_without_any() -> None:
    layout = OutcomeLayout.classification(["a", "b"], None, False)
    cells = ChangingCells(layout, np.zeros(layout.size, np.int64))
    assert cells.layout.size == cells.count(np.zeros(layout.size, np.int64)).size == 0
