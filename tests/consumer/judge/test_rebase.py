"""Another reference of the same layout holds from a pane on."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.consumer.service.rig import Rig
from tests.consumer.service.small import (
    LABELS,
    MODEL,
    REFERENCE,
    SECOND,
    START,
    alerts,
    labelled_plan,
    plan,
    row,
    rows,
    seconds,
    sketch,
    verdicts,
)
from tests.consumer.service.small import records as input_records

from driftline.consumer.judge.model import ModelJudge
from driftline.consumer.judge.state import JudgeState
from driftline.consumer.judge.timeline import Timeline
from driftline.consumer.service.plan import Plan
from driftline.consumer.wire.codec import decode, encode
from driftline.consumer.wire.messages import Horizon, Pane, PanesMessage, decode_panes
from driftline.consumer.wire.records import Alert, Verdict
from driftline.detectors import FeatureColumn, Reference, build_reference
from driftline.detectors.replaced_counts import with_counts

SETUP = plan(
    budget="10 per 1d",
    segments=["tier"],
    window={"length": "40s", "every": "20s", "pane": "10s", "grace": "5s", "min_events": 3},
    thresholds={"ks": {"warning": 0.5, "critical": 0.7, "for": "2 of 3"}},
)
PANE = 10 * SECOND
STEPPED = 30  # the pane from which on x is another
Move = tuple[int, Reference]
"""The message before which the judge is given a reference, and that."""


def moved(shift: float = 1.5, stream: str | None = None) -> Reference:
    """The reference with other counts of x in one stream."""
    rng = np.random.default_rng(7)
    values = (rng.normal(size=600) + shift).round(3)
    layout, f = REFERENCE.layout, REFERENCE.layout.position["x"]
    column = build_reference(model=MODEL, features={"x": FeatureColumn("numeric", values)})
    grid = layout.features[f].grid
    flat = np.zeros(layout.starts[f + 1] - layout.starts[f], np.int64)
    places = np.searchsorted(grid, values)
    tied = (places < grid.size) & (grid[np.minimum(places, grid.size - 1)] == values)
    np.add.at(flat, 2 * places + tied, 1)
    assert flat.sum() == column.events
    return with_counts(REFERENCE, {stream: {"x": flat}}, {stream: 600})


@lru_cache
def messages() -> list[Pane | Horizon]:
    """60 panes of ten events; x moves in the 30th."""
    rng = np.random.default_rng(3)
    events = rows(0, STEPPED * 10, SECOND, rng)
    events += [
        {**row, "features": {**row["features"], "x": row["features"]["x"] + 1.5}}
        for row in rows(STEPPED * PANE, 300, SECOND, rng)
    ]
    for number, event in enumerate(events):
        event["tags"] = {"tier": "gold" if number % 3 else "tin"}
    fed = sketch(SETUP).feed(input_records(events), 0)
    return [each for each in fed if isinstance(each, Pane | Horizon)]


def judged(moves: list[Move], stops: frozenset[int] = frozenset()) -> list[Verdict | Alert]:
    """Judge all messages; references move in, and the judge restarts, before some of them.

    A reference holds from the tenth pane after the last one that was sent.
    """
    said = messages()
    timeline: list[tuple[int, Reference]] = []

    def opened(state: JudgeState) -> ModelJudge:
        known = Timeline(REFERENCE)
        for start, reference in timeline:
            known.add(start, reference)
        config = SETUP.config.models[MODEL]
        return ModelJudge(MODEL, config, known, SETUP.pane(MODEL), state, SETUP.passed_over[MODEL])

    judge, found = opened(JudgeState(0, 0)), list[Verdict | Alert]()
    for offset, message in enumerate(said):
        if offset in stops:
            state = decode(encode(judge.state()), JudgeState)
            judge = opened(state)
            assert not [o for n in range(state.rewind, offset) for o in judge.feed(said[n], n)]
        for later in (reference for at, reference in moves if at == offset):
            start = START + (offset // 2 + 10) * PANE
            timeline.append((judge.rebase(later, start), later))
        found += judge.feed(message, offset)
    return found


@lru_cache
def undisturbed() -> list[Verdict | Alert]:
    found = judged([])
    assert {alert.feature for alert in alerts(found)} == {"x"}
    return found


PLACES = st.integers(1, 100)


@settings(max_examples=5, deadline=None)
@given(st.lists(PLACES, max_size=4))
def test_the_same_reference_again_changes_nothing(places: list[int]) -> None:
    assert judged([(at, with_counts(REFERENCE, {})) for at in places]) == undisturbed()


@settings(max_examples=10, deadline=None)
@given(
    st.lists(st.tuples(PLACES, st.sampled_from([0.0, 1.5])), min_size=1, max_size=3),
    st.frozensets(PLACES, max_size=6),
)
def test_a_restart_after_another_reference_changes_nothing(
    shifts: list[tuple[int, float]], stops: frozenset[int]
) -> None:
    moves = [(at, moved(shift)) for at, shift in shifts]
    assert judged(moves, stops) == judged(moves)


def test_a_window_is_compared_with_the_reference_of_its_newest_pane() -> None:
    later = moved()
    found = judged([(21, later)])  # from the pane at 200 s on
    named = {seconds(v.window.end): v.reference.id for v in verdicts(found, "x")}
    assert named == {end: (REFERENCE if end <= 200 else later).id for end in named}
    assert {200, 220} <= set(named)


def of(name: str, found: list[Verdict | Alert]) -> list[tuple[Any, ...]]:
    """What the verdicts on a feature show of the evidence."""
    return [(v.segment, v.window.end, v.sequential) for v in verdicts(found, name)]


def test_evidence_begins_anew_where_something_else_is_normal_alone() -> None:
    found, before = judged([(31, moved(0.0))]), undisturbed()
    assert of("c", found) == of("c", before)
    assert of("x", found) != of("x", before)
    gold = "tier=gold"
    assert [v for v in of("x", found) if v[0] == gold] == [
        v for v in of("x", before) if v[0] == gold
    ]


def test_what_is_normal_now_no_longer_alarms() -> None:
    """Under a reference of what x is from the 30th pane on, from that pane on."""
    moves = [(40, moved(1.5, stream)) for stream in REFERENCE.streams]
    merged = moves[0][1]
    for stream, (_, one) in zip(REFERENCE.streams[1:], moves[1:], strict=True):
        f = REFERENCE.layout.position["x"]
        own = slice(*REFERENCE.layout.starts[f : f + 2])
        counts = one.counts[REFERENCE.position[stream], own]
        merged = with_counts(merged, {stream: {"x": counts}}, {stream: 600})
    fired = [a for a in alerts(judged([(40, merged)])) if a.status == "firing"]
    assert not fired
    assert merged.origin is REFERENCE


def test_another_layout_is_refused() -> None:
    judge = SETUP.judge(MODEL, JudgeState(0, 0))
    rng = np.random.default_rng(1)
    other = build_reference(
        model=MODEL, features={"x": FeatureColumn("numeric", rng.normal(size=9))}
    )
    with pytest.raises(Exception, match="their layouts differ"):
        judge.rebase(other, START)
    assert judge.reference is REFERENCE


def test_the_last_reference_given_for_a_time_holds() -> None:
    timeline, first, second = Timeline(REFERENCE), moved(0.5), moved(1.0)
    timeline.add(START + 20, first)
    timeline.add(START + 10, second)
    assert [timeline.at(START + at) for at in (9, 10, 30)] == [REFERENCE, second, second]
    timeline.forget(START + 9)
    assert timeline.first is REFERENCE
    timeline.forget(START + 10)
    assert timeline.first is timeline.last is second
    assert timeline.origins().first is REFERENCE


def test_the_counts_of_a_stream_alone_are_replaced() -> None:
    other = moved(1.5, "tier=gold")
    changed = np.flatnonzero((other.counts != REFERENCE.counts).any(axis=1))
    assert [REFERENCE.streams[at] for at in changed] == ["tier=gold"]
    assert other.layout_id == REFERENCE.layout_id
    assert Reference.from_json(other.to_json()).id == other.id != REFERENCE.id
    with pytest.raises(KeyError):
        with_counts(REFERENCE, {None: {"unknown": np.zeros(3, np.int64)}})


@lru_cache
def labelled() -> tuple[Plan, list[PanesMessage]]:
    """What the log of panes holds of a model whose labels come 20 s after its predictions."""
    setup = labelled_plan("prediction")
    rig, rng = Rig(setup), np.random.default_rng(2)
    events, labels = [], []
    for second in range(150):
        event = row(second * SECOND, x=round(float(rng.normal()), 3), c="p")
        score = round(float(rng.random()), 3)
        event |= {"event_id": str(second), "tags": {"tier": "gold"}}
        event["prediction"] = {"score": score, "label": "yes" if score > 0.5 else "no"}
        del event["features"]["b"]
        events.append(event)
        label = {"event_id": str(second), "actual": "yes" if score > 0.4 else "no"}
        labels.append({**label, "timestamp": START + (second + 20) * SECOND, "model": MODEL})
    rig.write(events)
    rig.write(labels, topic=LABELS)
    rig.start()
    rig.settle()
    return setup, [decode_panes(record.value or b"") for record in rig.records("panes")]


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 30), st.integers(3, 12), st.frozensets(st.integers(1, 60), max_size=4))
def test_performance_changes_at_its_own_pane(at: int, step: int, stops: frozenset[int]) -> None:
    """Whatever its labels are behind; and a reference that is derived changes nothing of it."""
    setup, said = labelled()
    first = setup.references[MODEL]
    other = replace(first, counted=replace(first.counted, events=first.stream_events + 1))
    start = START + step * PANE
    found = []
    for later in (other, with_counts(first, {}, {None: 401})):
        timeline = Timeline(first)
        state, out = JudgeState(0, 0), list[Verdict | Alert]()
        config, pane = setup.config.models[MODEL], setup.pane(MODEL)
        judge = ModelJudge(MODEL, config, timeline, pane, state, setup.passed_over[MODEL])
        moved: list[int] = []
        for offset, message in enumerate(said):
            if offset in stops:
                state, known = decode(encode(judge.state()), JudgeState), Timeline(first)
                for when in moved:
                    known.add(when, later)
                judge = ModelJudge(MODEL, config, known, pane, state, setup.passed_over[MODEL])
                for n in range(state.rewind, offset):
                    judge.feed(said[n], n)
            if offset == at:
                moved.append(judge.rebase(later, start))
            out += judge.feed(message, offset)
        of_metrics = [
            v for v in verdicts(out) if v.subject.sort == "metric" and not v.subject.estimated
        ]
        named = {(seconds(v.window.end), v.reference.id) for v in of_metrics}
        found.append((moved[0], later.id, named))
    (when, new, changed), (_, _, unchanged) = found
    assert {known for _, known in unchanged} == {first.id}
    assert changed == {
        (end, new if START + end * SECOND > when else first.id) for end, _ in unchanged
    }
