"""The seasons of a built reference: which there are, what they count, and the dispersion beside."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.detectors import Reference
from driftline.detectors.dispersion import OTHER
from driftline.detectors.seasons import HOUR
from driftline.detectors.sequential.pane_bins import PaneBins
from driftline.producer.errors import MappingError
from driftline.producer.reference import cycle_counts, pane_plan
from driftline.producer.reference.build import ReferenceSettings, reference_from_events
from driftline.producer.reference.pane_plan import add_rows, count_panes

START = 1_761_400_000_000  # clocks in Berlin are put back within a day
PER_HOUR = 120
ZONE = "Europe/Berlin"


def events(days: int, zone: str = ZONE, seed: int = 1) -> list[dict[str, Any]]:
    """`heat` and `plan` follow the hour of a zone's clocks; `noise` and `late` do not."""
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(days * 24 * PER_HOUR):
        time = START + i * HOUR // PER_HOUR
        hour = clock(time, zone).hour
        noon = float(np.sin(hour / 24.0 * 2.0 * np.pi))
        features = {
            "heat": float(rng.normal() + noon),
            "noise": float(rng.normal()),
            "plan": "ab"[int(rng.random() < 0.3 + 0.2 * noon)],
        }
        if rng.random() < 0.05:
            features["heat"] = None
        channel = "app" if rng.random() < 0.3 else "web"
        rows.append({"timestamp": time, "features": features, "tags": {"channel": channel}})
    return rows


def clock(time: int, zone: str) -> datetime:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=time)).astimezone(
        ZoneInfo(zone)
    )


def built(rows: list[dict[str, Any]], timezone: str | None = ZONE, **more: Any) -> Reference:
    settings = ReferenceSettings("m", timezone=timezone, segments=("channel",), **more)
    return reference_from_events(rows, settings).reference


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    return events(6)


@pytest.fixture(scope="module")
def reference(rows: list[dict[str, Any]]) -> Reference:
    return built(rows)


def followed(reference: Reference) -> dict[str, str]:
    seasons = reference.seasons
    found = {} if seasons is None else seasons.streams[0]
    return {reference.layout.features[f].name: each.cycle for f, each in found.items()}


def test_a_reference_finds_what_follows_the_hour(reference: Reference) -> None:
    assert followed(reference) == {"heat": "hour_of_day", "plan": "hour_of_day"}
    assert reference.seasons is not None
    assert reference.seasons.timezone == ZONE
    assert len(reference.seasons.streams) == len(reference.streams)


def test_more_categories_than_are_listed_have_no_season() -> None:
    rng, rows = np.random.default_rng(3), []
    for i in range(6 * 24 * PER_HOUR):
        time = START + i * HOUR // PER_HOUR
        many = int(rng.integers(150)) + 150 * (clock(time, ZONE).hour // 12)
        plan = "ab"[int(rng.random() < 0.3 + 0.4 * (clock(time, ZONE).hour // 12))]
        features = {"shop": f"s{many}", "plan": plan}
        rows.append({"timestamp": time, "features": features, "tags": {"channel": "web"}})
    assert followed(built(rows)) == {"plan": "hour_of_day"}


def test_cells_hold_the_events_of_their_hour_in_every_stream(
    rows: list[dict[str, Any]], reference: Reference
) -> None:
    """Panes lie within an hour here, so that each event is of the hour of its own time."""
    assert reference.dispersion is not None
    assert HOUR % reference.dispersion.pane == 0
    assert reference.seasons is not None
    layout = reference.layout
    f = [feature.name for feature in layout.features].index("plan")
    for stream, seasons, flat in zip(
        reference.streams, reference.seasons.streams, reference.counts, strict=True
    ):
        wanted = Counter(
            (clock(row["timestamp"], ZONE).hour, "ab".index(row["features"]["plan"]))
            for row in rows
            if stream is None or stream == f"channel={row['tags']['channel']}"
        )
        assert seasons.keys() == reference.seasons.streams[0].keys()
        found = {
            (hour, place): int(count)
            for (hour, place), count in np.ndenumerate(seasons[f].counts)
            if count
        }
        names = layout.features[f].categories
        assert found == {(hour, names.index("ab"[code])): n for (hour, code), n in wanted.items()}
        bins = PaneBins(layout, flat)
        for each, season in seasons.items():
            own = slice(int(bins.first[each]), int(bins.first[each + 1]))
            assert season.counts[:, :-1].sum(axis=0).tolist() == bins.count(flat)[own].tolist()
            assert season.counts[:, -1].sum() == bins.none[each]


def test_what_follows_a_cycle_is_not_dispersed_by_it(
    rows: list[dict[str, Any]], reference: Reference
) -> None:
    without = built(rows, None)
    assert without.seasons is None
    assert without.dispersion is not None
    assert reference.dispersion is not None
    before, after = (each.phi[0, OTHER] for each in (without.dispersion, reference.dispersion))
    heat, noise, plan = 0, 1, 2
    assert before[heat] > 5.0 > 3.0 > after[heat]
    assert after[plan] < before[plan]
    assert after[noise] == before[noise]
    assert without.layout_id == reference.layout_id


def test_the_order_of_events_does_not_matter(
    rows: list[dict[str, Any]], reference: Reference
) -> None:
    shuffled = rows.copy()
    random.Random(3).shuffle(shuffled)
    again = built(shuffled)
    assert again.to_json() == reference.to_json()
    assert Reference.from_json(again.to_json()).id == reference.id


def test_other_clocks_hold_the_same_events_in_other_cells(
    rows: list[dict[str, Any]], reference: Reference
) -> None:
    other = built(rows, "+07:00")
    assert other.seasons is not None
    assert reference.seasons is not None
    mine, theirs = (each.streams[0][0].counts for each in (reference.seasons, other.seasons))
    assert (mine != theirs).any()
    assert mine.sum() == theirs.sum()
    with pytest.raises(MappingError, match="there is no time zone 'Berlin'"):
        built(rows[:600], "Berlin")


def test_of_hours_that_do_not_fit_some_days_choose_and_all_are_counted(
    rows: list[dict[str, Any]], reference: Reference, monkeypatch: pytest.MonkeyPatch
) -> None:
    longer = events(13)
    whole = built(longer)
    monkeypatch.setattr(cycle_counts, "_MOST_CELLS", 24 * 60 * 8)
    monkeypatch.setattr(cycle_counts, "_PART", 1)
    monkeypatch.setattr(pane_plan, "_AT_ONCE", 1)
    some = built(longer)
    assert followed(some)["heat"] == followed(whole)["heat"] == "hour_of_day"
    assert some.seasons is not None
    assert whole.seasons is not None
    mine, theirs = (each.streams[0][0].counts for each in (some.seasons, whole.seasons))
    np.testing.assert_array_equal(mine, theirs)
    assert built(rows).to_json() == reference.to_json()


@given(st.lists(st.integers(-1, 12), max_size=60), st.integers(0, 2**32), st.sampled_from([1, 60]))
def test_panes_count_what_is_in_them(numbers: list[int], seed: int, at_once: int) -> None:
    from tests.detectors.sequential.simulated import reference as small

    whole = small(200)
    bins = PaneBins(whole.layout, whole.counts[0])
    rng = np.random.default_rng(seed)
    limits = zip(bins.first, bins.first[1:], strict=False)
    found = np.stack([rng.integers(a - 1, b, len(numbers)) for a, b in limits], axis=1)
    found[found < bins.first[:-1]] = -1
    counts = np.zeros((13, bins.owner.size + bins.features), np.int32)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pane_plan, "_AT_ONCE", at_once * counts.shape[1])
        for panes, each in count_panes(np.array(numbers, np.int64), found, bins):
            add_rows(counts, panes, each)
    wanted = np.zeros_like(counts)
    for number, own in zip(numbers, found.tolist(), strict=True):
        for f, place in enumerate(own):
            if number >= 0:
                wanted[number, place if place >= 0 else bins.owner.size + f] += 1
    np.testing.assert_array_equal(counts, wanted)
