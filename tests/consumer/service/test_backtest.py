"""The backtest: the service's sketch and judge over the rows of a file."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.consumer.service.rig import Rig
from tests.consumer.service.small import (
    MODEL,
    SECOND,
    START,
    TOPIC,
    alerts,
    backtest,
    plan,
    row,
    rows,
    verdicts,
    windows,
)

from driftline.consumer.service.backtest import Backtest
from driftline.consumer.service.plan import Plan
from driftline.consumer.wire.records import Alert, Verdict

PLAN = plan(
    window={"length": "60s", "every": "20s", "grace": "5s", "min_events": 20},
    thresholds={"ks": {"warning": 0.4}},
)


def drifting() -> list[dict[str, Any]]:
    rng = np.random.default_rng(11)
    return [*rows(0, 150, SECOND, rng), *rows(150 * SECOND, 150, SECOND, rng, x=2.5)]


def chunked(of: Plan, events: list[dict[str, Any]], cuts: list[int]) -> list[Verdict | Alert]:
    run = Backtest(of, MODEL, TOPIC)
    edges = [0, *sorted(cuts), len(events)]
    found: list[Verdict | Alert] = []
    for i in range(len(edges) - 1):
        found += run.feed(events[edges[i] : edges[i + 1]])
    return [*found, *run.end()]


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(0, 300), max_size=8))
def test_chunks_change_nothing(cuts: list[int]) -> None:
    found = chunked(PLAN, drifting(), cuts)
    assert msgspec.json.encode(found) == msgspec.json.encode(backtest(PLAN, drifting()))


def test_windows_come_as_soon_as_they_are_final() -> None:
    run = Backtest(PLAN, MODEL, TOPIC)
    assert windows(run.feed(drifting()[:25])) == []
    assert windows(run.feed(drifting()[25:26])) == [(-40, 20, 20)]
    assert run.last_event == START + 25 * SECOND
    assert run.judged_until == START + 20 * SECOND
    assert run.totals.counted == {"m": 26}


def test_the_last_pane_of_a_file_is_not_judged() -> None:
    found = backtest(PLAN, drifting())
    assert windows(found)[-1] == (220, 280, 60)  # of 300 seconds, and 5 of grace
    assert {a.feature for a in alerts(found)} == {"x"}


def test_an_empty_file_has_no_windows() -> None:
    run = Backtest(PLAN, MODEL, TOPIC)
    assert [*run.feed([]), *run.end()] == []
    assert (run.last_event, run.judged_until) == (None, None)


def test_rows_that_cannot_be_used_are_counted_with_an_example_of_each_reason() -> None:
    run = Backtest(PLAN, MODEL, TOPIC)
    odd = [
        {**row(0), "features": 3},
        {**row(0), "features": 4},
        {**row(0), "timestamp": "never"},
        row(0, model="stranger"),
        row(3_650 * 86_400_000),  # a file has no time of writing to be ahead of
    ]
    list(run.feed([row(0), *odd]))
    assert run.totals.rejected == {"schema": 2, "timestamp": 1}
    assert {reason: letter.record.offset for reason, letter in run.examples.items()} == {
        "schema": 1,
        "timestamp": 3,
    }
    assert +run.totals.skipped == {"unknown_model": 1}
    assert run.totals.counted == {"m": 2}


def test_only_the_model_asked_for_is_judged() -> None:
    both = plan({"n": PLAN.references[MODEL]}, models={"n": {}})
    events = [row(n * SECOND, model="mn"[n % 2]) for n in range(100)]
    assert {v.model for v in verdicts(backtest(both, events))} == {MODEL}


def test_late_rows_are_not_used() -> None:
    run = Backtest(PLAN, MODEL, TOPIC)
    found = [*run.feed([*drifting(), *drifting()[:50]]), *run.end()]
    assert run.totals.late == {"m": 50}
    assert found == backtest(PLAN, drifting())


@pytest.mark.parametrize("topics", [1, 2])
def test_the_service_over_several_topics_gives_the_same(topics: int) -> None:
    names = ["in", "also"][:topics]
    several = plan(
        predictions=names,
        window={"length": "60s", "every": "20s", "grace": "5s", "min_events": 20},
        thresholds={"ks": {"warning": 0.4}},
    )
    rig = Rig(several, partitions=2)
    for number, event in enumerate(drifting()):
        place = number % (2 * topics)
        rig.write([event], place % 2, topic=names[place // 2])
    rig.start()
    rig.settle()
    found = backtest(PLAN, drifting())
    assert set(rig.verdicts()) == {v.verdict_id for v in verdicts(found)}
    published = {record.value for record in rig.records("verdicts")}
    assert published == {msgspec.json.encode(v) for v in verdicts(found)}
