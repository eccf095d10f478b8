"""The promise of the default rule: at most 1 false alarm on average in a budget period."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "null_alarms.py"


@pytest.mark.parametrize("events", [100, 500, 1_000, 5_000])
def test_at_most_one_alarm_a_period_on_average(events: int) -> None:
    """40 quiet streams of 50 features over 30 daily windows, on a coarse grid.

    `python benchmarks/null_alarms.py` is the same with hourly windows and the default grid.
    """
    alarms: Callable[..., tuple[int, int]] = runpy.run_path(str(BENCHMARK))["alarms"]
    raised = [sum(alarms(events, looks=30, seed=seed, grid=64)) for seed in range(40)]
    assert np.mean(raised) <= 1.0
