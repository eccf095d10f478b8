"""How features go together is accepted as normal, and stays while what is normal of each moves."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cache
from typing import Any

import numpy as np
import pytest
from tests.consumer.judge.joint.world import A_PANE, PANE, joint_plan, stream
from tests.consumer.service.small import MODEL, START, records, sketch
from tests.detectors.joint.correlated import drawn

from driftline.consumer.judge.accepted_pairs import PairAcceptances
from driftline.consumer.judge.joint.judge import JointJudge
from driftline.consumer.judge.state import JudgeState
from driftline.consumer.wire.codec import decode, encode
from driftline.consumer.wire.messages import Acceptance, Horizon, Pane
from driftline.consumer.wire.records import Alert
from driftline.detectors.reference import Reference

QUIET, HOURS = 36, 12
"""Panes in which they go together, and then hours in which age goes with nothing."""
ROLLING: dict[str, Any] = {"reference": {"rolling": "4h", "layout": "unused.json"}}


@cache
def messages() -> tuple[Pane | Horizon, ...]:
    apart = drawn(np.random.default_rng(8), HOURS * 6 * A_PANE, 0)
    fed = sketch(joint_plan()).feed(records(stream(3, apart)), 0)
    return tuple(each for each in fed if isinstance(each, Pane | Horizon))


def judged(
    accepted: Mapping[int, str] = {},
    stops: Collection[int] = (),
    **settings: Any,
) -> list[Alert]:
    """Return the joint alerts; `accepted`: features by pane; `stops`: messages after a kill."""
    plan = joint_plan(**settings)
    log: list[Any] = [
        Acceptance(name or "all", MODEL, name, "ada", "a new market", None, START + at * PANE)
        for at, name in accepted.items()
    ]
    log += messages()
    judge, found = plan.judge(MODEL, JudgeState(0, 0)), list[Any]()
    for n, message in enumerate(log):
        if n in stops:
            judge = plan.judge(MODEL, decode(encode(judge.state()), JudgeState))
            for past in range(judge.rewind, n):
                assert not judge.feed(log[past], past)
        found += judge.feed(message, n)
    return [each for each in found if isinstance(each, Alert) and each.kind == "joint_drift"]


def states(found: list[Alert]) -> list[str]:
    """The states of alerts, without repeats."""
    return [
        a.status
        for a, b in zip(found, [None, *found], strict=False)
        if not b or a.status != b.status
    ]


@pytest.mark.parametrize("name", ["age", ""])
@pytest.mark.parametrize("settings", [{}, ROLLING], ids=["a file", "rolling"])
def test_pairs_of_an_accepted_feature_are_normal_as_they_are(
    name: str, settings: dict[str, Any]
) -> None:
    """Also where what is normal of the feature itself is learnt anew, hours later."""
    found = judged({QUIET + 18: name}, **settings)
    assert states(found) == ["firing", "resolved"]
    (last,) = [each for each in found if each.status == "resolved"]
    assert last.summary.startswith("m: how features go together is accepted by ada as it is since")
    assert last.alert_id == found[0].alert_id


def test_other_pairs_stay_in_the_alert() -> None:
    found = judged({QUIET + 18: "km"})
    assert states(found) == ["firing"]
    assert found[-1].pairs is not None
    assert {pair.features for pair in judged()[-1].pairs or ()} >= {("age", "km")}


def test_an_alert_goes_on_while_what_is_normal_of_each_moves() -> None:
    assert states(judged(**ROLLING)) == ["firing"]


def as_told(found: list[Alert]) -> list[tuple[Any, ...]]:
    return [(a.alert_id, a.revision, a.status, a.summary, a.pairs) for a in found]


@pytest.mark.parametrize("settings", [{}, ROLLING], ids=["a file", "rolling"])
def test_a_kill_changes_nothing(settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    accepted = {QUIET + 18: "age"}
    wanted = as_told(judged(accepted, **settings))
    stops = {*range(30, len(messages()), 17)}
    assert as_told(judged(accepted, stops, **settings)) == wanted
    monkeypatch.setattr(PairAcceptances, "state", lambda self: [])
    assert as_told(judged(accepted, stops, **settings)) != wanted


def test_each_rule_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    def still(self: PairAcceptances, reference: Reference) -> Reference:
        return reference

    with monkeypatch.context() as weakened:
        weakened.setattr(PairAcceptances, "over", still)
        assert states(judged({QUIET + 18: "age"})) != ["firing", "resolved"]
    monkeypatch.setattr(JointJudge, "carry", lambda self, old: None)
    assert states(judged({QUIET + 18: "km"})) != ["firing"]
