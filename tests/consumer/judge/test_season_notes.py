"""What is said of the seasons of a reference."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from driftline.consumer.judge.season_notes import season_notes, season_problems
from driftline.detectors import FeatureColumn, Reference, build_reference
from driftline.detectors.dispersion import DIRECTIONS, JOINS, Dispersion
from driftline.detectors.grid import IntArray
from driftline.detectors.seasons import HOUR, FeatureSeason, Seasons

NOON = np.array([[0, 100], [100, 0]])[(np.arange(24) > 11).astype(int)]


def seasonal(phi: float = 1.0) -> Reference:
    """a to e follow the hour of the day, f weakly; g the day of the week, d not."""
    names = [*"abcdefg"]
    built = build_reference(
        "m", {name: FeatureColumn("boolean", ["true", "false"] * 1_200) for name in names}
    )
    weak = np.array([[43, 57], [57, 43]])[(np.arange(24) > 11).astype(int)]
    days = np.array([[150, 193], [193, 150]])[(np.arange(7) > 4).astype(int)]

    def season(cycle: str, counts: IntArray) -> FeatureSeason:
        rest = np.zeros((counts.shape[0], 2), np.int64)  # no other text, no missing value
        return FeatureSeason(cycle, 100.0, np.concatenate([counts, rest], axis=1))

    seasons = {f: season("hour_of_day", NOON) for f in (0, 1, 2, 4)}
    seasons |= {5: season("hour_of_day", weak), 6: season("day_of_week", days)}
    every = np.full((len(JOINS), len(DIRECTIONS), len(names)), phi)
    return replace(
        built,
        counted=replace(built.counted, seasons=Seasons("Europe/Berlin", (seasons,))),
        dispersion=Dispersion(60_000, 40, np.full(len(names), 100.0), every),
    )


def test_a_note_says_what_each_cycle_explains() -> None:
    assert [*season_notes(seasonal(3.0))] == [
        "the hour of the day explains most of the change of a, b, c and 1 more, and part of that of"
        " f: 24 hours are compared each with its own normal, by the clocks of Europe/Berlin",
        "the day of the week explains part of the change of g: 7 days are compared each with its"
        " own normal, by the clocks of Europe/Berlin",
    ]


def test_what_nothing_else_changes_is_explained() -> None:
    hours, days = season_notes(seasonal(1.0), ["a", "b", "f"])
    assert hours.startswith("the hour of the day explains most of the change of c, e: 24 hours")
    assert days.startswith("the day of the week explains most of the change of g: 7 days")


def test_what_is_lost_in_other_changes_is_not_said() -> None:
    assert [*season_notes(seasonal(1_000.0), "abce")] == []
    plain = seasonal()
    none = replace(plain, counted=replace(plain.counted, seasons=None))
    assert [*season_notes(none)] == []
    assert [*season_problems(none, None, 2 * HOUR)] == []


@pytest.mark.parametrize(
    ("zone", "said"),
    [(None, "seasons is off"), ("UTC", "seasons.timezone is UTC")],
)
def test_another_zone_than_the_reference_has_is_said(zone: str | None, said: str) -> None:
    assert [*season_problems(seasonal(), zone, HOUR)] == [
        f"{said}, but the reference has the hours and days of Europe/Berlin, which hold: build it"
        " again with this configuration, or write the same there"
    ]


def test_panes_of_several_hours_follow_none_of_them() -> None:
    assert [*season_problems(seasonal(), "Europe/Berlin", HOUR)] == []
    assert [*season_problems(seasonal(), "Europe/Berlin", 2 * HOUR)] == [
        "panes of 2h are longer than the hours that features follow: set window.pane to 1h or less,"
        " or seasons: off and build the reference again"
    ]
