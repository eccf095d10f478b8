"""States cut into parts: whole again when joined, never too large, and mostly left alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.consumer.join.state import Cut, JoinState
from driftline.consumer.judge.comparison.judge import ComparisonState
from driftline.consumer.judge.lives.life import Life
from driftline.consumer.judge.state import Firing, JudgeState
from driftline.consumer.service import parts
from driftline.consumer.service.parts import cut, join
from driftline.consumer.sketch.state import ModelProgress, SketchState
from driftline.consumer.wire.clock import SourceProgress

LARGEST = 131_072


def life(number: int) -> Life:
    history = {"ks: 0.1, None, 2 of 3, value": [1, 1, 1]}
    return Life("m", f"feature_{number:05}", "feature_drift", 1_000, history=history)


def judge(lives: int) -> JudgeState:
    """The state of a model with as many alerts."""
    return JudgeState(7, 3, lives=[life(number) for number in range(lives)])


KINDS = SketchState | JoinState | JudgeState | ComparisonState
small = st.text(max_size=3)
number = st.integers(0, 1 << 40)
heard = st.lists(
    st.tuples(small, number, st.builds(SourceProgress, *[number] * 5, st.booleans())), max_size=40
)
sketches = st.builds(
    SketchState, small, number, number, number, number,
    st.dictionaries(small, st.builds(ModelProgress, number, number, st.none() | number)),
)  # fmt: skip
joins = st.builds(
    JoinState, number, number, sources=heard, early=st.none() | st.binary(max_size=3_000),
    met=st.binary(max_size=400), reserved_ids=st.binary(max_size=400),
    cut=st.lists(st.builds(Cut, number, number)), lifts=st.lists(st.tuples(number, number)),
)  # fmt: skip
judges = st.builds(
    JudgeState, number, number, sources=heard, lives=st.lists(st.builds(life, st.integers(0, 99))),
    firings=st.lists(st.builds(Firing, small, small, small, number, number, st.just([(1, 0.5)]))),
)  # fmt: skip
comparisons = st.builds(ComparisonState, number, number, sources=heard, cells=st.lists(number))


@given(sketches | joins | judges | comparisons, st.sampled_from([1, 40, 4_096]))
def test_what_was_cut_is_whole_again(state: KINDS, short: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parts, "_SMALL", short)
        patch.setattr(parts, "_USUAL", 50)
        patch.setattr(parts, "_LARGEST", 200)
        found = cut(state)
    assert join(found.small, found.large, type(state)) == state
    assert all(0 < len(part) <= 200 for field in found.large.values() for part in field)


def test_a_usual_state_is_one_record() -> None:
    assert cut(judge(10)).large == {}


@pytest.mark.parametrize(
    "state",
    [
        judge(20_000),
        SketchState("", 1, 0, 0, 0, {f"m{n}": ModelProgress(n, n) for n in range(70_000)}),
        JoinState(0, 0, early=bytes(400_000), met=bytes(400_000), reserved_ids=bytes(400_000)),
        JudgeState(0, 0, losses=[(n, n) for n in range(150_000)]),
    ],
    ids=["alerts", "models", "ids", "losses"],
)
def test_no_part_is_large(state: KINDS) -> None:
    found = cut(state)
    sizes = [len(part) for field in found.large.values() for part in field]
    assert sum(sizes) > 1_000_000
    assert max(sizes) <= LARGEST
    assert sum(map(len, found.small.values())) < 10_000
    assert join(found.small, found.large, type(state)) == state


def test_a_change_leaves_other_parts_as_they_are() -> None:
    state = judge(5_000)
    before = set(cut(state).large["lives"])
    assert len(before) > 50
    changed, added, removed = judge(5_000), judge(5_000), judge(5_000)
    changed.lives[2_000].severity = 2
    added.lives.insert(0, life(99_999))
    del removed.lives[4_000]
    for other in (changed, added, removed):
        # The part it lies in, one beside it, and the one that begins with the number of entries.
        assert len(set(cut(other).large["lives"]) - before) <= 3


def test_what_some_of_many_partitions_say_moves_little() -> None:
    """Of a thousand partitions with panes of five minutes seven say something in two seconds."""
    base = 1_767_225_600_000

    def state(moved: range) -> JudgeState:
        sources = [
            ("t", n, SourceProgress(base, 10**6 + (n in moved), 1, 1_000, base, stale=False))
            for n in range(1_000)
        ]
        return JudgeState(7, 3, sources=sources)

    before, after = (cut(state(each)).large["heard"] for each in (range(0), range(3, 1_000, 143)))
    whole, new = sum(map(len, after)), sum(map(len, set(after) - set(before)))
    assert whole > 65_536
    assert new < whole / 3
    assert len(after) < 200
