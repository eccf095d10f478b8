"""Which cycle a reference follows: by plain formulas, and where there is none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from math import inf, lgamma, log, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.detectors.sequential.simulated import numbers, panes_of

from driftline.detectors.counts import Feature, Layout
from driftline.detectors.grid import FloatArray, IntArray
from driftline.detectors.seasons import CYCLES, DAY, HOUR, Cycle, cycles_for
from driftline.detectors.sequential.pane_bins import PaneBins
from driftline.detectors.sequential.season_choice import CLEAR, KAPPAS, Choice, choose_seasons
from driftline.detectors.sequential.variation import Directions

ALL = cycles_for(HOUR)
A_DAY, A_WEEK = CYCLES["hour_of_day"], CYCLES["hour_of_week"]


def classes(counts: IntArray, names: str = "ab") -> tuple[PaneBins, Directions]:
    """Bins of a category: `counts` has the events per hour of two values, and of all others."""
    layout = Layout.of([Feature("plan", "categorical", np.empty(0), tuple(names))])
    bins = PaneBins(layout, np.append(counts.sum(axis=0), [0, 0, 0]))
    return bins, Directions.of(bins, 0)


def chosen(
    counts: IntArray, times: IntArray, cycles: Sequence[Cycle] = ALL, names: str = "ab"
) -> Choice | None:
    return choose_seasons(*classes(counts, names), counts, times, cycles)[0]


def plainly(
    hours: IntArray, times: IntArray, cycle: Cycle, scores: FloatArray
) -> tuple[float, float]:
    """The errors by which cells are alike, and the gain of the best kappa, by plain loops."""
    m = hours.shape[1]
    p = hours.sum(axis=0) / hours.sum()
    pairs = []
    for hour in range(24):
        same = [row for row, time in zip(hours, times, strict=True) if time // HOUR % 24 == hour]
        pairs += [(x, y) for x, y in pairwise(same) if x.sum() and y.sum()]
    squares = []
    for x, y in pairs:
        weight = 1.0 / (1.0 / x.sum() + 1.0 / y.sum())
        away = x / x.sum() - y / y.sum()
        squares.append(
            [weight * float(score @ away) ** 2 for score in scores]
            + [weight * sum(away[b] ** 2 / p[b] for b in range(m)) / (m - 1)]
        )
    phi = max(1.0, max(np.mean(squares, axis=0)))
    cells = cycle.cell_of(times).tolist()
    alike: dict[int, float] = {}
    for r, cell in enumerate(cells):
        other = [q for q, own in enumerate(cells) if own == cell and q != r]
        events = max(sum(int(hours[q].sum()) for q in other), 1)
        rest = sum((hours[q] - hours[q].sum() * p for q in other), np.zeros(m))
        away = hours[r] - hours[r].sum() * p
        day = int(times[r]) // DAY
        alike[day] = alike.get(day, 0.0) + sum(away * rest / p) / events
    days = [*alike.values()]
    errors = np.mean(days) / (np.std(days, ddof=1) / sqrt(len(days)))
    best = -inf
    for kappa in KAPPAS:
        gain = 0.0
        for r, cell in enumerate(cells):
            before = [q for q in range(len(cells)) if times[q] // DAY < times[r] // DAY]
            if not before:
                continue
            own = sum((hours[q] for q in before if cells[q] == cell), np.zeros(m))
            whole = sum((hours[q] for q in before), np.zeros(m)) + 0.5
            rest = whole - own
            cell_law = own + min(kappa, rest.sum()) * rest / rest.sum()
            law = whole / whole.sum() * cell_law.sum()
            for b in range(m):
                x = hours[r][b] / phi
                for known, sign in ((cell_law[b] / phi, 1.0), (law[b] / phi, -1.0)):
                    gain += sign * (lgamma(known + x) - lgamma(known))
        best = max(best, gain)
    return float(errors), best


def noises(hours: IntArray, times: IntArray, cycle: Cycle, scores: FloatArray) -> list[float]:
    """The noise with each of `KAPPAS`, and with as much as there is, by plain loops."""
    cells = cycle.cell_of(times).tolist()
    sums, events = hours @ scores.T, hours.sum(axis=1)
    rows, found = range(len(cells)), []
    for kappa in (*KAPPAS, inf):
        y, more = [], []
        for r in rows:
            own = [q for q in rows if cells[q] == cells[r] and q != r]
            others = [q for q in rows if cells[q] != cells[r]]
            part = min(kappa / max(events[others].sum(), 1), 1.0)
            known = max(events[own].sum() + part * events[others].sum(), 1.0)
            mean = (sums[own].sum(axis=0) + part * sums[others].sum(axis=0)) / known
            n = max(events[r], 1)
            more.append(1.0 + n / known)
            y.append((sums[r] - events[r] * mean) / sqrt(n * more[-1]))
        lines = np.array(y)
        run = (lines**2).mean(axis=0)
        for lag in range(1, 5):
            run += 2 * (1 - lag / 5) * (lines[lag:] * lines[:-lag]).sum(axis=0) / len(y)
        phi = max(1.0, (lines**2).mean(axis=0).max(), run.max())
        found.append(phi * float(np.mean(more)))
    return found


@given(st.integers(0, 2**32), st.floats(0.0, 0.6), st.integers(4, 6))
@settings(max_examples=5, deadline=None)
def test_a_choice_is_what_the_formulas_say(seed: int, amount: float, days: int) -> None:
    rng = np.random.default_rng(seed)
    times = np.sort(rng.permutation(days * 24)[: days * 20]) * HOUR
    swing = amount * np.sin(times / DAY * 2.0 * np.pi)
    shares = np.stack([0.5 * (1.0 + swing), 0.3 - 0.2 * swing, 0.2 - 0.3 * swing], axis=1)
    hours = np.stack([rng.multinomial(int(rng.integers(0, 40)), each) for each in shares])
    _, directions = classes(hours)
    errors, gain = plainly(hours, times, A_DAY, directions.scores)
    left = noises(hours, times, A_DAY, directions.scores)
    found = chosen(hours, times, [A_DAY])
    if found is None:
        assert errors < 3.0 + 1e-9 or gain < CLEAR + 1e-9 or min(left[:-1]) > 0.9 * left[-1] - 1e-9
    else:
        assert (found.cycle, found.kappa) == (A_DAY, KAPPAS[int(np.argmin(left[:-1]))])
        assert found.noise == pytest.approx(min(left))
        assert found.gain == pytest.approx(gain)
        assert errors > 3.0 - 1e-9
        assert gain > CLEAR - 1e-9


FEATURES = 12


def hourly(
    days: int, effect: Callable[[IntArray, np.random.Generator], FloatArray], events: int = 60
) -> tuple[list[Choice | None], IntArray]:
    """Choose for many features whose mean over the hours is `effect`, shape (hours, features)."""
    rng = np.random.default_rng(11)
    hours = np.arange(days * 24)
    values = rng.normal(size=(hours.size * events, FEATURES))
    values += np.repeat(effect(hours, rng), events, axis=0)
    built, bins = numbers(values)
    counts = panes_of(built, bins, values, events)[:, : bins.owner.size]
    directions = Directions.of(bins, bins.features)
    return choose_seasons(bins, directions, counts, hours * HOUR, ALL), counts


def wave(hours: IntArray) -> FloatArray:
    swing: FloatArray = np.sin(hours * 2.0 * np.pi / 24.0)[:, None]
    return swing


def along_time(hours: IntArray, rng: np.random.Generator, like: float) -> FloatArray:
    """A level that resembles that of the hour before."""
    level = np.zeros((hours.size, FEATURES))
    for hour in hours[1:]:
        level[hour] = like * level[hour - 1] + sqrt(1.0 - like**2) * rng.normal(size=FEATURES)
    return level


WEEKDAYS = np.array([1, 1, 1, 1, 1, -1, -1])[:, None]
"""What is high at noon on weekdays is low then on the other days."""

OFFICE = np.array([[day < 5 and 8 <= hour < 18] for day in range(7) for hour in range(24)])

QUIET: dict[str, Callable[[IntArray, np.random.Generator], FloatArray]] = {
    "independent": lambda hours, _: np.zeros((hours.size, 1)),
    "each hour has its own": lambda hours, rng: rng.normal(0, 0.3, (hours.size, FEATURES)),
    "each day has its own": lambda hours, rng: rng.normal(0, 0.3, (99, FEATURES))[hours // 24],
    "weather": lambda hours, rng: along_time(hours, rng, 0.9),
    "trend": lambda hours, _: 2.0 * (hours / hours.size)[:, None],
}


@pytest.mark.parametrize("kind", QUIET)
@pytest.mark.parametrize("days", [5, 21])
def test_what_is_no_cycle_is_not_taken_for_one(kind: str, days: int) -> None:
    found, _ = hourly(days, QUIET[kind])
    # Of weather that lasts for hours, three weeks may look alike by chance.
    assert sum(each is not None for each in found) <= (2 if kind == "weather" else 0)


@pytest.mark.parametrize(
    ("days", "effect", "cycle"),
    [
        (6, lambda hours: 0.3 * wave(hours), "hour_of_day"),
        (21, lambda hours: 0.3 * wave(hours), "hour_of_day"),
        (21, lambda hours: 0.5 * (hours // 24 % 7 >= 5)[:, None], "day_of_week"),
        (28, lambda hours: 0.5 * wave(hours) * WEEKDAYS[hours // 24 % 7], "hour_of_week"),
        (28, lambda hours: 0.5 * OFFICE[hours % 168], "hour_of_week"),
    ],
)
def test_the_simplest_cycle_that_explains_it_is_chosen(
    days: int, effect: Callable[[IntArray], FloatArray], cycle: str
) -> None:
    found, _ = hourly(days, lambda hours, _: effect(hours))
    assert {each and each.cycle.name for each in found} == {cycle}


def test_other_features_and_the_order_of_categories_do_not_matter() -> None:
    rng = np.random.default_rng(3)
    hours = np.arange(10 * 24)
    first = 0.4 + 0.2 * np.sin(hours * 2.0 * np.pi / 24.0)
    shares = np.stack([first, 0.8 - first, np.full(hours.size, 0.2)], axis=1)
    counts = np.stack([rng.multinomial(50, each) for each in shares])
    one = chosen(counts, hours * HOUR)
    other = chosen(counts[:, [1, 0, 2]], hours * HOUR, names="ba")
    assert one is not None
    assert other is not None
    assert (one.cycle, one.kappa) == (other.cycle, other.kappa)
    assert one.gain == pytest.approx(other.gain)
    every, counted = hourly(6, lambda hours, _: 0.3 * wave(hours) * (np.arange(FEATURES) % 2))
    assert [each is not None for each in every] == [f % 2 == 1 for f in range(FEATURES)]
    assert counted.shape[0] == 6 * 24


@pytest.mark.parametrize("days", [0, 1, 3])
def test_few_days_tell_nothing(days: int) -> None:
    hours = np.arange(days * 24)
    counts = np.stack([hours % 24 * 50, 1_200 - hours % 24 * 50, hours * 0], axis=1)
    assert chosen(counts, hours * HOUR) is None


def test_weeks_need_three_of_them_and_long_panes_have_days_alone() -> None:
    hours = np.arange(20 * 24)
    weekend = hours // 24 % 7 >= 5
    counts = np.stack([np.where(weekend, 40, 10), np.where(weekend, 10, 40), hours * 0 + 5], axis=1)
    assert chosen(counts, hours * HOUR) is None
    longer = np.concatenate([counts, counts[20 * 24 - 7 * 24 :][:24]])
    found = chosen(longer, np.arange(21 * 24) * HOUR, cycles_for(DAY))
    assert found is not None
    assert found.cycle.name == "day_of_week"
    assert chosen(longer, np.arange(21 * 24) * HOUR, ()) is None


def test_of_a_long_reference_the_last_days_are_foretold() -> None:
    hours = np.arange(100 * 24)
    rng = np.random.default_rng(1)
    held = rng.binomial(40, 0.5 + 0.1 * np.sin(hours * np.pi / 12))
    counts = np.stack([held, 40 - held, held * 0], axis=1)
    whole = chosen(counts, hours * HOUR, [A_DAY])
    late = chosen(counts[30 * 24 :], hours[30 * 24 :] * HOUR, [A_DAY])
    assert whole is not None
    assert late is not None
    assert whole.gain > late.gain
    assert whole.gain < log(2.0) * 70 * 24
