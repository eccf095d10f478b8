"""The join counts what plain Python counts, however often it is killed."""

from __future__ import annotations

import random
from collections.abc import Mapping

import numpy as np
import pytest
from tests.consumer.join.oracle import PaneCounts, Row, Rules, expected
from tests.consumer.join.random_log import TINY, Kind, random_log, random_rules
from tests.consumer.join.running import Run, outcome_model, run

from driftline.consumer.join import rounds as rounds
from driftline.consumer.join.matching import Matching
from driftline.consumer.join.rounds import Rounds
from driftline.consumer.wire.join_rows import JoinRows, unknown


def wrong(seed: int, kind: Kind, *, kills: bool) -> list[int]:
    """Return the starts of the panes that are wrong, or were not the same when sent again."""
    rng = random.Random(seed)
    rules = random_rules(rng)
    log = random_log(rng, kind)
    found = run(log.blocks, rules, kills=rng if kills else None)
    wanted = expected(log.rows, rules, found.clock)
    return sorted({*found.differing, *wrong_panes(found, wanted)})


def wrong_panes(found: Run, wanted: Mapping[int, PaneCounts]) -> list[int]:
    """Return the starts of the final panes that are not as wanted."""
    counts, nothing = found.counts(), PaneCounts()
    final = [start for start in wanted.keys() | counts.keys() if start < found.closed]
    return [start for start in final if wanted.get(start, nothing) != counts.get(start, nothing)]


@pytest.mark.parametrize("ids", [5, 40, 400])
@pytest.mark.parametrize("seed", range(12))
def test_undisturbed(seed: int, ids: int) -> None:
    assert wrong(seed, Kind(ids), kills=False) == []


def test_undisturbed_where_nearly_every_row_meets_another() -> None:
    assert not [seed for seed in range(200) if wrong(seed, TINY, kills=False)]


@pytest.mark.parametrize("ids", [5, 40, 400])
@pytest.mark.parametrize("seed", range(20))
def test_killed_a_dozen_times(seed: int, ids: int) -> None:
    assert wrong(seed, Kind(ids), kills=True) == []


@pytest.mark.parametrize("kills", [False, True])
def test_rows_that_change_nothing_are_passed_over(
    kills: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rounds, "_MANY", 1)
    for ids in (2, 40):
        assert not [seed for seed in range(15) if wrong(seed, Kind(ids), kills=kills)]


def test_an_id_that_is_none_costs_no_more_than_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of an id like "unknown" thousands of rows take effect together, in a handful of turns."""
    rows, n, looked = JoinRows.none(tags=1), 5_000, list[int]()
    rows.offsets, rows.times = np.arange(n), np.arange(n) * 100
    rows.labels, rows.ids = np.arange(n) % 500 == 499, np.full(n, 7, np.uint64)
    rows.values, rows.predicted = np.ones(n), np.ones(n, np.int64)
    rows.versions, rows.segments = np.ones(n, np.int64), np.zeros((1, n), np.int64)
    rows.expected = unknown(n)
    original = Rounds.take

    def counted(self: Rounds) -> JoinRows:
        looked.append(1)
        return original(self)

    monkeypatch.setattr(Rounds, "take", counted)
    matching = Matching(outcome_model(Rules("arrival", 10_000, 10_000)), ["v1"])
    matching.apply(rows)
    assert len(looked) < 120
    totals = matching.totals
    assert totals.predictions + totals.duplicates == int((~rows.labels).sum())


def test_the_oracle_itself_by_hand() -> None:
    """So that the two do not agree on something that is wrong."""
    rules = Rules("arrival", horizon=20_000, maturity=20_000)
    rows = [
        Row(1_000, "p", 0, 0, False, 1, 1, 0),  # its label comes in the next pane
        Row(12_000, "l", 0, 0, True, 1, 0, 0),
        Row(13_000, "l", 0, 1, True, 1, 1, 0),  # and is corrected
        Row(2_000, "p", 0, 1, False, 2, 0, 1),  # its label does not come
        Row(3_000, "l", 0, 2, True, 3, 1, 0),  # comes before its prediction
        Row(4_000, "p", 0, 2, False, 3, 1, 1),
        Row(5_000, "p", 0, 3, False, 3, 0, 1),  # a duplicate
        Row(23_000, "l", 0, 3, True, 1, 0, 0),  # after its pane
    ]
    assert expected(rows, rules, 30_000) == {
        0: {
            ("predicted", 0): 1,
            ("predicted", 1): 2,
            ("matched", 1, 1, 1): 1,
            ("delay", 0): 1,
        },
        10_000: {("matched", 1, 1, 0): 1, ("delay", 7): 1},
        20_000: {("expired", 1): 1},
    }
    rules = Rules("prediction", horizon=20_000, maturity=20_000)
    assert expected(rows, rules, 30_000)[0] == {
        ("predicted", 0): 1,
        ("predicted", 1): 2,
        ("matched", 1, 0, 0): 1,
        ("matched", 1, 1, 1): 1,
        ("delay", 0): 1,
        ("delay", 7): 1,
        ("expired", 1): 1,
    }
