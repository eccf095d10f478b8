"""References with seasons, and rows without hours."""

from __future__ import annotations

import numpy as np
import pytest

from driftline.consumer import backtest, build_reference, report
from driftline.detectors import Reference
from driftline.detectors.grid import FloatArray

PER_HOUR = 110


def heat(hours: FloatArray, seed: int) -> FloatArray:
    values: FloatArray = np.random.default_rng(seed).normal(size=hours.size)
    return values + np.sin(hours / 24.0 * 2.0 * np.pi)


@pytest.fixture(scope="module")
def reference() -> Reference:
    hours = np.arange(5 * 24 * PER_HOUR) / PER_HOUR
    times = np.datetime64("2026-03-02") + (hours * 3_600_000).astype("timedelta64[ms]")
    return build_reference({"timestamp": times, "heat": heat(hours, 1)}, timezone="+02:00")


def test_clocks_are_stated(reference: Reference) -> None:
    assert reference.seasons is not None
    assert reference.seasons.timezone == "+02:00"
    assert reference.without_seasons().seasons is None


def test_batches_and_rows_are_compared_with_all_hours_together(reference: Reference) -> None:
    hours = np.arange(3 * 24 * PER_HOUR) / PER_HOUR
    same, other = ({"heat": heat(hours, 2) + more} for more in (0.0, 1.0))
    assert report(reference, same).drifted == []
    assert report(reference, other).drifted == ["heat"]
    # Rows have no hours: until panes of them tell how much all hours vary, half of them count.
    found = backtest(same, reference, rows=24 * PER_HOUR)
    assert found.drifted == []
