"""References that move: the stream's own past is normal."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import json
from tests.consumer.service.rig import Rig
from tests.consumer.service.small import (
    MODEL,
    REFERENCE,
    SECOND,
    alerts,
    backtest,
    judge_all,
    plan,
    rows,
    seconds,
    sketch,
    verdicts,
)
from tests.consumer.service.small import records as input_records

from driftline.consumer.judge.model_streams import reference_streams
from driftline.consumer.judge.moving import Stretches
from driftline.consumer.judge.state import JudgeState
from driftline.consumer.service.plan import Plan
from driftline.consumer.wire.codec import decode, encode
from driftline.consumer.wire.messages import Acceptance, Horizon, Pane, PanesMessage
from driftline.consumer.wire.records import Alert, Verdict

WINDOW = {"length": "40s", "every": "20s", "pane": "10s", "grace": "0s", "min_events": 3}
PANE, EVENTS = 10, 10  # seconds; a pane


def moving(**reference: str) -> Plan:
    """A plan in which x alarms where its distribution is far from what is normal."""
    return plan(
        reference={"layout": "unused.json", **reference},
        window=WINDOW,
        segments=["tier"],
        thresholds={"ks": {"critical": 0.6}},
    )


ROLLING, PREVIOUS = moving(rolling="80s"), moving(previous="1 window")


def stepped(panes: int, *steps: tuple[int, float]) -> list[dict[str, Any]]:
    """Events of ten a pane; x is moved from some panes on."""
    rng = np.random.default_rng(3)
    events = rows(0, panes * EVENTS, SECOND, rng)
    for number, event in enumerate(events):
        by = [by for pane, by in steps if number >= pane * EVENTS]
        event["features"]["x"] = round(event["features"]["x"] + (by[-1] if by else 0.0), 3)
        event["tags"] = {"tier": "gold" if number % 3 else "tin"}
    return events


def messages(setup: Plan, events: list[dict[str, Any]]) -> list[Pane | Horizon]:
    fed = sketch(setup).feed(input_records(events), 0)
    return [each for each in fed if isinstance(each, Pane | Horizon)]


def compared(found: list[Verdict | Alert], name: str = "x") -> dict[int, int]:
    """By the end of a window, how many events of the whole model it was compared with."""
    return {
        seconds(each.window.end): each.reference.events
        for each in verdicts(found, name)
        if each.segment is None
    }


def of_x(found: list[Verdict | Alert]) -> list[tuple[str, int]]:
    """The alerts on x: what they say, and at the end of which window."""
    return [(a.status, seconds(a.window.end)) for a in alerts(found, "x") if a.segment is None]


@lru_cache
def judged(setup: str, *steps: tuple[int, float]) -> list[Verdict | Alert]:
    wanted = {"rolling": ROLLING, "previous": PREVIOUS}[setup]
    return judge_all(wanted, messages(wanted, stepped(90, *steps)))


def test_a_window_is_compared_with_the_stretch_before_it() -> None:
    """Windows of 40 s every 20 s: what is normal for one that ends at 240 s ends at 200 s."""
    found = [v for v in verdicts(judged("rolling"), "c") if v.segment is None]
    events = stepped(90)
    for verdict in found:
        end = seconds(verdict.window.end)
        if end < 120:  # what came before was too little
            assert verdict.reference.id == REFERENCE.id
            continue
        first, last = end - 40 - 80, end - 40
        came = [event["features"]["c"] for event in events[first:last]]
        assert verdict.bins is not None
        counted = dict(zip(verdict.bins["categories"], verdict.bins["reference"], strict=True))
        assert counted == {name: came.count(name) for name in counted}
        assert verdict.reference.events == 80


def test_the_windows_before_are_normal() -> None:
    found = compared(judged("previous", (40, 3.0)))
    assert {end for end, many in found.items() if many == 40} == {*range(80, 900, 20)}
    ids = [v.reference.id for v in verdicts(judged("previous"), "x") if v.segment is None]
    assert len({*ids}) == len(ids) - 2


def test_until_enough_is_known_the_file_is_normal_and_it_is_said() -> None:
    found = [v for v in verdicts(judged("rolling"), "x") if v.segment is None]
    notes = {seconds(v.window.end): v.note for v in found}
    assert notes[100] == (
        "normal is what the layout's file says: the stream is known since 2020-09-20 00:00 UTC,"
        " not for 1m20s"
    )
    assert notes[120] is None
    assert compared(judged("rolling"))[100] == REFERENCE.events


def test_a_step_is_found_once_and_then_normal() -> None:
    """While its alert is open it is left out; once it has been so for all of the past it is in."""
    found = judged("rolling", (40, 3.0))
    said = of_x(found)
    assert said[0] == ("firing", 440)
    assert [status for status, _ in said] == ["firing", "resolved"]
    ended = said[1][1]
    # 80 s of the step, and 20 s that lie between, then three windows that are quiet.
    assert ended == 400 + 80 + 20 + 3 * 20
    by_end = {
        seconds(v.window.end): v for v in verdicts(found, "x") if v.segment is None
    }  # fmt: skip
    for end in range(440, 500, 20):
        bins = by_end[end].bins
        assert bins is not None
        assert bins["reference"][-1] < 0.3 * sum(bins["reference"])  # few beyond what was normal
    assert by_end[500].state == "critical"
    assert by_end[ended].state == by_end[880].state == "ok"


def test_what_goes_back_is_not_learnt() -> None:
    """A step of 60 s: its panes never are normal, and as much of before counts instead."""
    found = judged("rolling", (40, 3.0), (46, 0.0))
    assert [status for status, _ in of_x(found)] == ["firing", "resolved"]
    normal = {seconds(v.window.end): v for v in verdicts(found, "x") if v.segment is None}
    bins = normal[540].bins
    assert bins is not None
    assert sum(bins["reference"]) == 80
    assert bins["reference"][-1] < 0.3 * 80


def test_two_steps_are_two_alerts_of_the_windows_before() -> None:
    found = of_x(judged("previous", (40, 3.0), (60, 0.0)))
    assert [status for status, _ in found] == ["firing", "resolved"] * 2
    assert [end for status, end in found if status == "firing"] == [440, 640]


PLACES = st.integers(1, 178)


@pytest.mark.parametrize("setup", [ROLLING, PREVIOUS], ids=["rolling", "previous"])
@settings(max_examples=4, deadline=None)
@given(stops=st.frozensets(PLACES, max_size=8))
def test_a_restart_changes_nothing(setup: Plan, stops: frozenset[int]) -> None:
    name = "rolling" if setup is ROLLING else "previous"
    steps = (40, 3.0), (46, 0.0), (60, 3.0)
    said = messages(setup, stepped(90, *steps))
    judge, found = setup.judge(MODEL, JudgeState(0, 0)), list[Verdict | Alert]()
    for offset, message in enumerate(said):
        if offset in stops:
            state = decode(encode(judge.state()), JudgeState)
            judge = setup.judge(MODEL, state)
            assert not [o for n in range(state.rewind, offset) for o in judge.feed(said[n], n)]
        found += judge.feed(message, offset)
    assert found == judged(name, *steps)


@pytest.mark.parametrize("setup", [ROLLING, PREVIOUS], ids=["rolling", "previous"])
def test_the_service_and_a_backtest_say_the_same(setup: Plan) -> None:
    events = stepped(90, (40, 3.0), (46, 0.0), (60, 3.0))
    rig = Rig(setup, partitions=2)
    for number, event in enumerate(events):
        rig.write([event], number % 2)
    rig.start(batch=100)
    rig.settle()
    found = {json.encode(each) for each in backtest(setup, events)}
    published = {record.value for topic in ("verdicts", "alerts") for record in rig.records(topic)}
    assert published == found


ACCEPTED = Acceptance("one", MODEL, "x", "ada", "a new market")
AT = 2 * 48  # the message before which it is read: of the 48th pane


def after_accepting(setup: Plan, stops: frozenset[int] = frozenset()) -> list[Verdict | Alert]:
    said: list[PanesMessage] = [*messages(setup, stepped(90, (40, 3.0)))]
    said.insert(AT, ACCEPTED)
    judge, found = setup.judge(MODEL, JudgeState(0, 0)), list[Verdict | Alert]()
    for offset, message in enumerate(said):
        if offset in stops:
            state = decode(encode(judge.state()), JudgeState)
            judge = setup.judge(MODEL, state)
            assert not [o for n in range(state.rewind, offset) for o in judge.feed(said[n], n)]
        found += judge.feed(message, offset)
    return found


def test_what_is_accepted_is_normal_at_once_and_learnt_later() -> None:
    found = after_accepting(ROLLING)
    assert of_x(found)[0] == ("firing", 440)
    assert [status for status, _ in of_x(found)] == ["firing", "resolved"]
    by_end = {seconds(v.window.end): v for v in verdicts(found, "x") if v.segment is None}
    assert by_end[520].accepted is not None
    assert by_end[520].state == by_end[880].state == "ok"
    assert by_end[880].accepted is None  # the past is all after it
    assert by_end[880].bins is not None
    assert sum(by_end[880].bins["reference"]) == 80


@settings(max_examples=3, deadline=None)
@given(stops=st.frozensets(st.integers(AT - 6, AT + 40), min_size=2, max_size=8))
def test_a_restart_after_an_acceptance_changes_nothing(stops: frozenset[int]) -> None:
    assert after_accepting(ROLLING, stops) == after_accepting(ROLLING)


def test_what_is_kept_has_a_size() -> None:
    """Stretches that are over for all features are not kept."""
    said = messages(ROLLING, stepped(90, (40, 3.0)))
    judge, sizes = ROLLING.judge(MODEL, JudgeState(0, 0)), []
    for offset, message in enumerate(said):
        judge.feed(message, offset)
        chunks = judge.state().chunks
        sizes.append(len(chunks) if isinstance(chunks, list) else 0)
    assert max(sizes) <= 2 * 4 + 2
    assert sizes[-1] == 4 + 2
    streams = reference_streams(ROLLING.config.models[MODEL], REFERENCE)
    chunks = judge.state().chunks
    assert isinstance(chunks, list)
    assert {len(chunk.learnt) for chunk in chunks} == {len(streams)}


def test_how_long_stretches_are() -> None:
    settings = {"length": "1d", "every": "1h"}
    ways = {"rolling": ["28d", "10d", "1d"], "previous": ["1 window", "3 windows"]}
    found = {
        way: (stretches.length // 3_600_000, stretches.many, stretches.lag)
        for name, texts in ways.items()
        for way in texts
        for stretches in [
            Stretches(plan(reference={name: way}, window=settings).config.models[MODEL])
        ]
    }
    assert found == {
        "28d": (24, 28, 1),
        "10d": (9, 27, 3),
        "1d": (1, 24, 23),
        "1 window": (1, 24, 23),
        "3 windows": (1, 72, 23),
    }


def test_other_counts_than_the_state_has_begin_anew() -> None:
    said = messages(ROLLING, stepped(30))
    judge = ROLLING.judge(MODEL, JudgeState(0, 0))
    for offset, message in enumerate(said):
        judge.feed(message, offset)
    state = decode(encode(judge.state()), JudgeState)
    other = plan(
        reference={"layout": "unused.json", "rolling": "1h"}, window=WINDOW, segments=["tier"]
    )
    assert other.judge(MODEL, state).reference is REFERENCE
