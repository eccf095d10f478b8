"""Where more rows wait than may, the oldest go: the same whatever the batches and restarts."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

import pytest
from tests.consumer.join.oracle import Row, Rules
from tests.consumer.join.random_log import Kind, RandomLog, cut, interleave, random_log
from tests.consumer.join.running import Run, new_join, run
from tests.consumer.join.script import script

from driftline.consumer.join import overflow as overflow
from driftline.consumer.join.model import ModelJoin
from driftline.consumer.join.state import JoinState
from driftline.consumer.wire.messages import Block

MOST = 25
CROWDED = Kind(ids=300, gap=6_000)  # 30 rows a minute
RULES = [
    Rules("arrival", 200_000, 200_000),
    Rules("prediction", 200_000, 20_000),
    Rules("prediction", 200_000, 200_000),
]


def crowded_log(seed: int) -> RandomLog:
    return random_log(random.Random(seed), CROWDED)


def other_blocks(rng: random.Random, rows: Sequence[Row]) -> list[Block]:
    """Cut the rows of a log into other blocks, that come in another order."""
    by_source = sorted(rows, key=lambda row: (row.topic, row.partition, row.offset))
    sources = groupby(by_source, key=lambda row: (row.topic, row.partition))
    most = rng.choice([1, 5, 200])
    return interleave(rng, [cut(rng, list(own), most) for _, own in sources], repeats=0.1)


def crowded_out(found: Run) -> int:
    return found.join.totals.crowded_out


@pytest.mark.parametrize("rules", RULES, ids=str)
def test_any_batches_give_the_same(rules: Rules) -> None:
    for seed in range(4):
        log = crowded_log(seed)
        found = run(log.blocks, rules, MOST)
        assert crowded_out(found) > 20
        assert found.counts() != run(log.blocks, rules).counts()
        for other in range(4):
            rng = random.Random(1_000 + other)
            again = run(other_blocks(rng, log.rows), rules, MOST)
            assert again.counts() == found.counts()
            assert crowded_out(again) == crowded_out(found)


@pytest.mark.parametrize("rules", RULES, ids=str)
def test_kills_change_nothing(rules: Rules) -> None:
    for seed in range(12):
        log = crowded_log(seed)
        found = run(log.blocks, rules, MOST, kills=random.Random(seed))
        assert found.differing == []
        assert found.panes == run(log.blocks, rules, MOST).panes


@pytest.mark.parametrize("rules", RULES, ids=str)
def test_few_labels_wait_for_their_prediction(
    rules: Rules, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overflow, "MOST_EARLY", 5)
    for seed in range(6):
        log = crowded_log(seed)
        found = run(log.blocks, rules)
        assert crowded_out(found) > 20
        assert found.join._matching.rows.early <= 5 + 90  # and those of a minute
        killed = run(log.blocks, rules, kills=random.Random(seed))
        assert killed.panes == found.panes
        assert killed.differing == []
        again = run(other_blocks(random.Random(seed), log.rows), rules)
        assert again.counts() == found.counts()


def without_cuts(join: ModelJoin) -> JoinState | None:
    state = join.state()
    if state is not None:
        state.cut = []
    return state


def test_what_went_must_be_recorded() -> None:
    def changed(seed: int) -> bool:
        log = crowded_log(seed)
        found = run(log.blocks, RULES[2], MOST, random.Random(seed), without_cuts)
        return found.panes != run(log.blocks, RULES[2], MOST).panes

    assert any(map(changed, range(12)))


def test_what_went_before_all_that_waits_is_forgotten() -> None:
    log = random_log(random.Random(1), replace(CROWDED, ids=10**9))  # no row meets another
    join = run(log.blocks, RULES[0], MOST).join
    assert len(join._overflow.cuts) > 3
    state = join.state()
    assert state is not None
    assert state.since is not None
    assert all(cut.up_to >= state.since for cut in state.cut)
    assert len(state.cut) <= 2


def test_never_more_wait_than_may_and_those_of_a_minute() -> None:
    log = crowded_log(2)
    join = new_join(RULES[2], most=MOST)
    for offset, block in enumerate(log.blocks):
        list(join.feed(block, offset))
        minutes = sorted(row.time // 60_000 for row in log.rows)
        fullest = max(len(list(same)) for _, same in groupby(minutes))
        assert len(join._matching.rows) <= MOST + fullest


@pytest.mark.parametrize("by", RULES[1:], ids=str)
def test_the_oldest_go_first_with_or_without_label(by: Rules) -> None:
    blocks = script(
        "p0 P1@1 P2@2 P3@3 P4@4 P5@5",
        "l0 L1@10",
        *("p0 @62", "p1 @62", "l0 @62"),
        "l0 L2@63 L5@64",
        *("p0 @70", "p1 @70", "l0 @70"),
    )
    join = new_join(Rules(by.by, 200_000, 200_000), most=3)
    for offset, block in enumerate(blocks):
        list(join.feed(block, offset))
    totals = join.totals
    assert (totals.predictions, totals.joined) == (5, 2)  # 1 and 5
    assert (totals.crowded_out, totals.expired) == (2, 2)  # 2 and 3, down to nine tenths of three
    assert join.waiting == 1  # 4
    assert len(join._matching.rows) == 3  # and 5, and the label of 2
    assert len(join._matching.rows.in_state(3)) == 1
