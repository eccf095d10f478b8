"""Drift scenarios: what they change, what they leave alone, and that the monitor finds them."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.consumer.config import Config, KafkaConfig, ModelConfig, ReferenceConfig
from driftline.consumer.service.backtest import Backtest
from driftline.consumer.service.plan import Plan
from driftline.consumer.wire.records import Alert
from driftline.detectors.reference import Reference
from driftline.producer.errors import InputError
from driftline.producer.records.fields import RecordFields
from driftline.producer.records.mapping import Mapping
from driftline.producer.records.time_form import TimeForm
from driftline.producer.records.timestamp import format_time, parse_timestamp
from driftline.producer.reference.build import ReferenceSettings, reference_from_events
from driftline.producer.replay.generator import FIRST_HOUR, HOUR, generate
from driftline.producer.replay.scenario_text import Survey, parse_scenario, survey
from driftline.producer.replay.scenarios import (
    FEET,
    Scenario,
    broken_unit,
    gradual,
    incremental,
    lay_over,
    missing_values,
    new_category,
    recurring,
    seasonal,
    sudden,
    swapped_columns,
    truth_lines,
    write_truth,
)

Event = dict[str, Any]

HOURS = 36
START = FIRST_HOUR + 20 * 24 * HOUR  # of the stream under test; the reference is before it
END = START + HOURS * HOUR

SCENARIOS = {
    "sudden": "sudden:feature=amount",
    "gradual": "gradual:feature=age",
    "incremental": "incremental:feature=distance",
    "recurring": "recurring:feature=age",
    "seasonal": "seasonal:feature=age",
    "missing_values": "missing_values:feature=amount",
    "new_category": "new_category:feature=country",
    "broken_unit": "broken_unit:feature=distance",
    "swapped_columns": "swapped_columns:feature=age,with=amount",
}


def event(time: int, **features: object) -> Event:
    return {"timestamp": time, "features": features}


def values(events: Sequence[Event], feature: str) -> list[Any]:
    return [each["features"][feature] for each in events]


# Proof: the default configuration finds every scenario, and nothing else.


@pytest.fixture(scope="module")
def reference() -> Reference:
    events = generate(hours=72, seed=1)
    return reference_from_events(events, ReferenceSettings("payments")).reference


@pytest.fixture(scope="module")
def stream() -> list[Event]:
    return list(generate(HOURS, start=START, seed=2))


def backtest(reference: Reference, events: Sequence[Event]) -> list[Alert]:
    settings = ModelConfig(predictions=("file",), reference=ReferenceConfig(layout="-"))
    kafka = KafkaConfig(bootstrap_servers=("localhost:9092",))
    plan = Plan(Config(kafka=kafka, models={"payments": settings}), {"payments": reference})
    monitor = Backtest(plan, "payments", "file")
    found = [*monitor.feed(events), *monitor.end()]
    assert monitor.totals.late["payments"] == 0
    assert monitor.totals.rejected.total() == 0
    return [record for record in found if isinstance(record, Alert)]


def test_the_generated_stream_is_quiet(reference: Reference, stream: list[Event]) -> None:
    assert backtest(reference, stream) == []


@pytest.mark.parametrize("kind", SCENARIOS)
def test_the_default_configuration_finds_the_truth_and_nothing_else(
    kind: str, reference: Reference, stream: list[Event]
) -> None:
    text = parse_scenario(SCENARIOS[kind])
    scenario = text.resolve(survey(stream, [text]))
    assert {truth.kind for truth in scenario.truth} == {kind}
    alerts = backtest(reference, list(lay_over(stream, [scenario], seed=3)))
    assert {alert.feature for alert in alerts} == set(scenario.features)
    onsets = {(alert.feature, parse_timestamp(alert.since)) for alert in alerts}
    for truth in scenario.truth:
        near = [
            since
            for feature, since in onsets
            if feature == truth.feature
            and since is not None
            and abs(since - truth.start) <= 2 * HOUR
        ]
        assert near, (truth, sorted(onsets, key=str))
    for feature, since in onsets:  # and none began where nothing did; `since` is a pane's start
        assert since is not None
        assert any(
            truth.feature == feature and truth.start - HOUR < since < truth.end
            for truth in scenario.truth
        )


# What each kind does.


def test_nothing_changes_before_the_start_and_from_the_end_on() -> None:
    times = [START - 1, START, START + 9, START + 10]
    given_events = [event(time, km=1.0) for time in times]
    changed = list(lay_over(given_events, [sudden("km", START, START + 10, 2.5)]))
    assert values(changed, "km") == [1.0, 3.5, 3.5, 1.0]


def test_whole_numbers_stay_whole_and_only_numbers_move() -> None:
    given_values = [3, 2.0, None, "3", True, math.nan]
    events = [event(START, x=value) for value in given_values]
    moved = values(list(lay_over(events, [sudden("x", START, END, 1.4)])), "x")
    assert moved[:5] == [4, 3.4, None, "3", True]
    assert [type(value) for value in moved] == [type(value) for value in given_values]
    feet = values(list(lay_over(events, [broken_unit("x", START, END)])), "x")
    assert feet[:5] == [10, 2.0 * FEET, None, "3", True]


def test_gradual_mixes_more_and_more_of_the_new_values() -> None:
    times = np.linspace(START, START + 20 * HOUR, 20_000).astype(int).tolist()
    events = [event(time, x=0.0) for time in times]
    scenario = gradual("x", START, END, 1.0, over=10 * HOUR)
    shares = np.reshape(values(list(lay_over(events, [scenario])), "x"), (10, -1)).mean(axis=1)
    expected = [0.1, 0.3, 0.5, 0.7, 0.9, 1, 1, 1, 1, 1]
    assert shares == pytest.approx(expected, abs=0.03)
    assert set(values(list(lay_over(events, [scenario])), "x")) == {0.0, 1.0}


def test_incremental_moves_every_value_further() -> None:
    events = [event(START + hour * HOUR, x=0.0) for hour in range(5)]
    scenario = incremental("x", START, END, 10.0, over=2 * HOUR)
    assert values(list(lay_over(events, [scenario])), "x") == [0.0, 5.0, 10.0, 10.0, 10.0]


def test_recurring_comes_and_goes_and_tells_each_episode() -> None:
    events = [event(START + hour * HOUR, x=0.0) for hour in range(8)]
    scenario = recurring("x", START, START + 7 * HOUR, 1.0, period=4 * HOUR)
    assert values(list(lay_over(events, [scenario])), "x") == [1, 1, 0, 0, 1, 1, 0, 0]
    episodes = [((t.start - START) // HOUR, (t.end - START) // HOUR) for t in scenario.truth]
    assert episodes == [(0, 2), (4, 6)]


def test_the_last_episode_ends_with_the_drift() -> None:
    scenario = recurring("x", START, START + 5 * HOUR, 1.0, period=4 * HOUR)
    assert scenario.truth[-1].end == START + 5 * HOUR


def test_seasonal_swings_both_ways() -> None:
    events = [event(START + hour * HOUR, x=100.0) for hour in range(0, 24, 6)]
    scenario = seasonal("x", START, END, 10.0, period=24 * HOUR)
    swung = values(list(lay_over(events, [scenario])), "x")
    assert swung == pytest.approx([100, 110, 100, 90])


@pytest.mark.parametrize(
    ("make", "changed"),
    [
        (lambda: missing_values("x", START, END, 0.3), None),
        (lambda: new_category("x", START, END, 0.3, "van"), "van"),
    ],
)
def test_a_share_of_the_values_changes(make: Callable[[], Scenario], changed: object) -> None:
    events = [event(START, x="car") for _ in range(10_000)]
    share = values(list(lay_over(events, [make()])), "x").count(changed) / 10_000
    assert share == pytest.approx(0.3, abs=0.02)


def test_a_new_category_replaces_no_missing_value() -> None:
    scenario = new_category("x", START, END, 1.0)
    assert values(list(lay_over([event(START, x=None)], [scenario])), "x") == [None]


def test_swapped_columns_hold_each_others_values() -> None:
    swapped = list(lay_over([event(START, a=1, b="x")], [swapped_columns("a", "b", START, END)]))
    assert swapped == [event(START, a="x", b=1)]


# Laws.


@st.composite
def scenarios(draw: st.DrawFn) -> Scenario:
    spreads = {"age": 12.0, "amount": 40.0, "distance": 2_000.0}
    text = SCENARIOS[draw(st.sampled_from(sorted(SCENARIOS)))]
    return parse_scenario(text).resolve(Survey(START, END, spreads))


@given(scenarios(), st.integers(0, 2**32))
def test_a_scenario_is_a_pure_function_of_events_and_seed(scenario: Scenario, seed: int) -> None:
    events = list(generate(1, rate=30, start=START + 20 * HOUR, seed=9))
    before = copy.deepcopy(events)
    first, second = (list(lay_over(events, [scenario], seed=seed)) for _ in range(2))
    assert events == before
    assert first == second
    for old, new in zip(before, first, strict=True):
        for name in scenario.features:
            old["features"].pop(name)
            new["features"].pop(name)
        assert new == old


@given(scenarios())
def test_what_cannot_be_changed_stays(scenario: Scenario) -> None:
    untimed = {"features": {"age": 1, "amount": 2.0, "distance": 3.0, "country": "DE"}}
    absent = {"timestamp": START + 20 * HOUR, "features": {}}
    odd = {"timestamp": START + 20 * HOUR, "features": None}
    assert list(lay_over([untimed, absent, odd], [scenario])) == [untimed, absent, odd]


def test_several_scenarios_draw_apart() -> None:
    events = [event(START, x="car") for _ in range(2_000)]
    twice = [new_category("x", START, END, 0.5, name) for name in ("a", "b")]
    shares = [
        values(list(lay_over(events, twice)), "x").count(name) / 2_000 for name in ("a", "b", "car")
    ]
    assert shares == pytest.approx([0.25, 0.5, 0.25], abs=0.05)


# Rows of other people's files.


def test_rows_are_changed_where_their_mapping_says() -> None:
    mapping = Mapping(
        {
            "timestamp": "meta.ts",
            "prediction.score": "out",
            "features.price": "body.cost",
            "features": "*",
        },
        TimeForm("s"),
    )
    row = {"meta": {"ts": START // 1000}, "out": 0.5, "body": {"cost": 10.0, "n": 1}, "km": 2.0}
    drifts = [sudden(name, START, END, 1.0) for name in ("price", "km", "prediction.score")]
    (changed,) = lay_over([row], drifts, RecordFields(mapping))
    assert changed == {**row, "out": 1.5, "body": {"cost": 11.0, "n": 1}, "km": 3.0}
    event_of = mapping.to_event(changed)
    assert event_of["features"] == {"price": 11.0, "km": 3.0}


def test_a_feature_that_the_mapping_does_not_have_is_refused() -> None:
    fields = RecordFields(Mapping({"features.km": "distance"}))
    with pytest.raises(InputError, match=r"^price: the mapping of the records has no such"):
        fields.path("price")
    with pytest.raises(InputError, match=r"^prediction.score: "):
        fields.path("prediction.score")
    assert RecordFields(Mapping({"features": "in.x", "prediction": "out"})).path("km") == (
        "in", "x", "km",
    )  # fmt: skip


# The truth beside the stream.


def test_the_truth_is_written_in_order_of_time(tmp_path: Path) -> None:
    drifts = [sudden("b", START + HOUR, END, 1.0), swapped_columns("x", "a", START, END)]
    write_truth(tmp_path / "truth.jsonl", drifts)
    lines = (tmp_path / "truth.jsonl").read_text().splitlines()
    assert lines == truth_lines(drifts)
    assert [json.loads(line)["feature"] for line in lines] == ["a", "x", "b"]
    assert json.loads(lines[0]) == {
        "feature": "a",
        "kind": "swapped_columns",
        "start": format_time(START),
        "end": format_time(END),
    }
    with pytest.raises(InputError, match="cannot be written"):
        write_truth(tmp_path / "no" / "folder", drifts)


# The generator.


def test_a_stream_begun_later_continues_one_begun_earlier() -> None:
    whole = list(generate(3, rate=50, seed=4))
    assert list(generate(1, rate=50, start=FIRST_HOUR + 2 * HOUR, seed=4)) == whole[100:]
    assert list(generate(3, rate=50, seed=5)) != whole


def test_generated_events_are_in_order_distinct_and_of_plain_values() -> None:
    events = list(generate(4, rate=500, seed=4))
    times = [each["timestamp"] for each in events]
    assert times == sorted(times)
    assert times[0] >= FIRST_HOUR
    assert times[-1] < FIRST_HOUR + 4 * HOUR
    assert len({each["event_id"] for each in events}) == 2_000
    assert json.loads(json.dumps(events)) == events
    assert set(values(events, "returning")) == {True, False}
    assert None in values(events, "age")
    amounts = np.array(values(events, "amount"))
    assert amounts.mean() > 1.3 * np.median(amounts)  # skewed


def test_a_stream_without_end_goes_on() -> None:
    endless = generate(None, rate=10, seed=4)
    taken = [next(endless) for _ in range(25)]
    assert taken == list(generate(3, rate=10, seed=4))[:25]
