"""Which categories are listed, and that listing them does not make quiet data look changed."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from driftline.detectors import Baseline, FeatureColumn, build_reference, compare
from driftline.detectors.columns import encode
from driftline.detectors.counts import count_columns
from driftline.detectors.listing import MOST_CATEGORIES, Listing, most_frequent
from driftline.detectors.sequential.pane_bins import PaneBins

COUNTED: st.SearchStrategy[dict[str | None, int]] = st.dictionaries(
    st.text(max_size=4), st.integers(1, 60), max_size=250
)


@given(COUNTED)
def test_few_values_are_all_listed_and_all_counted(counted: dict[str | None, int]) -> None:
    listing = Listing.of("x", counted)
    if len(counted) <= MOST_CATEGORIES:
        assert (listing.categories, listing.kept) == (
            tuple(sorted(value for value in counted if value is not None)),
            None,
        )


def test_each_event_is_in_a_half_by_a_fair_coin() -> None:
    counted: dict[str | None, int] = {f"c{i}": 200 for i in range(3_000)}
    listing = Listing.of("x", counted)
    assert listing.kept is not None
    own, events = listing.kept
    assert (own.size, events.sum()) == (MOST_CATEGORIES + 1, 200 * 3_000)
    # Listed by the other half, so here they have fewer; together all have half.
    assert own[:-1].max() < 100 < own[-1] / 2_800 * 1.01
    assert abs(stats.norm.cdf((own.sum() - 300_000) / np.sqrt(150_000)) - 0.5) < 0.499
    assert Listing.of("y", counted).categories != listing.categories


def test_listing_does_not_depend_on_the_order_of_events() -> None:
    rng = np.random.default_rng(2)
    texts = [f"c{i}" for i in rng.integers(0, 400, 5_000)]
    one = build_reference("m", {"x": FeatureColumn("categorical", texts)})
    other = build_reference("m", {"x": FeatureColumn("categorical", sorted(texts))})
    assert one.to_json() == other.to_json()


def test_segments_keep_the_share_that_the_whole_keeps() -> None:
    rng = np.random.default_rng(4)
    texts = [f"c{i}" for i in rng.integers(0, 300, 20_000)]
    tags = ["a" if x else "b" for x in rng.random(20_000) < 0.3]
    column = FeatureColumn(
        "categorical", [None if i % 100 == 0 else t for i, t in enumerate(texts)]
    )
    reference = build_reference("m", {"x": column}, {"t": tags})
    whole, *segments = reference.counts
    assert abs(int(whole.sum()) - 10_000) < 400
    assert np.abs(sum(segments) - whole)[:-3].max() <= 2
    assert whole[-3] == 100
    counted: Counter[str | None] = Counter(text for text in column.values if text is not None)
    listed = Listing.of("x", counted)
    assert listed.kept is not None
    assert whole[:-3].tolist() == listed.kept[0].tolist()


def test_quiet_windows_of_many_categories_keep_the_level() -> None:
    """Counted by the events that listed them, nine in ten quiet windows would be significant."""
    rng = np.random.default_rng(7)
    p_values = []
    for _ in range(40):
        texts = [str(i) for i in rng.integers(0, 1_000, 10_000)]
        reference = build_reference("m", {"x": FeatureColumn("categorical", texts)})
        baseline = Baseline(reference.layout, reference.counts[0])
        for _ in range(10):
            now = {
                "x": FeatureColumn("categorical", [str(i) for i in rng.integers(0, 1_000, 1_000)])
            }
            found = compare(
                baseline, count_columns(reference.layout, encode(reference.layout, now)), 1e-3
            )
            p_values.append([found.detectors[name].p_value[0] for name in ("chi_square", "unseen")])
    assert (np.array(p_values) <= 0.001).mean(axis=0).max() <= 0.01


def test_what_only_the_counted_half_has_is_not_listed() -> None:
    counted: dict[str | None, int] = {f"c{i}": 1 for i in range(MOST_CATEGORIES + 5)}
    listing = Listing.of("x", counted)
    assert listing.kept is not None
    own, events = listing.kept
    assert 80 < len(listing.categories) < 125, "about half of what came once"
    assert own[:-1].sum() == 0, "they came in the half that lists them"
    assert (own[-1], events[-1]) == (MOST_CATEGORIES + 5 - len(listing.categories),) * 2


@pytest.mark.parametrize("size", [750, 1_500])
def test_quiet_windows_of_names_without_an_end_keep_the_level(size: int) -> None:
    """Of a law with a long tail each sample has names that no other has, listed or not."""
    rng = np.random.default_rng(3)

    def column(events: int) -> dict[str, FeatureColumn]:
        names = [str(name) for name in rng.zipf(1.6, events)]
        return {"x": FeatureColumn("categorical", names)}

    p_values = []
    for _ in range(100):
        reference = build_reference("m", column(size))
        baseline = Baseline(reference.layout, reference.counts[0])
        for _ in range(3):
            now = count_columns(reference.layout, encode(reference.layout, column(250)))
            found = compare(baseline, now, 1e-3)
            p_values.append([found.detectors[name].p_value[0] for name in ("chi_square", "unseen")])
    assert (np.array(p_values) <= 0.001).mean(axis=0).max() <= 0.01


def test_as_many_others_are_expected_as_came_once() -> None:
    texts = [*"aaabbbcd", None]
    reference = build_reference("m", {"x": FeatureColumn("categorical", texts)})
    assert Baseline(reference.layout, reference.counts[0]).once.tolist() == [2.0]
    assert PaneBins(reference.layout, reference.counts[0]).normal.tolist() == [
        3.5, 3.5, 1.5, 1.5, 2.5
    ]  # fmt: skip
    unlisted = reference.counts[0].copy()
    unlisted[4] = 1
    assert Baseline(reference.layout, unlisted).once.tolist() == [0.0]
    assert PaneBins(reference.layout, unlisted).normal[-1] == 1.5


def test_the_most_frequent_come_first_ties_by_name() -> None:
    assert most_frequent({"b": 2, "a": 2, "c": 9}, 2) == ("c", "a")
