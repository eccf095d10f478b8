from __future__ import annotations

import json

import numpy as np
import pytest

from driftline.detectors.outcomes import OutcomeLayout
from driftline.detectors.outcomes.edges import MOST_EDGES, ResidualGrid, score_edges

from .windows import SCORES, Draw, binary

RNG = np.random.default_rng(8)
LAYOUTS = {
    "labels": OutcomeLayout.classification(["b", "a", "c"], None, True),
    "scores": binary(RNG.random(5_000), labelled=False),
    "both": binary(RNG.random(5_000)),
    "margins": binary(RNG.normal(size=5_000)),
    "regression": OutcomeLayout.regression(RNG.normal(size=500), RNG.normal(size=500)),
    "nothing": OutcomeLayout.classification(["a", "b"], None, False),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_json_gives_the_same_layout_back(name: str) -> None:
    layout = LAYOUTS[name]
    text = json.dumps(layout.to_json(), allow_nan=False)
    again = OutcomeLayout.from_json(json.loads(text))
    assert json.dumps(again.to_json()) == text
    assert again.shapes == layout.shapes
    assert np.array_equal(again.edges, layout.edges)
    if layout.grid is not None:
        assert again.grid is not None
        assert np.array_equal(again.grid.edges, layout.grid.edges)
        assert np.array_equal(again.grid.tails, layout.grid.tails)


@pytest.mark.parametrize("name", LAYOUTS)
def test_sections_cover_the_vector_without_gaps(name: str) -> None:
    layout = LAYOUTS[name]
    covered = [i for part in layout.sections.values() for i in range(part.start, part.stop)]
    assert covered == list(range(layout.size))


def test_each_layout_counts_what_it_can() -> None:
    assert list(LAYOUTS["labels"].shapes) == ["confusion"]
    assert LAYOUTS["labels"].classes == ("a", "b", "c")
    assert "confusion" not in LAYOUTS["scores"].shapes
    assert list(LAYOUTS["margins"].shapes)[:2] == ["confusion", "joint"]
    assert "log_loss" not in LAYOUTS["margins"].shapes
    assert "log_loss" in LAYOUTS["both"].shapes
    assert LAYOUTS["nothing"].size == 0


def test_a_section_is_a_view() -> None:
    layout = LAYOUTS["labels"]
    counts = np.zeros(layout.size, np.int64)
    layout.view(counts, "confusion")[1, 2] = 7
    assert counts[1 * 4 + 2] == 7


def test_scores_of_no_known_class_are_not_counted() -> None:
    layout = OutcomeLayout.classification(["0", "1"], None, True, RNG.random(100))
    assert layout.bins == 0
    assert list(layout.shapes) == ["confusion"]


def test_a_positive_class_without_scores_is_kept() -> None:
    layout = OutcomeLayout.classification(["0", "1"], "1", True, [np.nan, np.inf])
    assert (layout.positive, layout.bins, layout.probability) == (1, 0, False)


def test_too_many_or_unknown_classes_are_refused() -> None:
    with pytest.raises(ValueError, match="at most 100"):
        OutcomeLayout.classification([str(i) for i in range(101)], None, True)
    with pytest.raises(ValueError, match="not among"):
        OutcomeLayout.classification(["0", "1"], "yes", True)


@pytest.mark.parametrize("change", [{"kind": "ranking"}, {"grid": None}, {"edges": None}])
def test_wrong_json_is_refused(change: dict[str, object]) -> None:
    document = {**LAYOUTS["regression"].to_json(), **change}
    with pytest.raises((KeyError, TypeError, ValueError)):
        OutcomeLayout.from_json(document)


@pytest.mark.parametrize("draw", SCORES.values(), ids=SCORES)
@pytest.mark.parametrize("decimals", [1, 2, 3, 15])
@pytest.mark.parametrize("m", [1, 2, 30, 1_000, 20_000])
def test_edges_are_few_and_ascending(draw: Draw, decimals: int, m: int) -> None:
    scores = draw(RNG, m).round(decimals)
    edges = score_edges(scores)
    assert 0 < edges.size <= MOST_EDGES
    assert (np.diff(edges) > 0).all()
    if scores.min() >= 0 and scores.max() <= 1:
        assert edges[0] == 0.0
        assert edges[-1] == 1.0
        assert np.isin(np.arange(1, 10) / 10, edges).all()
    else:
        assert edges[0] == scores.min()
        assert edges[-1] == scores.max()


def test_a_frequent_score_has_a_bin_of_its_own() -> None:
    scores = np.concatenate([RNG.random(9_000), np.full(1_000, 0.3137)])
    edges = score_edges(scores)
    place = int(np.searchsorted(edges, 0.3137))
    assert edges[place] == 0.3137
    assert edges[place - 1] == np.nextafter(0.3137, 0.0)


def test_a_bin_holds_scores_up_to_its_edge() -> None:
    layout = binary(np.array([0.25, 0.75]))
    at = np.array([0.25, np.nextafter(0.25, 1.0), 0.0, 1.0])
    bins = layout.score_bins(at)
    assert layout.edges[bins[0]] == 0.25
    assert bins[1] == bins[0] + 1
    assert bins[2] == 0
    assert bins[3] == layout.bins - 2


def test_residual_bins_follow_the_reference() -> None:
    actual = RNG.normal(50.0, 9.0, 50_000)
    residual = RNG.normal(0.0, 3.0, 50_000)
    grid = ResidualGrid.of(actual + residual, actual)
    assert (grid.scale, grid.actual_scale) == (4.0, 8.0)
    assert grid.centre == pytest.approx(50.0, abs=0.2)
    assert grid.tails.size == 12
    shares = np.diff(np.searchsorted(np.sort(np.abs(residual)), grid.tails)) / 50_000
    assert shares[:8] == pytest.approx(0.1, abs=1e-3)
    assert 90 <= grid.edges.size <= 110


@pytest.mark.parametrize(
    ("predicted", "actual"),
    [([1.0], [1.0]), ([1.0, 1.0], [1.0, 1.0]), ([2.0, 2.0], [1.0, 1.0]), ([1.0, 2.0], [1.0, 2.0])],
)
def test_perfect_or_constant_references_have_a_grid(
    predicted: list[float], actual: list[float]
) -> None:
    grid = ResidualGrid.of(np.array(predicted), np.array(actual))
    assert grid.scale > 0
    assert grid.actual_scale > 0
    assert (np.diff(grid.edges) > 0).all()


def test_a_reference_without_pairs_has_no_grid() -> None:
    with pytest.raises(ValueError, match="no pair"):
        OutcomeLayout.regression(np.array([np.nan, 1.0]), np.array([1.0, np.inf]))
