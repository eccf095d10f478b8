"""What holds for any records: cuts and restarts change nothing; and the words between rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.consumer.service.small import LABELS, MODEL, OTHER, SECOND, START, TOPIC

from driftline.consumer.log.protocol import Gap, TopicPartition
from driftline.consumer.service.plan import Plan
from driftline.consumer.sketch.state import SketchState
from driftline.consumer.sketch.totals import Output
from driftline.consumer.wire.codec import encode
from driftline.consumer.wire.join_rows import packed_size
from driftline.consumer.wire.messages import Loss

from .block_cases import (
    APART,
    GRACE,
    TARGETS,
    TOGETHER,
    blocks,
    event,
    label,
    log,
    rows,
    sketch,
)

times = st.integers(-20, 40)
ids = st.sampled_from(["a", "b", 7, None, ""])
some_event = st.builds(
    event, times, ids,
    actual=st.sampled_from(["yes", "no", None, "perhaps", ["yes"]]),
    model=st.sampled_from([MODEL, MODEL, OTHER, "stranger"]),
    model_version=st.sampled_from([None, "1", "2"]),
    prediction=st.sampled_from(["yes", "no", None, {"label": "yes", "score": 0.25}]),
    tags=st.sampled_from([{}, {"tier": "gold"}]),
)  # fmt: skip
some_label = st.builds(
    label, times, ids, st.sampled_from(["yes", "no", None, 1]),
    model=st.sampled_from([MODEL, OTHER, None]),
)  # fmt: skip
anything = st.one_of(some_event, some_label, st.none(), st.just(b"?"))
CASES = [(TOPIC, APART), (LABELS, APART), (TOPIC, TOGETHER)]


@pytest.mark.parametrize(("topic", "plan"), CASES, ids=["events", "labels", "together"])
@settings(max_examples=40, deadline=None)
@given(values=st.lists(anything, max_size=20), cuts=st.lists(st.integers(0, 20), max_size=5))
def test_any_cut_sends_the_same_rows_at_the_same_times(
    topic: str, plan: Plan, values: list[Any], cuts: list[int]
) -> None:
    records = log(values, topic)
    whole, parts = sketch(topic, plan), sketch(topic, plan)
    expected = whole.feed(records, 0)
    found: list[Output] = []
    said: dict[str, int] = defaultdict(lambda: -(1 << 62))
    edges = [0, *sorted(min(cut, len(records)) for cut in cuts), len(records)]
    for start, end in pairwise(edges):
        new = parts.feed(records[start:end], 0)
        for model in (MODEL, OTHER):
            # What a partition said holds: none of its rows has its effect before.
            assert all(START + row[3] * SECOND >= said[model] for row in rows(new, model))
        for block in blocks(new, MODEL) + blocks(new, OTHER):
            assert block.horizon.horizon is not None
            said[block.horizon.model] = block.horizon.horizon
        found += new
    for model in (MODEL, OTHER):
        assert repr(rows(found, model)) == repr(rows(expected, model))
    assert parts.totals == whole.totals
    assert parts.state() == whole.state()


@pytest.mark.parametrize(("topic", "plan"), CASES, ids=["events", "labels", "together"])
@settings(max_examples=40, deadline=None)
@given(values=st.lists(anything, max_size=20), largest=st.sampled_from([30, 60, 120]))
def test_what_is_too_large_for_a_message_is_sent_in_several(
    topic: str, plan: Plan, values: list[Any], largest: int
) -> None:
    records = log(values, topic)
    expected = sketch(topic, plan).feed(records, 0)
    with patch("driftline.consumer.sketch.blocks.LARGEST_MESSAGE", largest):
        found = sketch(topic, plan).feed(records, 0)
    for model in (MODEL, OTHER):
        assert repr(rows(found, model)) == repr(rows(expected, model))
        for target in range(TARGETS):
            sent = [block for block in blocks(found, model) if block.target == target]
            read, said = 0, -(1 << 62)
            for block in sent:
                own = rows([block], model)
                # A block is taken whole or not at all, and what was said before holds.
                assert all(read <= row[0] < block.horizon.until for row in own)
                assert all(START + row[3] * SECOND >= said for row in own)
                assert packed_size(block.rows) <= largest or len({row[0] for row in own}) == 1
                assert block.horizon.horizon is not None
                read, said = block.horizon.until, block.horizon.horizon
            last = [block for block in blocks(expected, model) if block.target == target]
            assert [block.horizon for block in sent[-1:]] == [block.horizon for block in last]


def test_a_restart_sends_the_same_bytes_again() -> None:
    records = log([event(i, i, actual="yes") for i in range(40)])
    one = sketch(plan=TOGETHER)
    one.feed(records[:20], 0)
    state = one.state()
    assert state is not None
    expected = [encode(block) for block in blocks(one.feed(records[20:], 0))]
    again = sketch(plan=TOGETHER, state=state)
    assert blocks(again.feed(records[state.rewind : 20], 0)) == []
    assert [encode(block) for block in blocks(again.feed(records[20:], 0))] == expected


def words(outputs: Sequence[Output]) -> list[Any]:
    return [
        (o.target, o.horizon.horizon, o.horizon.until, o.horizon.generation, o.horizon.idle, o.rows)
        for o in blocks(outputs)
    ]


def test_the_first_words_and_idle_marks_go_everywhere() -> None:
    one = sketch(state=SketchState("id", 1, 0, 0, generation=3, models={}))
    assert words(one.claim()) == [(t, None, 0, 3, False, None) for t in range(TARGETS)]
    one.feed(log([event(30)]), now=1_000)
    horizon = START + 30 * SECOND - GRACE
    assert words(one.idle(5_999, 5_000)) == []
    assert words(one.idle(6_000, 5_000)) == [(t, horizon, 1, 3, True, None) for t in range(TARGETS)]
    assert words(one.idle(10_999, 5_000)) == []
    assert len(words(one.idle(11_000, 5_000))) == TARGETS
    one.feed([log([event(1), event(31, "b")])[1]], now=12_000)
    assert words(one.idle(16_999, 5_000)) == []


def test_a_loss_is_told_before_the_next_rows() -> None:
    one = sketch(LABELS)
    records = log([label(i, i) for i in range(10)], LABELS)
    one.feed(records[:2], 0)
    one.lost(Gap(TopicPartition(LABELS, 0), 2, 5))
    one.lost(Gap(TopicPartition(LABELS, 0), 5, 6))
    state = one.state()
    assert state is not None
    assert state.joins[MODEL].lost == (2, 6)
    loss, *others = sketch(LABELS, state=state).feed(records[6:], 0)
    assert loss == Loss(
        LABELS, 0, MODEL, 2, 6, START + SECOND, START + 9 * SECOND + 1, outcomes=True
    )
    assert not [o for o in blocks(others) if isinstance(o, Loss)]


def test_what_was_sent_before_a_gap_is_not_lost() -> None:
    records = log([event(i, i) for i in range(9)])
    one = sketch()
    one.feed(records[:6], 0)
    state = one.state()
    assert state is not None
    assert state.rewind < state.position == 6
    again = sketch(state=state)
    again.lost(Gap(TopicPartition(TOPIC, 0), state.rewind, 4))
    again.feed(records[4:6], 0)
    lost = [o for o in again.feed(records[6:], 0) if isinstance(o, Loss) and o.outcomes]
    assert lost == []
