"""What tells two sides apart is found where it was put, and nothing where nothing was."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from driftline.consumer.offline.explain.columns import Watched, columns_of
from driftline.consumer.offline.explain.compare import compare
from driftline.consumer.offline.explain.pairs import changed_pairs
from driftline.consumer.offline.explain.ranks import Ranks
from driftline.consumer.offline.explain.sample import Sample
from driftline.consumer.offline.rows.event_row import EventRow
from driftline.detectors.derivations import VectorDerivation
from driftline.detectors.outcomes.ranking import Ranking
from driftline.detectors.outcomes.scores import roc_auc
from driftline.producer.errors import InputError

from .populations import everywhere, in_shop_c, in_the_app_of_shop_c, sides, together

SEEDS = 20


@given(st.lists(st.tuples(st.integers(0, 8), st.booleans()), min_size=4, max_size=60))
def test_the_area_is_that_of_scikit_learn_and_of_the_monitor(rows: list[tuple[int, bool]]) -> None:
    scores = np.array([score for score, _ in rows], np.float64)
    now = np.array([side for _, side in rows])
    if min(now.sum(), (~now).sum()) < 2:
        return
    found = Ranks.of(scores, now).figure()
    assert found.value == pytest.approx(roc_auc_score(now, scores))
    counts = np.array([np.bincount(scores[side].astype(int), minlength=9) for side in (~now, now)])
    ranking = Ranking.of(counts, np.zeros((2, 9), np.int64), np.zeros((2, 9), np.int64))
    assert found == roc_auc(ranking)


def test_quiet_halves_are_hardly_ever_told_apart() -> None:
    """By the interval of 95 % one in 40 may be; of these twenty none is."""
    apart = [compare(*sides(150, seed)).apart for seed in range(SEEDS)]
    assert sum(apart) == 0


def test_a_change_in_one_segment_is_found_there() -> None:
    found = compare(*sides(1_000, 1, in_shop_c))
    assert found.apart
    assert found.area.low > 0.55
    assert found.told[0].column.name == "x2"
    assert [each.column.name for each in found.told if each.tells] == ["x2", "shop"]
    assert not found.told[1].by_itself
    assert found.segment is not None
    assert [str(each) for each in found.segment.conditions] == ["shop=c"]
    assert found.segment.outside.low < 0.5 < found.segment.outside.high
    assert found.segment.inside.low > 0.8
    assert 0.2 < found.segment.now < 0.3


def test_a_change_where_two_tags_meet_is_found_there() -> None:
    found = compare(*sides(1_500, 2, in_the_app_of_shop_c))
    assert found.segment is not None
    assert {str(each) for each in found.segment.conditions} == {"shop=c", "channel=app"}


def test_a_pair_that_goes_together_is_found_though_each_is_as_it_was() -> None:
    found = compare(*sides(1_000, 3, together))
    assert found.apart
    first, second = found.told[:2]
    assert {first.column.name, second.column.name} == {"x0", "x1"}
    assert not first.by_itself
    assert first.with_others
    assert [set(pair.names) for pair in found.pairs] == [{"x0", "x1"}]
    (pair,) = found.pairs
    for side in (pair.now, pair.quiet, pair.expected):
        assert side.sum() == pytest.approx(1.0)
    # What is expected has the margins of now, and the other side's way to go together.
    assert pair.expected.sum(axis=0) == pytest.approx(pair.now.sum(axis=0))
    assert pair.expected.sum(axis=1) == pytest.approx(pair.now.sum(axis=1))
    assert pair.cell in {(0, 0), (2, 2), (0, 2), (2, 0)}


def test_a_change_of_all_rows_is_in_no_segment_and_in_no_pair() -> None:
    found = compare(*sides(1_000, 4, everywhere))
    assert {each.column.name for each in found.told if each.by_itself} == {"x3", "fuel"}
    assert found.segment is None or "fuel is missing" in map(str, found.segment.conditions)


def test_pairs_have_the_level_that_they_say() -> None:
    """At 1 % of all pairs together, ten quiet streams have hardly one."""
    found = []
    for seed in range(SEEDS // 2):
        now, quiet = sides(400, 100 + seed)
        columns, _ = columns_of([*now, *quiet])
        found += changed_pairs(columns, np.arange(800) < 400)
    assert found == []


def test_the_same_rows_in_any_order_give_the_same() -> None:
    now, quiet = sides(200, 5, in_shop_c)

    def sampled(rows: list[EventRow]) -> list[EventRow]:
        sample = Sample(150)
        for row in rows:
            sample.add(row)
        assert sample.seen == 200
        return sample.rows()

    one = compare(sampled(now), sampled(quiet))
    other = compare(sampled(now[::-1]), sampled(quiet[::-1]))
    assert len(sampled(now)) == 150
    assert one.area == other.area
    assert [each.column.name for each in one.told] == [each.column.name for each in other.told]


@settings(max_examples=30)
@given(st.permutations(range(30)), st.integers(1, 30))
def test_a_sample_is_the_same_whatever_the_order(order: list[int], most: int) -> None:
    rows = [EventRow(n, n, f"e{n}", None, {}, None, None, None, {}) for n in range(30)]
    one, other = Sample(most), Sample(most)
    for row in rows:
        one.add(row)
    for place in order:
        other.add(rows[place])
    assert [row.event_id for row in one.rows()] == [row.event_id for row in other.rows()]
    assert len(one.rows()) == most


def test_columns_that_tell_when_a_row_was_are_left_out() -> None:
    now, quiet = sides(60, 6)
    for number, row in enumerate([*quiet, *now]):
        row.features |= {
            "row": number,
            "day": f"2026-01-0{1 + number % 2}",
            "name": f"n{number}",
            "same": 1,
            "vector": [0.5],
            "never": None,
            "some": None if number % 2 else 1,
        }
    now[0].features["x0"] = float("inf")
    now[1].features["x0"] = "text"
    now[2].features["x0"] = True
    columns, left = columns_of([*now, *quiet], Watched(lambda name: name == "x1"))
    assert {each.name: each.why for each in left} == {
        "row": "it runs with the time",
        "day": "it holds times",
        "name": "nearly every row has another text",
        "vector": "lists and objects are not compared",
    }
    assert [each.name for each in columns] == ["x0", "x2", "x3", "fuel", "some", "shop", "channel"]
    numbers = columns[0].numbers
    assert numbers is not None
    assert np.isfinite(numbers).all()
    assert numbers[1] > numbers[0] > 1e30
    compare(now, quiet)


def test_what_is_derived_of_a_vector_is_compared_in_its_place() -> None:
    """The vectors move away from the centroids, one of which is more frequent then."""
    vectors = np.array([[0, 0], [100, 0]], np.int16)
    derivation = VectorDerivation.of("vector", 0, vectors)
    now, quiet = sides(300, 8)
    rng = np.random.default_rng(8)
    for row in [*now, *quiet]:
        row.features["vector"] = rng.normal([0, 0], 3).tolist()
    for row in now:
        row.features["vector"][1] += 20.0
    now[0].features["vector"] = None
    now[1].features["vector"] = [1.0]
    found = compare(now, quiet, Watched(derived=[derivation]))
    assert found.told[0].column.name == "vector.distance"
    assert found.told[0].alone.figure().low > 0.9
    columns, _ = columns_of(now, Watched(derived=[derivation]))
    assert "vector" not in {each.name for each in columns}
    (distance,) = [each for each in columns if each.name == "vector.distance"]
    assert int((distance.codes == distance.missing).sum()) == 2


def test_many_categories_are_put_together() -> None:
    rows = [EventRow(n, n, "", None, {"c": f"v{n % 150}"}, None, 1, None, {}) for n in range(600)]
    (column,), _ = columns_of(rows)
    assert len(column.names) == 101
    assert column.names[-1] == "others"
    assert int((column.codes == 100).sum()) == 200


def test_too_few_rows_and_nothing_to_compare_are_said() -> None:
    now, quiet = sides(60, 7)
    with pytest.raises(InputError, match="there are 49 rows of a quiet time, at least 50"):
        compare(now, quiet[:49])
    bare = [EventRow(n, n, "", None, {"c": 1}, None, None, None, {}) for n in range(60)]
    with pytest.raises(InputError, match="there is no column in which rows differ"):
        compare(bare, bare)
