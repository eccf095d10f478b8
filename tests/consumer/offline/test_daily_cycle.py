"""Values that follow the hour of the day, and values that only seem to."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from driftline.consumer.offline.daily_cycle import HourlyValues
from driftline.consumer.offline.extent import DAY, Extent
from driftline.consumer.offline.window_options import GUESSED, WindowOptions
from driftline.consumer.offline.windows import windows_for
from driftline.producer.records.mapping import Mapping
from driftline.producer.records.table import Coded, Column, Numbers, Table, Times

MAPPING = Mapping({"timestamp": "ts", "model": "who", "features": "*"})
START = 20_000 * DAY


def table(feature: Callable[[np.ndarray], Column], days: int, step: int = 60_000) -> Table:
    times = np.arange(START, START + days * DAY, step)
    hours = times % DAY / DAY * 2 * np.pi
    return Table(len(times), {"ts": Times(times), "x": feature(hours)})


def follows(*tables: Table, ignore: tuple[str, ...] = ()) -> bool:
    values = HourlyValues(MAPPING, "m", ignore)
    for each in tables:
        parts = (each.take(slice(i, i + 5_000)) for i in range(0, each.rows, 5_000))
        assert sum(part.rows for part in values.watch(parts)) == each.rows
    return values.follow_the_hour()


def noise(hours: np.ndarray) -> np.ndarray:
    return np.random.default_rng(5).normal(size=len(hours))


CYCLES: dict[str, Callable[[np.ndarray], Column]] = {
    "numbers": lambda hours: Numbers(noise(hours) + 0.4 * np.sin(hours)),
    "some missing": lambda hours: Numbers(noise(hours) + np.sin(hours), noise(hours) > 1),
    "heavy tails": lambda hours: Numbers(np.exp(4 * noise(hours) + 2 * np.cos(hours))),
    "flags": lambda hours: Coded(
        (noise(hours) + 0.5 * np.sin(hours) > 1).astype(np.int64), [True, None]
    ),
}
NONE: dict[str, Callable[[np.ndarray], Column]] = {
    "chance": lambda hours: Numbers(noise(hours)),
    "what goes on": lambda hours: Numbers(np.cumsum(noise(hours))),
    "one value": lambda hours: Numbers(np.ones(len(hours))),
    "nothing": lambda hours: Numbers(np.full(len(hours), np.nan)),
    "a trend": lambda hours: Numbers(np.arange(len(hours))),
}


@pytest.mark.parametrize("feature", CYCLES.values(), ids=CYCLES)
@pytest.mark.parametrize(("days", "step"), [(5, 60_000), (60, 60_000), (90, 3_600_000)])
def test_a_daily_cycle_is_found(
    feature: Callable[[np.ndarray], Column], days: int, step: int
) -> None:
    assert follows(table(feature, days, step))
    assert not follows(table(feature, days, step), ignore=("x",))
    assert not follows(table(feature, 3, step))  # too few days to tell


@pytest.mark.parametrize("feature", NONE.values(), ids=NONE)
@pytest.mark.parametrize("days", [7, 60])
def test_what_is_none_is_not_found(feature: Callable[[np.ndarray], Column], days: int) -> None:
    assert not follows(table(feature, days))


def test_rows_of_other_models_and_tables_without_a_feature() -> None:
    cycle = table(CYCLES["numbers"], 5)
    other = Coded(np.zeros(cycle.rows, np.int64), ["other"])
    assert not follows(Table(cycle.rows, {**cycle.columns, "who": other}))
    without = Table(cycle.rows, {"ts": cycle.columns["ts"], "y": Numbers(np.ones(cycle.rows))})
    assert follows(without, cycle, without)
    assert not HourlyValues(MAPPING, "m").follow_the_hour()


@pytest.mark.parametrize(
    ("wanted", "length"), [(GUESSED, DAY), (WindowOptions(length=3_600_000), 3_600_000)]
)
def test_windows_are_whole_days_where_values_follow_the_hour(
    wanted: WindowOptions, length: int
) -> None:
    extent = Extent(MAPPING)
    for _ in extent.watch([table(CYCLES["numbers"], 10)]):
        pass
    assert windows_for(extent, None, wanted, daily=lambda: True).length == length
    assert windows_for(extent, None, wanted, daily=lambda: False).length < DAY
