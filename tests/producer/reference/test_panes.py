"""The reference's panes: how they are cut, what they count, and that order does not matter."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.detectors import Columns, FeatureColumn, Reference, build_reference
from driftline.detectors.dispersion import Dispersion
from driftline.detectors.grid import FloatArray, IntArray
from driftline.detectors.pane_lengths import EVENTS, LENGTHS
from driftline.producer.records.timestamp_column import UNREADABLE
from driftline.producer.reference import pane_plan as plan_module
from driftline.producer.reference.build import ReferenceSettings, reference_from_events
from driftline.producer.reference.pane_plan import PanePlan, TimesSeen, pane_length
from driftline.producer.reference.panes import PaneCounts

MINUTE = 60_000
SECOND = 1_000


def events(number: int, seed: int = 1) -> list[dict[str, Any]]:
    rng = np.random.default_rng(seed)
    return [
        {
            "timestamp": 1_760_000_000_000 + i * SECOND,
            "features": {"age": float(rng.normal()), "plan": "ab"[int(rng.random() < 0.3)]},
        }
        for i in range(number)
    ]


def built(rows: list[dict[str, Any]]) -> Reference:
    return reference_from_events(rows, ReferenceSettings("m")).reference


def test_a_shuffled_file_has_the_same_dispersion() -> None:
    rows = events(4_000)
    shuffled = rows.copy()
    random.Random(2).shuffle(shuffled)
    one, other = built(rows), built(shuffled)
    assert one.dispersion is not None
    assert one.dispersion.pane == 2 * MINUTE
    assert one.to_json() == other.to_json()
    again = Reference.from_json(one.to_json()).dispersion
    assert again is not None
    assert np.array_equal(again.phi, one.dispersion.phi, equal_nan=True)


def test_events_without_times_have_no_dispersion() -> None:
    rows = [{"features": each["features"]} for each in events(200)]
    assert built(rows).dispersion is None


@given(st.integers(60, 10**7), st.floats(1e5, 1e12))
def test_panes_hold_nearly_a_hundred_events_or_there_are_thirty(number: int, span: float) -> None:
    length = pane_length(number, span)
    if length is None:
        assert span / 30 < LENGTHS[0]
        return
    assert span / length >= 30
    held = {each: number * each / span for each in LENGTHS if span / each >= 30}
    assert max(held[length] / EVENTS, EVENTS / held[length]) <= min(
        max(events / EVENTS, EVENTS / events) for events in held.values()
    )


@pytest.mark.parametrize(("number", "span"), [(1_000, 0.0), (59, 1e9), (1_000, 29 * 60_000.0)])
def test_too_little_is_not_cut(number: int, span: float) -> None:
    assert pane_length(number, span) is None


def test_some_wrong_times_do_not_stretch_the_panes() -> None:
    seen, right = TimesSeen(), TimesSeen()
    times = np.arange(10_000) * SECOND
    right.add(times)
    seen.add(np.concatenate([times, [-(10**13), 10**13, UNREADABLE]]))
    expected, found = right.plan(), seen.plan()
    assert expected is not None
    assert found is not None
    assert found.length == expected.length == 2 * MINUTE
    assert abs(found.first) <= 3
    assert found.count <= expected.count + 6


@pytest.mark.parametrize("times", [[], [5] * 200, [UNREADABLE] * 200])
def test_no_plan_without_a_stretch_of_time(times: list[int]) -> None:
    seen = TimesSeen()
    seen.add(np.array(times, np.int64))
    assert seen.plan() is None


def counted(plan: PanePlan, times: IntArray, values: FloatArray) -> Dispersion | None:
    reference = build_reference("m", {"x": FeatureColumn("numeric", values)})
    counts = PaneCounts(plan, reference.layout, reference.counts[0])
    half = times.size // 2
    for rows in (slice(half, None), slice(0, half)):
        empty = np.zeros((times[rows].size, 0), np.int32)
        counts.add(times[rows], Columns(values[rows, None], empty))
    return counts.findings().dispersion


def test_what_is_outside_the_plan_is_left_out() -> None:
    rng = np.random.default_rng(1)
    times, values = np.arange(5_000) * SECOND, rng.normal(size=5_000)
    plan = PanePlan(MINUTE, 2, 70)
    inside = (times >= 2 * MINUTE) & (times < 72 * MINUTE)
    values[~inside] += 50.0
    found = counted(plan, np.where(times == 300 * SECOND, UNREADABLE, times), values)
    assert found is not None
    assert (found.pane, found.panes) == (MINUTE, 70)
    assert found.events == pytest.approx([(70 * 60 - 1) / 70], rel=1e-5)


def test_fewer_than_thirty_panes_with_events_tell_nothing() -> None:
    times = np.repeat(np.arange(29) * MINUTE * 3, 50)
    values = np.random.default_rng(1).normal(size=times.size)
    assert counted(PanePlan(MINUTE, 0, 100), times, values) is None


def test_of_too_many_panes_runs_from_every_time_are_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(plan_module, "_RUN", 8)
    monkeypatch.setattr(plan_module, "_MOST_CELLS", 17 * 100)
    rng = np.random.default_rng(1)
    times, values = np.arange(24_000) * SECOND, rng.normal(size=24_000)
    found = counted(PanePlan(MINUTE, 0, 400), times, values)
    assert found is not None
    assert found.panes == 400 // 8 // 4 * 8 + 8  # the first 8 of every 32, and of the last 16
    assert found.events == pytest.approx([60.0])
    assert found.phi[0].max() < 2.0


@pytest.mark.parametrize(("together", "least", "most"), [(1, 1.0, 2.0), (20, 5.0, np.inf)])
def test_more_categories_than_are_listed_do_not_resemble_each_other_for_that(
    together: int, least: float, most: float
) -> None:
    drawn = np.random.default_rng(3).integers(0, 1_000, 8_000 // together)
    rows = [
        {**row, "features": {"shop": f"s{shop % 5 if together > 1 else shop}"}}
        for row, shop in zip(events(8_000), np.repeat(drawn, together), strict=True)
    ]
    dispersion = built(rows).dispersion
    assert dispersion is not None
    assert least <= dispersion.phi[0, :, 0].max() < most
