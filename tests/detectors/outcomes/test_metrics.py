"""What the table says of every metric is so: who measures it, bounds, direction, interval."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from math import isnan

import numpy as np
import pytest

from driftline.detectors.grid import IntArray
from driftline.detectors.outcomes import (
    GAP,
    METRICS,
    Figure,
    OutcomeLayout,
    OutcomeRows,
    calibrate,
    count_outcomes,
    count_predictions,
    estimate,
    figure_named,
    gap,
    measure,
)
from driftline.detectors.outcomes.performance import MEASURES

from .windows import binary, likely, scored, values

N = 2_000


def window(error: float, n: int = N) -> tuple[OutcomeRows, OutcomeRows]:
    """A classifier's and a regression's pairs; the larger `error` is, the worse both are."""
    rng = np.random.default_rng(n)
    score = rng.random(n)
    positive = likely(rng, score)
    wrong = rng.random(n) < error
    actual = rng.normal(100.0, 20.0, n)
    noise = rng.normal(0.0, 1.0, n)
    return (
        scored(score, positive ^ wrong),
        values(actual + error * 20.0 * noise, actual),
    )


@cache
def layouts() -> tuple[OutcomeLayout, OutcomeLayout]:
    classes, errors = window(0.1)
    return (
        binary(classes.score),
        OutcomeLayout.regression(errors.score, errors.actual),
    )


def counted(error: float, n: int = N) -> list[tuple[OutcomeLayout, IntArray]]:
    return [
        (layout, count_outcomes(layout, rows))
        for layout, rows in zip(layouts(), window(error, n), strict=True)
    ]


def measured(error: float, n: int = N) -> dict[str, Figure]:
    found: dict[str, Figure] = {}
    for layout, counts in counted(error, n):
        found |= measure(layout, counts, METRICS)
    return found


def test_every_metric_is_measured_by_its_family() -> None:
    found = {
        family: [*MEASURES[family](layout, counts)]
        for layout, counts in counted(0.1)
        for family in layout.families
    }
    assert {*found} == {*MEASURES}
    assert {name: family for family, names in found.items() for name in names} == {
        name: metric.family for name, metric in METRICS.items()
    }


def test_names_are_names_and_all_differ() -> None:
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", name) for name in METRICS)
    assert not any(name.startswith("estimated_") for name in METRICS)
    every = [*METRICS.values(), GAP]
    names = [name for metric in every for name in (metric.name, *metric.aliases)]
    assert [name for name, count in Counter(names).items() if count > 1] == []
    assert len({metric.words for metric in every}) == len(every)
    assert [figure_named(metric.name) for metric in every] == every


@pytest.mark.parametrize("name", METRICS)
def test_values_are_within_the_bounds_and_their_interval(name: str) -> None:
    scale = METRICS[name].scale
    for error in (0.0, 0.1, 0.5, 1.0):
        for n in (1, 5, N):
            figure = measured(error, n)[name]
            known = [x for x in (figure.low, figure.value, figure.high) if not isnan(x)]
            assert known == sorted(known)
            assert isnan(figure.value) or scale.least <= figure.value <= scale.most


@pytest.mark.parametrize("name", METRICS)
def test_a_worse_model_moves_it_in_its_direction(name: str) -> None:
    good, bad = (measured(error)[name].value for error in (0.05, 0.4))
    if worse := METRICS[name].scale.worse:
        assert (bad - good) * worse > 0.0
    else:  # neither side is the better one: residuals that cancel out say nothing
        turned = {}
        for side in (-1.0, 1.0):
            rows = window(0.05)[1]
            layout = layouts()[1]
            counts = count_outcomes(layout, values(rows.score + side, rows.actual))
            turned[side] = measure(layout, counts)[name].value
        assert turned[-1.0] < good < turned[1.0]


@pytest.mark.parametrize("name", METRICS)
def test_there_is_an_interval_or_an_honest_none(name: str) -> None:
    figure = measured(0.1)[name]
    if METRICS[name].interval is None:
        assert isnan(figure.low)
        assert isnan(figure.high)
    else:
        assert figure.low < figure.value < figure.high


def test_one_that_is_not_always_there_is_measured_where_it_is_named() -> None:
    for layout, counts in counted(0.1):
        own = {name for name, metric in METRICS.items() if metric.family in layout.families}
        always = {name for name in own if METRICS[name].always}
        assert measure(layout, counts).keys() == always
        for name in own:
            assert measure(layout, counts, {name}).keys() == always | {name}


def test_a_share_is_from_0_to_1() -> None:
    shares = {name for name, metric in METRICS.items() if metric.scale.is_share}
    assert shares == {name for name, m in METRICS.items() if m.scale.unit == "share"}


def test_the_gap_is_on_its_scale() -> None:
    layout, counts = counted(0.1)[0]
    calibration = calibrate(layout, counts)
    assert calibration is not None
    worse = counted(0.4)[0][1]
    value, _ = gap(layout, calibration, worse)
    assert GAP.scale.least <= value <= GAP.scale.most
    assert (value - gap(layout, calibration, counts)[0]) * GAP.scale.worse > 0.0


def test_what_is_estimated_is_what_the_table_says() -> None:
    layout, counts = counted(0.1)[0]
    calibration = calibrate(layout, counts)
    assert calibration is not None
    rows = window(0.1)[0]
    found = estimate(layout, calibration, count_predictions(layout, rows.predicted, rows.score))
    assert [*found] == [
        name
        for name, metric in METRICS.items()
        if metric.estimated and metric.family in layout.families
    ]
