"""What sentences call the reference of a window."""

from __future__ import annotations

import numpy as np
from tests.detectors.sequential.simulated import Seasonal, reference

from driftline.consumer.judge.features.normal import Normal
from driftline.detectors import Baseline, normal_rates
from driftline.detectors.seasons import HOUR
from driftline.detectors.sequential.cell_shares import Mix
from driftline.detectors.sequential.pane_bins import PaneBins


def test_a_window_of_some_hours_says_so() -> None:
    built = reference(600)
    bins = PaneBins(built.layout, built.counts[0])
    whole = np.concatenate([bins.count(built.counts[0]), bins.count_none(built.counts[0])])
    panes = np.random.default_rng(1).multinomial(whole, np.full(48, 1 / 48)).T
    made = Seasonal(bins, panes, np.arange(48) * HOUR, "hour_of_day", 9.0).features
    baseline = Baseline(built.layout, built.counts[0])
    seasons, words = {0: made[0]}, []
    for cells in ([3], [3, 4], range(24)):
        mixes = {"hour_of_day": Mix.of(cells, [1.0] * len(cells))}
        normal = Normal(baseline, normal_rates(baseline), seasons, mixes)
        words.append(normal.word(0))
        assert normal.word(1) == "normally"
    assert words == ["normally at this hour", "normally at these hours", "normally"]
