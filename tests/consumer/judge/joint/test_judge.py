"""Features that belong together, from events to verdicts and alerts."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.consumer.judge.joint.world import A_PANE, PANE, events, joint_plan, reference, stream
from tests.consumer.service.small import (
    HOUR,
    MODEL,
    alerts,
    backtest,
    judge_all,
    records,
    seconds,
    sketch,
    verdicts,
)
from tests.detectors.joint.correlated import NAMES, drawn

from driftline.consumer.judge.state import JudgeState
from driftline.consumer.wire.codec import decode, encode
from driftline.consumer.wire.messages import Horizon, Loss, Pane
from driftline.consumer.wire.records import JOINT, Alert, Verdict
from driftline.detectors.replaced_counts import with_counts

RNG = np.random.default_rng(8)
APART = drawn(RNG, 18 * A_PANE, 0)
"""Three hours in which age goes together with nothing."""


def joint_verdicts(outputs: Any) -> list[Verdict]:
    return [v for v in verdicts(outputs) if v.type == JOINT]


def test_features_that_no_longer_go_together() -> None:
    outputs = backtest(joint_plan(), stream(3, APART))
    found = alerts(outputs)
    assert {(a.kind, a.feature, a.status) for a in found} == {("joint_drift", None, "firing")}
    first, last = found[0], found[-1]
    assert seconds(first.since) == 6 * 3_600
    assert seconds(first.window.end) <= 6 * 3_600 + 5 * 600  # after 500 events
    assert first.pairs is not None
    assert "age" in first.pairs[0].features
    assert first.summary.startswith(
        f"m: age and {first.pairs[0].features[1]} no longer go together"
    )
    assert " in " in first.summary
    assert "normally" in first.summary
    assert (first.detector, first.budgeted, first.severity) == ("sequential", True, "warning")
    # What follows is in the same alert.
    assert {a.alert_id for a in found} == {first.alert_id}
    assert last.pairs is not None
    assert {pair.features for pair in last.pairs} == {("age", name) for name in NAMES[1:]}
    assert [a.revision for a in found] == list(range(1, len(found) + 1))
    for pair in last.pairs:
        now, normal = (np.array(table, np.float64) for table in (pair.window, pair.reference))
        assert [now.sum(), normal.sum()] == pytest.approx([1.0, 1.0], abs=1e-4)
        for axis in (0, 1):  # normal at the margins of the window
            np.testing.assert_allclose(normal.sum(axis=axis), now.sum(axis=axis), atol=0.01)


def test_a_verdict_of_each_window_says_what_changed_most() -> None:
    outputs = backtest(joint_plan(), stream(3, APART))
    found = joint_verdicts(outputs)
    quiet = [v for v in found if seconds(v.window.end) <= 6 * 3_600]
    assert {v.state for v in quiet} == {"ok"}
    assert found[-1].state == "warning"
    assert found[-1].pairs is not None
    assert "age" in found[-1].pairs[0].features
    assert found[-1].extremes is not None
    assert found[-1].extremes.features == 4
    assert sum(float(share or 0) for share in found[-1].extremes.window) == pytest.approx(1.0)
    figure = found[-1].detectors[JOINT]
    assert figure.value is not None
    assert figure.threshold is not None
    assert (figure.value >= figure.threshold, figure.state) == (True, "warning")
    # No two verdicts have one id: that on the number of events has no feature either.
    ids = [v.verdict_id for v in verdicts(outputs)]
    assert len(ids) == len(set(ids))


def test_it_is_over_when_they_go_together_again() -> None:
    again = drawn(RNG, 48 * A_PANE)
    found = alerts(backtest(joint_plan(), stream(3, APART, again)))
    assert found[-1].status == "resolved"
    assert "how features go together is back to normal" in found[-1].summary
    assert found[-1].until is not None
    once_more = drawn(RNG, 12 * A_PANE, 0)
    later = alerts(backtest(joint_plan(), stream(3, APART, again, once_more)))
    assert len({a.alert_id for a in later}) == 2


def test_a_shift_of_one_feature_is_an_alert_on_that_feature_alone() -> None:
    for moved in (0.3, 0.8):
        shifted = drawn(RNG, 36 * A_PANE)
        shifted[:, 0] += moved
        kinds = {(a.kind, a.feature) for a in alerts(backtest(joint_plan(), stream(3, shifted)))}
        assert kinds == {("feature_drift", "age")}


def test_extremes_that_come_together() -> None:
    values = drawn(RNG, 18 * A_PANE)
    wide = RNG.random(len(values)) < 0.1
    values[wide] = np.sign(values[wide]) * np.abs(RNG.normal(2.4, 0.3, (int(wide.sum()), 1)))
    found = alerts(backtest(joint_plan(min_effect=0.01), stream(3, values)))
    told = [a for a in found if a.kind == "joint_drift" and a.extremes is not None]
    assert told
    assert told[0].extremes is not None
    now, normal = (np.array(each) for each in (told[0].extremes.window, told[0].extremes.reference))
    assert now[4] > normal[4]


def test_only_the_most_important_are_watched() -> None:
    two = {"age": {"weight": 0.5}, "km": {"weight": 3.0}, "debt": {"weight": 2.0}}
    assert alerts(backtest(joint_plan({"top": 2}, features=two), stream(3, APART))) == []
    plan = joint_plan({"top": 4}, ignore=["age"])
    assert alerts(backtest(plan, stream(3, APART))) == []


def test_not_configured_nothing_is_counted_or_said() -> None:
    plan = joint_plan(None)
    outputs = backtest(plan, stream(3, APART))
    assert alerts(outputs) == []
    assert joint_verdicts(outputs) == []
    panes = [o for o in sketch(plan).feed(records(stream(3, APART)), 0) if isinstance(o, Pane)]
    size = reference().layout.size
    for pane in panes:
        assert pane.high == reference().size
        judge = plan.judge(MODEL, JudgeState(0, 0))
        judge.feed(pane, 0)
        assert not judge.track.panes.counts(pane.start, pane.start + PANE, None)[size:].any()
    assert isinstance(plan.judge(MODEL, JudgeState(0, 0)).state().joint, msgspec.UnsetType)


def test_few_events_are_not_judged_and_a_window_without_any_says_so() -> None:
    sparse = events(drawn(RNG, 40), step=HOUR // 10)
    later = events(drawn(RNG, 40), start=40 * HOUR, step=HOUR // 10)
    found = joint_verdicts(backtest(joint_plan(), [*sparse, *later]))
    reasons = {v.reason for v in found}
    assert "20 events, 100 needed" in reasons
    assert "no events" in reasons
    assert {v.state for v in found} == {"insufficient"}


def test_segments_are_counted_by_themselves_alone() -> None:
    values = stream(3, APART)
    for i, event in enumerate(values):
        event["tags"] = {"tier": "gold" if i % 2 else "tin"}
    outputs = backtest(joint_plan(segments=["tier"]), values)
    assert {v.segment for v in joint_verdicts(outputs)} == {None}
    assert {(a.kind, a.segment) for a in alerts(outputs)} == {("joint_drift", None)}


def test_an_alert_that_goes_on_is_told_again_although_nothing_can_be_judged() -> None:
    silence = events(drawn(RNG, 30, 0), start=9 * HOUR, step=9 * HOUR)
    found = alerts(backtest(joint_plan(stale_after="off"), [*stream(3, APART), *silence]))
    told = [a for a in found if "cannot be judged now" in a.summary]
    assert told
    assert told[0].status == "firing"


@settings(max_examples=4, deadline=None)
@given(st.integers(0, 1 << 20))
def test_a_judge_goes_on_from_its_state_as_if_it_had_not_stopped(seed: int) -> None:
    plan = joint_plan()
    messages = [
        m
        for m in sketch(plan).feed(records(stream(3, APART, drawn(RNG, 6 * A_PANE))), 0)
        if isinstance(m, Pane | Horizon | Loss)
    ]
    wanted = judge_all(plan, messages)
    cut = int(np.random.default_rng(seed).integers(1, len(messages)))
    judge = plan.judge(MODEL, JudgeState(0, 0))
    found: list[Verdict | Alert] = []
    for n in range(cut):
        found += judge.feed(messages[n], n)
    state = decode(encode(judge.state()), JudgeState)
    judge = plan.judge(MODEL, state)
    for n in range(state.rewind, len(messages)):
        found += judge.feed(messages[n], n)
    assert msgspec.json.encode(found) == msgspec.json.encode(wanted)


def test_evidence_on_other_features_is_not_gone_on_with() -> None:
    messages = [
        m
        for m in sketch(joint_plan()).feed(records(stream(3, APART)), 0)
        if isinstance(m, Pane | Horizon | Loss)
    ]
    judge = joint_plan().judge(MODEL, JudgeState(0, 0))
    for n, message in enumerate(messages):
        judge.feed(message, n)
    state = decode(encode(judge.state()), JudgeState)
    assert not isinstance(state.joint, msgspec.UnsetType)
    assert state.joint.fired
    other = joint_plan({"top": 3}).judge(MODEL, state).state()
    assert not isinstance(other.joint, msgspec.UnsetType)
    assert other.joint.fired == []
    without = joint_plan(None).judge(MODEL, state)
    assert without.active() == []


def test_the_version_that_it_began_with_is_named() -> None:
    before, after = stream(3), stream(3, APART)
    for i, event in enumerate(after):
        event["model_version"] = "1" if i < len(before) else "2"
    found = alerts(backtest(joint_plan(), after))
    assert "Began with version 2." in found[0].summary


def test_another_reference_of_the_same_pairs_changes_nothing() -> None:
    plan = joint_plan()
    messages = [
        m
        for m in sketch(plan).feed(records(stream(3, APART)), 0)
        if isinstance(m, Pane | Horizon | Loss)
    ]
    first = reference()
    place = first.layout.position["km"]
    block = slice(first.layout.starts[place], first.layout.starts[place + 1])
    other = with_counts(first, {None: {"km": first.counts[0][block] * 2}})
    wanted = [a for a in alerts(judge_all(plan, messages)) if a.kind == "joint_drift"]
    judge = plan.judge(MODEL, JudgeState(0, 0))
    found: list[Alert] = []
    for n, message in enumerate(messages):
        found += alerts(judge.feed(message, n))
        if n == len(messages) * 3 // 4:
            judge.rebase(other, 0)
    told = [a for a in found if a.kind == "joint_drift"]
    assert [(a.alert_id, a.revision, a.pairs) for a in told] == [
        (a.alert_id, a.revision, a.pairs) for a in wanted
    ]
    assert judge.reference.id == other.id
