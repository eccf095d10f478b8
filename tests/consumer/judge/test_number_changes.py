"""The words about a number are of what surely changed, and of its outer values where those did."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from driftline.consumer.judge.number_changes import number_change
from driftline.consumer.judge.sentence import amount
from driftline.detectors import Baseline, FeatureColumn, build_reference, count_columns
from driftline.detectors.columns import encode
from driftline.detectors.direction import SURE, Ways, ways

NORMAL = np.random.default_rng(1).normal(100.0, 10.0, 20_000)
REFERENCE = build_reference("m", {"x": FeatureColumn("numeric", NORMAL)})
BASELINE = Baseline(REFERENCE.layout, REFERENCE.counts[0])


def counts(values: NDArray[np.float64]) -> NDArray[np.int64]:
    columns = {"x": FeatureColumn("numeric", values)}
    return count_columns(REFERENCE.layout, encode(REFERENCE.layout, columns))


def words(values: NDArray[np.float64], phi: float = 1.0) -> str:
    return number_change(BASELINE, 0, counts(values), phi).text


@pytest.mark.parametrize("side", ["above", "below", "both"])
def test_outliers_are_named_by_their_share(side: str) -> None:
    values = np.random.default_rng(2).normal(100.0, 10.0, 2_000)
    beyond = {"above": [300.0], "below": [-300.0], "both": [300.0, -300.0]}[side]
    for place, value in enumerate(beyond):
        values[place : 80 : len(beyond)] = value
    text = words(values)
    assert text.startswith("has more extreme values: those ")
    outer, normal = np.zeros(values.size, bool), 0.0
    named: dict[str, float] = {}
    for name, beyond_it in (("below", np.less), ("above", np.greater)):
        if f"{name} the normal" in text:
            share, rest = text.split(f"{name} the normal ")[1].split(" % point (", 1)
            named[name], end = float(share), float(rest.split(")")[0])
            outer, normal = outer | beyond_it(values, end), normal + beyond_it(NORMAL, end).mean()
    now, before = 100 * np.mean(outer), 100 * normal
    assert text.endswith(f" rose from {before:.1f} % to {now:.1f} % of events")
    assert named.keys() == ({"below", "above"} if side == "both" else {side})
    assert named.get("above", 99.0) == pytest.approx(99.0, abs=0.2)
    assert named.get("below", 1.0) == pytest.approx(1.0, abs=0.2)
    effect = number_change(BASELINE, 0, counts(values), 1.0).effect
    assert effect is not None
    assert effect > 0.02  # the ten bins that are shown hardly changed


def test_a_number_that_moved_is_told_by_its_median() -> None:
    # Its outer values became many times as many, too.
    assert words(np.random.default_rng(3).normal(110.0, 10.0, 500)).startswith("rose: median 1")
    assert words(np.random.default_rng(3).normal(90.0, 10.0, 500)).startswith("fell: median ")
    assert words(np.random.default_rng(3).normal(100.0, 20.0, 500)).startswith("spread: ")


def test_a_direction_that_few_events_do_not_show_is_not_told() -> None:
    """A pane of two humps has its median by chance on either side."""
    told = []
    for seed in range(40):
        rng = np.random.default_rng([4, seed])
        values = np.where(rng.random(100) < 0.5, 92.0, 108.0) + rng.normal(0.0, 1.0, 100)
        told.append(words(values).split(":")[0])
    # The median says so of all; one of a hundred is wrong.
    assert sum(word in ("rose", "fell") for word in told) <= 2
    assert not {"spread", "narrowed"} <= {*told}


def test_what_resembles_each_other_shows_less() -> None:
    values = np.random.default_rng(5).normal(104.0, 10.0, 200)
    assert words(values).startswith("rose: ")
    assert words(values, phi=4.0).startswith("changed shape: ")
    # Where all of a window is one season, it is still told what it holds.
    season = np.random.default_rng(5).normal(120.0, 10.0, 100)
    assert words(season, phi=400.0).startswith("rose: median 1")


def test_ways_are_rank_tests_with_known_ranks() -> None:
    rng = np.random.default_rng(6)
    normal, now = rng.integers(0, 12, 5_000), rng.integers(1, 12, 80)
    slots, window = (np.bincount(each, minlength=12) for each in (normal, now))
    for scale in (0.5, 1.0, 4.0):
        # The variance is the reference's, as of Mann and Whitney where the window is small.
        score = stats.mannwhitneyu(now, normal, method="asymptotic", use_continuity=False)
        mean = normal.size * now.size / 2
        tied = 1.0 - (slots / normal.size) @ (slots / normal.size) ** 2
        unit = np.sqrt(normal.size * now.size * (normal.size + now.size) / 12 * tied)
        z = (score.statistic - mean) / unit / np.sqrt(scale)
        assert ways(slots, window, scale).location == (0 if abs(z) < SURE else np.sign(z))
    assert ways(slots, np.zeros(12, np.int64)) == Ways(0, 0)
    assert ways(np.array([5]), np.array([3])) == Ways(0, 0)


def test_of_a_median_beyond_the_reference_only_that_is_told() -> None:
    """Values above its largest are counted, but not which they are."""
    least, most = amount(float(NORMAL.min())), amount(float(NORMAL.max()))
    rng = np.random.default_rng(4)
    assert words(rng.normal(500.0, 10.0, 500)).startswith(f"rose: median above {most}, normally ")
    assert words(rng.normal(-99.0, 10.0, 500)).startswith(f"fell: median below {least}, normally ")
    assert words(np.append(NORMAL, np.full(NORMAL.size - 1, 500.0))).startswith("rose: median 1")
