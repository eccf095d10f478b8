"""Which windows are judged, and what their verdicts say."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.consumer.service.small import (
    MODEL,
    REFERENCE,
    SECOND,
    START,
    backtest,
    judge_all,
    plan,
    records,
    reference,
    row,
    rows,
    seconds,
    sketch,
    verdicts,
    windows,
)

from driftline.consumer.judge.state import JudgeState
from driftline.consumer.service.plan import Plan
from driftline.consumer.sketch.totals import DeadLetter
from driftline.consumer.wire.codec import decode, encode
from driftline.consumer.wire.messages import Block, Horizon, Loss, Pane, PanesMessage
from driftline.consumer.wire.records import Alert, Verdict
from driftline.consumer.wire.subject import identity
from driftline.producer.records.timestamp import format_time

PLAN = plan()  # windows of 30 s every 10 s


def at(*times: float, **values: Any) -> list[dict[str, Any]]:
    return [row(int(time * SECOND), **values) for time in times]


def messages(of: Plan, events: list[dict[str, Any]]) -> list[PanesMessage]:
    """What one partition sends to the log of panes."""
    one = sketch(of)
    out = [*one.claim(), *one.feed(records(events), 0), *one.idle(0, 0)]
    return [message for message in out if not isinstance(message, DeadLetter | Block)]


def test_windows_are_runs_of_whole_panes() -> None:
    found = windows(backtest(PLAN, at(12, 13, 22, 31, 45.5)))
    # Each ends with a pane; the first is the first that ends after the first pane.
    assert found == [(-10, 20, 2), (0, 30, 3), (10, 40, 4)]


def test_the_first_window_ends_after_the_smallest_final_pane_of_all_partitions() -> None:
    parts = [sketch(PLAN, number, 2) for number in range(2)]
    words = parts[0].feed(records(at(41, 77)), 0)
    assert judge_all(PLAN, words) == []
    words += parts[1].feed(records(at(23, 66), 1), 0)
    assert windows(judge_all(PLAN, words))[0] == (0, 30, 1)


def test_a_pane_that_is_not_final_everywhere_waits() -> None:
    words = sketch(PLAN, 0, 2).feed(records(at(1, 100)), 0)
    behind = sketch(PLAN, 1, 2)
    words += behind.feed(records(at(2, 26), 1), 0)
    assert [end for _, end, _ in windows(judge_all(PLAN, words))] == [10, 20]
    words += behind.feed(records(at(47), 1, first=2), 0)
    assert [end for _, end, _ in windows(judge_all(PLAN, words))] == [10, 20, 30, 40]


def test_a_stretch_without_events_gives_one_verdict() -> None:
    found = verdicts(backtest(PLAN, at(3, 204, 216)), "x")
    assert [(seconds(v.window.start), seconds(v.window.end), v.window.events) for v in found] == [
        (-20, 10, 1),
        (-10, 20, 1),
        (0, 30, 1),
        (10, 200, 0),  # no window from here on held an event
        (180, 210, 1),
    ]
    stretch = found[3]
    assert (stretch.state, stretch.reason) == ("insufficient", "no events")
    assert (stretch.detectors, stretch.effect, stretch.bins, stretch.versions) == (
        {},
        None,
        None,
        {},
    )
    start, end = stretch.window.times
    assert stretch.verdict_id == identity("m", "x", start, end, REFERENCE.id)


def test_a_stretch_that_still_lasts_says_nothing_yet() -> None:
    words = messages(PLAN, at(3))
    reached = START + 900 * SECOND
    words.append(Horizon("in", 0, 1, MODEL, reached, reached, 9, 0))
    assert [events for _, _, events in windows(judge_all(PLAN, words))] == [1, 1, 1]


def test_an_event_that_comes_after_an_idle_mark_joins_the_windows_still_to_be_judged() -> None:
    first, second = (sketch(PLAN, number, 2) for number in range(2))
    words = [*first.feed(records(at(3, 41, 66)), 0), *second.idle(0, 0)]
    assert windows(judge_all(PLAN, words))[-1] == (30, 60, 1)
    words += second.feed(records(at(45, 56, 77, 108), 1), 0)
    words += [*first.feed(records(at(109), first=3), 0)]
    found = windows(judge_all(PLAN, words))
    assert found[-5:] == [(30, 60, 1), (40, 70, 4), (50, 80, 3), (60, 90, 2), (70, 100, 1)]


def test_too_few_events_is_a_verdict() -> None:
    few = plan(window={"length": "30s", "every": "10s", "grace": "5s", "min_events": 1_500})
    rng = np.random.default_rng(1)
    found = backtest(few, [*rows(0, 1_400, 7, rng), *at(40)])
    first = verdicts(found, "x")[0]
    assert (first.state, first.reason) == ("insufficient", "1,400 events, 1,500 needed")
    assert first.counts == {
        "valid": 1_400, "missing": 0, "absent": 0, "invalid": 0, "unseen": 0,
        "out_of_range": first.counts["out_of_range"] if first.counts else None,
    }  # fmt: skip
    assert (first.effect, first.detectors, first.bins) == (None, {}, None)
    assert not [o for o in found if isinstance(o, Alert)]


def test_counts_by_kind() -> None:
    values: list[dict[str, Any]] = [
        {"x": 0.5}, {"x": None}, {"x": "text"}, {"x": 99}, {"x": -99}, {"c": "new"}, {"c": None},
        {"c": 7}, {"c": []}, {"b": None}, {"b": "maybe"},
    ]  # fmt: skip
    events = [row(0, **one) for one in values]
    del events[0]["features"]["c"]
    found = {v.feature: v.counts for v in verdicts(backtest(PLAN, [*events, *at(40)]))[:3]}
    kinds = ("valid", "missing", "absent", "invalid", "unseen", "out_of_range")
    assert found == {
        "b": dict(zip(kinds, (9, 1, 0, 1, 0, 0), strict=True)),
        "c": dict(zip(kinds, (8, 1, 1, 1, 2, 0), strict=True)),
        "x": dict(zip(kinds, (9, 1, 0, 1, 0, 2), strict=True)),
    }


def test_versions_of_a_window() -> None:
    events = [
        *at(*[1] * 3, model_version="1"), *at(*[1] * 5, model_version="2"),
        *at(*[1] * 2, model_version="a"), *at(*[1] * 2, model_version="b"),
        *at(1, model_version="c"), *at(1, model_version="d"), *at(1, model_version="e"),
        *at(1), *at(40),
    ]  # fmt: skip
    (first, *_) = verdicts(backtest(PLAN, events), "x")
    assert list(first.versions.items()) == [
        ("2", 5), ("1", 3), ("a", 2), ("b", 2), ("c", 1), ("__other__", 2),
    ]  # fmt: skip
    assert first.window.events == 16


def test_streams_are_the_model_and_its_segments() -> None:
    segmented = plan(segments=["tier"])
    events = [
        *at(1, 2, 3, tags={"tier": "gold"}), *at(4, tags={"tier": "tin"}),
        *at(5, tags={"tier": "odd"}), *at(6), *at(40),
    ]  # fmt: skip
    found = verdicts(backtest(segmented, events))
    first = [v for v in found if v.window == found[0].window or v.window.end == found[0].window.end]
    order = [(v.stream, v.feature) for v in first]
    listed = [f"m/tier={value}" for value in (*REFERENCE.segments["tier"], "__other__")]
    assert order == [(s, f) for s in ["m", *listed] for f in ("b", "c", "x")]
    events_of = {v.stream: v.window.events for v in first}
    assert events_of == {"m": 6, "m/tier=gold": 3, "m/tier=tin": 1, "m/tier=__other__": 2}
    gold = next(v for v in first if v.stream == "m/tier=gold")
    assert (gold.model, gold.segment) == ("m", "tier=gold")
    place = REFERENCE.position["tier=gold"]
    assert gold.reference.events == REFERENCE.stream_events[place]
    # The reference has no event of any other tier.
    other = next(v for v in first if v.stream == "m/tier=__other__")
    assert other.reason == "the reference has no events of this segment"


def test_ignored_features_have_no_verdict() -> None:
    found = verdicts(backtest(plan(ignore=["c*", "b"]), at(1, 40)))
    assert {v.feature for v in found} == {"x"}


def test_a_window_that_holds_another_reference_is_insufficient() -> None:
    other = plan({MODEL: reference(seed=6)})
    old = [m for m in messages(other, at(3, 14, 22, 36)) if isinstance(m, Pane)][:2]
    new = messages(PLAN, at(24, 35, 46, 57, 68))
    found = verdicts(judge_all(PLAN, [*old, *new]), "x")
    said = [(seconds(v.window.end), v.state == "insufficient", v.reason) for v in found]
    assert said == [
        (10, True, "reference changed"),
        (20, True, "reference changed"),
        (30, True, "reference changed"),
        (40, True, "reference changed"),
        (50, False, None),
        (60, False, None),
    ]
    assert found[2].window.events == 3
    assert found[2].counts is None


def test_another_baseline_of_the_same_layout_goes_on_with_the_panes_at_hand() -> None:
    counted = replace(REFERENCE.counted, counts=REFERENCE.counts // 2)
    halved = replace(REFERENCE, counted=counted)
    assert (halved.layout_id, halved.id != REFERENCE.id) == (REFERENCE.layout_id, True)
    found = verdicts(judge_all(plan({MODEL: halved}), messages(PLAN, at(3, 14, 25, 36))), "x")
    assert {v.reason for v in found} == {None}
    assert {v.reference.id for v in found} == {halved.id}


def test_windows_over_a_loss_are_insufficient() -> None:
    words = messages(PLAN, at(3, 14, 25, 36, 47, 58, 69, 80))
    words.insert(1, Loss("in", 0, MODEL, 5, 9, START + 20 * SECOND, START + 30 * SECOND))
    said = [(seconds(v.window.end), v.reason) for v in verdicts(judge_all(PLAN, words), "x")]
    lost = "events of this time were deleted before they were read"
    assert said == [
        (10, None), (20, None), (30, lost), (40, lost), (50, lost), (60, None), (70, None),
    ]  # fmt: skip


def restarted(of: Plan, words: list[Any], places: set[int]) -> list[Verdict | Alert]:
    """Judge `words`, starting anew from the recorded state at `places`."""
    judge = of.judge(MODEL, JudgeState(position=0, rewind=0))
    found: list[Verdict | Alert] = []
    for offset, horizon in enumerate(words):
        if offset in places:
            state = decode(encode(judge.state()), JudgeState)
            judge = of.judge(MODEL, state)
            again = [o for n in range(state.rewind, offset) for o in judge.feed(words[n], n)]
            assert again == []
        found += judge.feed(horizon, offset)
    return found


ALARMING = plan(
    segments=["tier"],
    window={"length": "30s", "every": "10s", "grace": "5s", "min_events": 3},
    thresholds={"ks": {"warning": 0.5, "critical": 0.7, "for": "2 of 3"}},
)


@lru_cache
def eventful() -> tuple[list[PanesMessage], list[Verdict | Alert]]:
    """A drift, a stretch without events and their end: what is sent, and what comes of it."""
    rng = np.random.default_rng(3)
    events = rows(0, 60, 1_000, rng) + rows(180_000, 40, 1_000, rng, x=2.0, model_version="2")
    words = messages(ALARMING, events + rows(220_000, 110, 1_000, rng))
    found = judge_all(ALARMING, words)
    assert {o.status for o in found if isinstance(o, Alert)} == {"firing", "resolved"}
    assert any(o.reason == "no events" for o in verdicts(found))
    return words, found


@settings(max_examples=25, deadline=None)
@given(st.sets(st.integers(1, 50), max_size=6))
def test_a_restart_at_any_place_changes_nothing(places: set[int]) -> None:
    words, found = eventful()
    assert restarted(ALARMING, words, places) == found


def test_the_state_gives_up_panes_that_no_window_needs() -> None:
    judge = PLAN.judge(MODEL, JudgeState(position=0, rewind=0))
    words = messages(PLAN, at(*range(2, 1_000, 10)))
    for offset, horizon in enumerate(words):
        judge.feed(horizon, offset)
    state = judge.state()
    assert state.position == len(words)
    # The 50 panes that the gate looks at with their horizons, the next one and the mark.
    assert state.position - state.rewind <= 103


def test_verdict_ids_name_stream_feature_window_and_reference() -> None:
    for verdict in verdicts(backtest(plan(segments=["tier"]), at(3, 14, 25, 36))):
        parts = (verdict.stream, verdict.subject.field, *verdict.window.times)
        assert verdict.verdict_id == identity(*parts, REFERENCE.id)


def test_a_new_pane_length_applies_from_the_next_pane_on() -> None:
    """The windows go on at multiples of the new length, and none that holds both is judged."""
    longer = plan(window={"length": "1m", "every": "20s", "grace": "5s", "min_events": 1})
    judge = PLAN.judge(MODEL, JudgeState(position=0, rewind=0))
    old = messages(PLAN, at(3, 14, 25, 36))  # judged to 30 s; the next window ends at 40 s
    for offset, horizon in enumerate(old):
        judge.feed(horizon, offset)
    state = decode(encode(judge.state()), JudgeState)
    judge = longer.judge(MODEL, state)
    for offset in range(state.rewind, len(old)):
        judge.feed(old[offset], offset)
    new = messages(longer, at(47, 68, 89, 111, 133, 154, 175))
    found = [o for n, horizon in enumerate(new, len(old)) for o in judge.feed(horizon, n)]
    said = {seconds(v.window.end): v.reason for v in verdicts(found, "x")}
    assert all(end % 20 == 0 for end in said)
    assert {end: reason for end, reason in said.items() if end >= 60} == {
        60: "reference changed",
        80: "reference changed",
        100: None,
        120: None,
        140: None,
        160: None,
    }


@pytest.mark.parametrize("time", ["2020-09-20T00:00:00Z", "2020-09-20T00:00:10Z"])
def test_times_are_rfc_3339_in_utc(time: str) -> None:
    assert format_time(START + seconds(time) * SECOND) == time
    (first, *_) = verdicts(backtest(PLAN, at(1, 40)))
    assert (
        msgspec.json.decode(msgspec.json.encode(first))["window"]["end"] == "2020-09-20T00:00:10Z"
    )
