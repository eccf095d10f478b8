"""The configuration changes while an alert lives: it goes on under its id, by the new rules."""

from __future__ import annotations

from typing import Any

import numpy as np
from tests.consumer.service.small import HOUR, MODEL, alerts, plan, records, rows, sketch

from driftline.consumer.judge.model import ModelJudge
from driftline.consumer.judge.state import JudgeState
from driftline.consumer.service.plan import Plan
from driftline.consumer.wire.codec import decode, encode
from driftline.consumer.wire.messages import Horizon, Loss, Pane
from driftline.consumer.wire.records import Alert

HOURLY = {"length": "1h", "grace": "0s", "min_events": 100}


def threshold(warning: float, **settings: Any) -> Plan:
    limits = {"psi": {"warning": warning}}
    return plan(budget="off", window=HOURLY, thresholds=limits, **settings)


def changed(before: Plan, after: Plan) -> tuple[list[Alert], list[Alert]]:
    """Alerts under the one and, from the fourth hour on, the other configuration.

    Feature x drifts in the second and third hour.
    """
    rng = np.random.default_rng(1)
    events = [
        event
        for hour in range(8)
        for event in rows(hour * HOUR, 400, 9_000, rng, **({"x": 1.5} if hour in (1, 2) else {}))
    ]
    one = sketch(before)
    words = [w for w in one.feed(records(events), 0) if isinstance(w, Pane | Horizon | Loss)]
    place = [n for n, horizon in enumerate(words) if isinstance(horizon, Horizon)][3]

    def run(judge: ModelJudge, start: int, end: int) -> list[Alert]:
        return alerts(o for n in range(start, end) for o in judge.feed(words[n], n))

    judge = before.judge(MODEL, JudgeState(position=0, rewind=0))
    first = run(judge, 0, place)
    state = decode(encode(judge.state()), JudgeState)
    other = after.judge(MODEL, state)
    assert run(other, state.rewind, place) == []
    return first, run(other, place, len(words))


def test_a_threshold_that_was_raised() -> None:
    (fired,), (resolved,) = changed(threshold(0.4), threshold(0.5))
    assert (fired.rule, fired.status) == ("psi: warning 0.4", "firing")
    assert (resolved.status, resolved.revision) == ("resolved", 2)
    assert resolved.alert_id == fired.alert_id


def test_the_rule_is_told_in_the_words_of_the_configuration_also_when_it_is_gone() -> None:
    _, (resolved,) = changed(threshold(0.4), threshold(0.5))
    assert resolved.rule in ("psi: warning 0.4", "psi: warning 0.5")


def test_a_budget_in_place_of_a_threshold() -> None:
    budget = plan(budget="1 per 30d", min_effect=0.1, window=HOURLY)
    (fired,), others = changed(threshold(0.4), budget)
    assert {alert.alert_id for alert in others} == {fired.alert_id}
    assert [alert.revision for alert in others] == list(range(2, 2 + len(others)))
    assert (others[-1].status, others[-1].detector) == ("resolved", "ks")
    assert others[-1].rule == "budget: 1 per 30d, min_effect: 0.1 (window alarm)"


def test_a_feature_that_is_ignored_from_now_on_says_nothing_more() -> None:
    _, others = changed(threshold(0.4), threshold(0.4, ignore=["x"]))
    assert others == []


def test_an_owner_that_changed_is_in_the_next_record() -> None:
    _, (resolved,) = changed(threshold(0.4), threshold(0.4, owner="risk"))
    assert resolved.owner == "risk"
