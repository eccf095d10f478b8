"""Panes shorter than a step of the windows change no verdict, and evidence comes pane by pane."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import pytest
from tests.consumer.service.rig import Rig
from tests.consumer.service.small import (
    DAY,
    MODEL,
    SECOND,
    WINDOW,
    backtest,
    plan,
    row,
    rows,
    seconds,
    verdicts,
)

from driftline.consumer.judge.state import JudgeState
from driftline.consumer.service.plan import Plan
from driftline.consumer.sketch.open_pane import PaneTimes
from driftline.consumer.wire.messages import Pane
from driftline.consumer.wire.records import Alert, Verdict


def plan_of(pane: str | None, **settings: Any) -> Plan:
    window = WINDOW if pane is None else {**WINDOW, "pane": pane}
    return plan(window=window, thresholds={"ks": {"warning": 0.4}}, **settings)


def shown(outputs: list[Verdict | Alert]) -> list[bytes]:
    return [msgspec.json.encode(output) for output in outputs]


def events(seed: int) -> list[dict[str, Any]]:
    """Events with stretches of silence, one of them long, that begin in the middle of a step."""
    rng = np.random.default_rng(seed)
    return [
        *rows(13_700, 120, 400, rng, x=None if seed % 2 else 3.0),
        *rows(77_000, 30, 1_300, rng),
        *rows(400_300, 90, 700, rng, x=2.0),
        *rows(DAY, 25, 900, rng),
    ]


@pytest.mark.parametrize("pane", ["1s", "2s", "5s"])
@pytest.mark.parametrize("seed", [0, 1])
def test_a_set_of_rows_gives_the_same_in_panes_of_any_length(pane: str, seed: int) -> None:
    found = events(seed)
    whole = backtest(replace(plan_of(None), ordered=False), found)
    assert len(verdicts(whole)) > 50
    random.Random(seed).shuffle(found)
    assert shown(backtest(replace(plan_of(pane), ordered=False), found)) == shown(whole)


@pytest.mark.parametrize("pane", ["1s", "5s"])
def test_records_in_order_give_the_same_in_panes_of_any_length(pane: str) -> None:
    found = events(0)
    assert shown(backtest(plan_of(pane), found)) == shown(backtest(plan_of(None), found))


def test_a_model_that_falls_silent_has_its_last_window_judged() -> None:
    """Its step is over, not only the last pane with an event."""
    ends = {}
    for pane in (None, "2s"):
        rig = Rig(plan_of(pane, stale_after="20s"), partitions=1)
        rig.write([row(t * SECOND) for t in range(45)], partition=0)
        rig.start()
        rig.settle()
        rig.broker.now += DAY
        rig.settle()
        ends[pane] = max(seconds(v["window"]["end"]) for v in rig.verdicts().values())
    assert ends == {None: 50, "2s": 50}


def test_a_step_ends_where_its_window_does() -> None:
    times = PaneTimes(2_000, 10_000, 5_000)
    assert [times.step_end(t) for t in (0, 1_999, 9_999, 10_000)] == [10_000] * 3 + [20_000]


def test_evidence_tells_of_a_change_before_its_window_is_over() -> None:
    """With a budget a change is told by the panes since it began."""
    rng = np.random.default_rng(3)
    found = [*rows(0, 6_000, 100, rng), *rows(600_000, 2_400, 100, rng, x=3.0)]
    first = {}
    for pane in (None, "10s"):
        window = {"length": "240s", "grace": "5s", "min_events": 1}
        window |= {} if pane is None else {"pane": pane}
        run = plan(window=window, budget="1 per 1d")
        told = [out for out in backtest(run, found) if isinstance(out, Alert)]
        changed = [alert for alert in told if alert.feature == "x"]
        assert changed, pane
        first[pane] = min(seconds(alert.window.end) for alert in changed)
    assert 600 < first["10s"] < 720 <= first[None]


def test_each_final_pane_is_given_once_and_alone() -> None:
    judge_plan = plan_of("2s")
    judge = judge_plan.judge(MODEL, JudgeState(position=0, rewind=0))
    for offset, start in enumerate((4_000, 0, 10_000, 10_000)):
        judge.feed(_pane(judge_plan, start), offset)
    assert [*judge.track.panes_due(5_999)] == [0]
    assert [*judge.track.panes_due(6_000)] == [4_000]
    assert [*judge.track.panes_due(60_000)] == [10_000]
    assert [*judge.track.panes_due(60_000)] == []


def _pane(plan: Plan, start: int) -> Pane:
    return Pane(
        "in", 0, MODEL, start, plan.pane(MODEL), plan.references[MODEL].layout_id, 0, 1, 0, 1, []
    )
