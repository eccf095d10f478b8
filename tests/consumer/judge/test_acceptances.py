"""The present of a feature is accepted as normal: from a pane on it is compared with that."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.consumer.judge.features.test_causes import EVENTS, NAMES, made, shifted, watched
from tests.consumer.service.small import (
    HOUR,
    MODEL,
    REFERENCE,
    SECOND,
    START,
    alerts,
    plan,
    rows,
    seconds,
    sketch,
    verdicts,
)
from tests.consumer.service.small import records as input_records

from driftline.consumer.judge.state import JudgeState
from driftline.consumer.service.backtest import Backtest
from driftline.consumer.service.plan import Plan
from driftline.consumer.wire.codec import decode, encode
from driftline.consumer.wire.messages import Acceptance, Horizon, Pane, PanesMessage
from driftline.consumer.wire.records import Alert, Verdict
from driftline.detectors.dispersion import Dispersion
from driftline.producer.records.mapping import Mapping
from driftline.producer.records.timestamp import format_time
from driftline.producer.reference.build import ReferenceSettings, reference_from_rows

SETUP = plan(
    {MODEL: replace(REFERENCE, dispersion=Dispersion.independent(3))},
    budget="10 per 1d",
    segments=["tier"],
    window={"length": "40s", "every": "20s", "pane": "10s", "grace": "5s", "min_events": 15},
)
PANE = 10 * SECOND
STEP, AGAIN, END = 20, 60, 85
"""The panes from which on x is another, is still another, and the last one."""


@lru_cache
def messages(step: float = 1.5) -> list[PanesMessage]:
    """Panes of ten events: x moves by `step`, and later by as much again."""
    rng = np.random.default_rng(3)
    events = []
    for first, last, moved in ((0, STEP, 0.0), (STEP, AGAIN, step), (AGAIN, END, 2 * step)):
        for event in rows(first * PANE, (last - first) * 10, SECOND, rng):
            event["features"]["x"] += moved
            event["tags"] = {"tier": "gold" if rng.random() < 0.7 else "tin"}
            events.append(event)
    fed = sketch(SETUP).feed(input_records(events), 0)
    return [each for each in fed if isinstance(each, Pane | Horizon)]


def accept(pane: int | None, feature: str = "x", since: int | None = None) -> Acceptance:
    """That x is accepted, from a pane on."""
    start = None if pane is None else START + pane * PANE
    begin = None if since is None else START + since * PANE
    return Acceptance(f"of {feature} {pane}", MODEL, feature, "ada", "a new market", begin, start)


def judged(
    given: dict[int, Acceptance] | None = None,
    stops: frozenset[int] = frozenset(),
    setup: Plan = SETUP,
) -> list[Verdict | Alert]:
    """Judge all messages, with acceptances before some of them and restarts at some."""
    said: list[PanesMessage] = []
    for offset, message in enumerate(messages()):
        said += [given[offset], message] if given and offset in given else [message]
    judge, found = setup.judge(MODEL, JudgeState(0, 0)), list[Verdict | Alert]()
    for offset, message in enumerate(said):
        if offset in stops:
            state = decode(encode(judge.state()), JudgeState)
            judge = setup.judge(MODEL, state)
            assert not [o for n in range(state.rewind, offset) for o in judge.feed(said[n], n)]
        found += judge.feed(message, offset)
    return found


def told(found: list[Verdict | Alert]) -> list[tuple[str, int]]:
    """The alerts on x: status, and the pane in which their window ends."""
    return [(a.status, seconds(a.window.end) // 10) for a in alerts(found, "x")]


def test_a_step_is_found_once_then_accepted_then_normal_and_the_next_is_found() -> None:
    found = judged({60: accept(40)})
    (fired, one), (ended, two), (again, three) = told(found)
    assert (fired, ended, again) == ("firing", "resolved", "firing")
    assert STEP < one < STEP + 8
    assert two == 40
    assert AGAIN < three < AGAIN + 8
    resolved = alerts(found, "x")[1]
    assert resolved.until == format_time(START + 40 * PANE)
    assert resolved.summary == (
        "m: x is accepted by ada as it is since 2020-09-20 00:03 UTC: a new market."
    )
    assert resolved.accepted is not None
    since = alerts(found, "x")[0].since
    assert (resolved.accepted.who, resolved.accepted.since) == ("ada", since)
    # Without it the alert goes on, and the second step is a part of it.
    assert [status for status, _ in told(judged())] == ["firing"]


def test_verdicts_tell_by_whom_and_what_windows_from_before_it_cannot_tell() -> None:
    found = judged({60: accept(41, since=39)})
    whole = [v for v in verdicts(found, "x") if v.segment is None]
    accepted = {seconds(v.window.end) // 10: v for v in whole if v.accepted is not None}
    assert min(accepted) == 42
    early, following = accepted[42], accepted[44]
    text = "what is normal was accepted as it is since 2020-09-20 00:06 UTC"
    assert early.reason == f"{text}, and this window began before"
    assert (following.reason, following.reference.events) == (None, 20)
    assert early.reference.id == following.reference.id != whole[0].reference.id
    assert {v.accepted for v in verdicts(found, "c")} == {None}


@pytest.mark.parametrize("start", [None, 3])
def test_what_is_past_holds_from_the_next_pane_on(start: int | None) -> None:
    found = judged({60: accept(start)})
    (resolved,) = [a for a in alerts(found, "x") if a.status == "resolved"]
    assert 25 < seconds(resolved.until) // 10 < 35


def test_the_first_record_of_an_id_holds() -> None:
    other = msgspec.structs.replace(accept(40), start=START + 50 * PANE, who="bob")
    assert judged({60: accept(40), 62: other, 110: other}) == judged({60: accept(40)})


def test_all_features_are_accepted_at_once_and_others_go_on_as_before() -> None:
    found = judged({60: accept(40, "")})
    assert [status for status, _ in told(found)] == ["firing", "resolved", "firing"]
    named = {v.feature for v in verdicts(found) if v.accepted}
    assert named == {"x", "c", "b"}
    unknown = judged({60: accept(40, "nothing")})
    assert told(unknown) == told(judged())


def test_too_few_events_are_waited_for() -> None:
    """15 are needed, and a pane has ten."""
    found = judged({60: accept(40, since=39)})
    (resolved,) = [a for a in alerts(found, "x") if a.status == "resolved"]
    assert seconds(resolved.until) // 10 == 41
    assert resolved.window.events == 20


PLACES = st.integers(2, 2 * END - 4)


@settings(max_examples=12, deadline=None)
@given(
    st.dictionaries(
        PLACES,
        st.tuples(
            st.sampled_from([None, 10, 30, 40, 65]),
            st.sampled_from(["x", "c", ""]),
            st.sampled_from([None, 5, 35]),
        ),
        min_size=1,
        max_size=3,
    ),
    st.frozensets(PLACES, max_size=6),
)
def test_a_restart_anywhere_changes_nothing(
    given: dict[int, tuple[Any, str, Any]], stops: frozenset[int]
) -> None:
    accepted = {at: accept(*each) for at, each in given.items()}
    assert judged(accepted, stops) == judged(accepted)


def test_many_features_that_are_accepted_at_once_are_one_end() -> None:
    built = ReferenceSettings(MODEL, segments=["channel", "region"])
    known = reference_from_rows([made(60, 1, -100)], Mapping(), built).reference
    events = made(10, 2)
    for one in events[4 * EVENTS :]:
        shifted(0.8, *NAMES)(one)
    run = Backtest(watched(known), MODEL, "in")
    run.accept([Acceptance("all", MODEL, "", "ada", "a new unit", None, START + 7 * HOUR)])
    fired, ended = alerts([*run.feed(events), *run.end()])
    assert (fired.status, ended.status, ended.alert_id) == ("firing", "resolved", fired.alert_id)
    assert len(fired.features or ()) == 12
    assert ended.summary == (
        "m: what changed is accepted by ada as it is since 2020-09-20 04:00 UTC: a new unit."
    )
    assert ended.accepted is not None
