"""Cells of cycles, and what a reference keeps of them."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from driftline.detectors import (
    Reference,
    ReferenceError,  # noqa: A004 - the operator's word for it
)
from driftline.detectors.build import build_reference
from driftline.detectors.columns import FeatureColumn
from driftline.detectors.reference import content_hash
from driftline.detectors.seasons import CYCLES, DAY, HOUR, FeatureSeason, Seasons, cycles_for
from driftline.producer.records.local_times import local_times
from driftline.producer.records.time_zone import find_zone

ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "-03:30"]


def _reference() -> Reference:
    rng = np.random.default_rng(3)
    features = {"age": FeatureColumn("numeric", rng.normal(size=500).round(2))}
    return build_reference("churn", features)


def _with_seasons(reference: Reference) -> Reference:
    counts = np.arange(7 * 4).reshape(7, 4)
    dense, sparse = (FeatureSeason("day_of_week", 30.0, each) for each in (counts, counts * 0))
    seasons = Seasons("Europe/Berlin", ({0: dense}, {0: sparse}, {}))
    return replace(reference, counted=replace(reference.counted, seasons=seasons))


@pytest.mark.parametrize("zone", ZONES)
def test_cells_are_those_of_the_zones_clocks(zone: str) -> None:
    rules = find_zone(zone).rules
    rng = np.random.default_rng(len(zone))
    instants = rng.integers(-10 * 365 * DAY, 80 * 365 * DAY, 200)
    instants = np.concatenate([instants, np.arange(1_572_130_000_000, 1_572_150_000_000, HOUR)])
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    clocks = [(epoch + timedelta(milliseconds=t)).astimezone(rules) for t in instants.tolist()]
    local = local_times(find_zone(zone), instants)
    expected = {
        "hour_of_day": [c.hour for c in clocks],
        "hour_of_week": [24 * c.weekday() + c.hour for c in clocks],
        "day_of_week": [c.weekday() for c in clocks],
    }
    assert {name: cycle.cell_of(local).tolist() for name, cycle in CYCLES.items()} == expected


def test_panes_follow_cycles_of_longer_cells() -> None:
    assert [cycle.name for cycle in cycles_for(HOUR)] == [
        "hour_of_day", "hour_of_week", "day_of_week",
    ]  # fmt: skip
    assert [cycle.name for cycle in cycles_for(DAY)] == ["day_of_week"]
    assert cycles_for(DAY + 1) == ()


def test_a_reference_keeps_its_seasons() -> None:
    reference = _with_seasons(_reference())
    again = Reference.from_json(reference.to_json())
    assert again.to_json() == reference.to_json()
    assert again.seasons is not None
    assert reference.seasons is not None
    assert again.seasons.timezone == "Europe/Berlin"
    for read, made in zip(again.seasons.streams, reference.seasons.streams, strict=True):
        assert read.keys() == made.keys()
        for f, season in made.items():
            assert (read[f].cycle, read[f].kappa) == (season.cycle, season.kappa)
            np.testing.assert_array_equal(read[f].counts, season.counts)


def test_seasons_are_no_part_of_the_layout_and_optional() -> None:
    plain = _reference()
    seasonal = _with_seasons(plain)
    assert plain.layout_id == seasonal.layout_id
    assert plain.id != seasonal.id
    assert b"seasons" not in plain.to_json()
    assert Reference.from_json(plain.to_json()).seasons is None


@pytest.mark.parametrize(
    "change",
    [{"cycle": "moon"}, {"cycle": "hour_of_day"}, {"counts": [1]}, {"bins": 5}, {"kappa": "large"}],
)
def test_seasons_of_another_form_are_refused(change: dict[str, object]) -> None:
    document = json.loads(_with_seasons(_reference()).to_json())
    del document["id"]
    document["baseline"]["seasons"]["streams"][0]["age"] |= change
    document["id"] = content_hash(document)
    with pytest.raises(ReferenceError, match="lacks fields or has wrong ones"):
        Reference.from_json(json.dumps(document).encode())
