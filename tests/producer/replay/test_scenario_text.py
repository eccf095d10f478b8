"""Scenarios as text: what they become over a stream, and what is refused."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.producer.errors import InputError
from driftline.producer.records.timestamp import format_time
from driftline.producer.replay.generator import FIRST_HOUR, HOUR
from driftline.producer.replay.scenario_text import Survey, parse_scenario, survey
from driftline.producer.replay.scenarios import FEET, Scenario, lay_over

START = FIRST_HOUR


def event(time: int, **features: object) -> dict[str, Any]:
    return {"timestamp": time, "features": features}


SURVEY = Survey(START, START + 100 * HOUR - 1, {"x": 2.0, "y": 1.0})


def resolved(text: str) -> Scenario:
    return parse_scenario(text).resolve(SURVEY)


@pytest.mark.parametrize(
    ("settings", "start", "end"),
    [
        ("", 50, 100),
        (",start=10%", 10, 100),
        (",start=6h,end=1d12h", 6, 36),
        (",start=0%,end=30m", 0, 0.5),
        (f",start={format_time(START + 7 * HOUR)}", 7, 100),
    ],
)
def test_times_are_shares_durations_or_times(settings: str, start: float, end: float) -> None:
    (truth,) = resolved(f"sudden:feature=x{settings}").truth
    assert (truth.start - START) / HOUR == start
    assert (truth.end - START) // HOUR == math.floor(end)


def test_whole_periods_leave_no_rest_of_an_episode() -> None:
    for odd in range(7):
        stream = Survey(START, START + 100_000 + odd, {"x": 2.0})
        for text, episodes in (("", 2), (",start=40%,period=20%", 3), (",start=0%,period=10%", 10)):
            scenario = parse_scenario(f"recurring:feature=x{text}").resolve(stream)
            assert len(scenario.truth) == episodes, (odd, text)


def test_the_last_event_is_in_a_drift_without_end() -> None:
    last = START + 100 * HOUR - 1
    (changed,) = lay_over([event(last, x=1.0)], [resolved("sudden:feature=x")])
    assert changed["features"]["x"] == 3.0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sudden:feature=x", 1 + 2.0),
        ("sudden:feature=x,size=1.5sd", 1 + 3.0),
        ("sudden:feature=x,size=-4", 1 - 4.0),
        ("incremental:feature=x,over=100h", 1 + 2.0 * 0.25),
        ("incremental:feature=x", 1 + 2.0),
        ("recurring:feature=x,period=40h", 1.0),
        ("recurring:feature=x,period=100h", 3.0),
        ("seasonal:feature=x,period=100%", 3.0),
        ("seasonal:feature=x,period=150h,size=1", 1 + math.sin(math.tau / 6)),
        ("gradual:feature=x", 3.0),
        ("missing_values:feature=x,share=1", None),
        ("new_category:feature=x,share=100%,category=lorry", "lorry"),
        ("broken_unit:feature=x", FEET),
        ("broken_unit:feature=x,factor=0.001", 0.001),
        ("swapped_columns:feature=x,with=z", "z"),
    ],
)
def test_a_text_becomes_the_scenario_that_it_names(text: str, expected: object) -> None:
    three_quarters = event(START + 75 * HOUR, x=1.0, z="z")
    (changed,) = lay_over([three_quarters], [resolved(text)])
    assert changed["features"]["x"] == (
        pytest.approx(expected) if isinstance(expected, float) else expected
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("suden:feature=x", "no kind suden, did you mean sudden?"),
        ("", "no kind , use one of sudden, gradual"),
        ("sudden", "name a feature with feature=..."),
        ("sudden:feature=", "feature needs a value, as in feature=..."),
        ("sudden:feature=x,sise=1", "no setting sise, did you mean size?"),
        ("sudden:feature=x,share=1", "no setting share, did you mean start?"),
        ("swapped_columns:feature=x", "name a feature with with=..."),
        ("swapped_columns:feature=x,with=x", "feature and with are the same"),
        ("sudden:feature=x,size=big", "size big is not a number"),
        ("sudden:feature=x,size=infsd", "size infsd is not a number"),
        ("sudden:feature=x,start=soon", "start soon write for example 50%, 6h or"),
        ("sudden:feature=x,start=60%,end=40%", "start 60% has to be before end"),
        ("gradual:feature=x,over=0s", "over 0s has to be above 0"),
        ("recurring:feature=x,period=-5%", "period -5% has to be above 0"),
        ("missing_values:feature=x,share=120%", "share 120% has to be above 0 and at most 100%"),
        ("broken_unit:feature=colour", "feature colour has no numbers; use missing_values"),
    ],
)
def test_a_wrong_text_is_refused_in_one_sentence(text: str, said: str) -> None:
    with pytest.raises(InputError) as error:
        resolved(text)
    assert str(error.value).startswith(f"scenario {text}: ")
    assert said in str(error.value)
    assert "\n" not in str(error.value)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50))
def test_a_survey_measures_the_spread_of_numbers(numbers: list[float]) -> None:
    events = [event(START + i, x=number) for i, number in enumerate(numbers)]
    events += [event(START - 5, x=None), event(START, x=True), event(START, x=math.nan), {}]
    found = survey(events, [parse_scenario("sudden:feature=x")])
    assert (found.first, found.last) == (START - 5, START + max(len(numbers) - 1, 0))
    assert found.spreads["x"] == pytest.approx(np.std(numbers), rel=1e-9, abs=1e-9)


def test_a_survey_refuses_what_no_scenario_can_be_laid_over() -> None:
    texts = [parse_scenario("missing_values:feature=colour")]
    with pytest.raises(InputError, match=r"^no record has a time that can be read"):
        survey([{"features": {"colour": "red"}}], texts)
    with pytest.raises(InputError, match=r"^colour: no record has such a feature"):
        survey([event(START, color="red")], texts)
    assert survey([event(START, colour="red")], texts).spreads == {}
