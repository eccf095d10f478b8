"""A date in three columns is told, and its parts are not watched."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from driftline.consumer import backtest

DAYS = pd.date_range("2025-11-01", periods=2_000, freq="2h")
VALUES = np.random.default_rng(5).normal(size=2_000)


def parts(**names: str) -> dict[str, Any]:
    return {
        names.get("year", "year"): DAYS.year,
        names.get("month", "month"): DAYS.month,
        names.get("day", "day"): DAYS.day,
        "hour": DAYS.hour,
        "size": VALUES,
    }


@pytest.mark.parametrize("names", [{}, {"year": "Year", "month": "MONTH", "day": "mday"}])
def test_the_parts_of_a_date_do_not_drift(names: dict[str, str]) -> None:
    found = backtest(parts(**names))
    told = [str(note) for note in found.notes]

    assert found.drifted == []
    assert {row.feature for row in found.features} == {"hour", "size"}
    assert any("which are not put together" in note for note in told)
    assert f"assumed  not watched: {names.get('month', 'month')} (a part of the date)" in told


@pytest.mark.parametrize(
    "names", [{"day": "weekday"}, {"year": "age"}], ids=["no day of the month", "no year"]
)
def test_two_parts_are_no_date(names: dict[str, str]) -> None:
    found = backtest(parts(**names))

    assert not any("part of the date" in str(note) for note in found.notes)


def test_beside_a_time_its_parts_are_what_they_were() -> None:
    found = backtest(parts() | {"timestamp": DAYS})

    assert not any("part of the date" in str(note) for note in found.notes)
