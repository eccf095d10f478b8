"""Streams of twenty kinds on which no constant of a detector was chosen; numpy alone.

Each kind draws its own parameters, the times of its events and six features. Nothing changes in
them, but for what every stream of its kind does all the time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.signal import fftconvolve, lfilter

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Generator = np.random.Generator

SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000
FEATURES = 6
RARE = 0.02
"""Share of what is rare, where a feature has a rare value."""


@dataclass
class Feature:
    """The values of one feature.

    Attributes:
        values: in the order of time.
        unit: values are whole multiples of it; 0: they are not.
        rare: what 2 % of the events have; None: nothing is so rare.
        kept: a value that no shift and no scale moves, such as a zero or a sentinel.
    """

    values: NDArray[Any]
    unit: float = 0.0
    rare: Any = None
    kept: float | None = None

    @property
    def is_number(self) -> bool:
        """Whether it has a mean and a spread."""
        return self.values.dtype.kind == "f"


@dataclass
class Events:
    """Times (ms since the stream began, ascending) and features of a stream."""

    times: IntArray
    features: dict[str, Feature] = field(default_factory=dict)


Kind = Callable[[Generator, int, float], Events]
"""Draws the events of some time (ms) at a mean rate (events an hour)."""


def _arrivals(rng: Generator, span: int, rate: float) -> IntArray:
    return np.sort(rng.integers(0, span, rng.poisson(rate * span / HOUR)))


def _named(values: list[Feature]) -> dict[str, Feature]:
    return {f"f{i}": each for i, each in enumerate(values)}


def _independent(draw: Callable[[Generator, int, int], Feature]) -> Kind:
    """Return a kind whose values are independent: `draw(rng, events, number of the feature)`."""

    def kind(rng: Generator, span: int, rate: float) -> Events:
        times = _arrivals(rng, span, rate)
        return Events(times, _named([draw(rng, times.size, i) for i in range(FEATURES)]))

    return kind


def _mixture(rng: Generator, n: int, _: int) -> Feature:
    parts = int(rng.integers(2, 5))
    means, spreads = rng.uniform(-4, 4, parts), rng.uniform(0.2, 1.5, parts)
    which = rng.choice(parts, n, p=rng.dirichlet(np.full(parts, 2.0)))
    return Feature(means[which] + spreads[which] * rng.standard_normal(n))


def _heavy(rng: Generator, n: int, i: int) -> Feature:
    if i % 3 == 0:
        return Feature(rng.standard_t(rng.uniform(1.5, 4), n))
    if i % 3 == 1:
        return Feature(rng.lognormal(rng.uniform(0, 5), rng.uniform(0.8, 2), n))
    return Feature(rng.pareto(rng.uniform(1.1, 3), n))


def _negative_binomial(rng: Generator, n: int, _: int) -> Feature:
    mean, shape = np.exp(rng.uniform(np.log((0.3, 0.3)), np.log((50, 10))))
    return Feature(rng.poisson(mean * rng.gamma(shape, 1 / shape, n)).astype(np.float64), unit=1.0)


def _zero_inflated(rng: Generator, n: int, _: int) -> Feature:
    amounts = rng.lognormal(rng.uniform(1, 5), rng.uniform(0.3, 1.5), n).round(2)
    return Feature(np.where(rng.random(n) < rng.uniform(0.1, 0.9), 0.0, amounts), 0.01, kept=0.0)


def _prices(rng: Generator, n: int, i: int) -> Feature:
    values = rng.lognormal(rng.uniform(2, 5), rng.uniform(0.2, 0.8), n)
    unit = (0.05, 1.0, 10.0)[i % 3]
    values = np.rint(values / unit) * unit
    if i >= 3:  # most end in .99
        values = np.where(rng.random(n) < rng.uniform(0.3, 0.9), np.rint(values) + 0.99, values)
        return Feature(values.round(2), 0.01)
    return Feature(values.round(2), unit)


def _sentinels(rng: Generator, n: int, i: int) -> Feature:
    values = rng.normal(40, 12, n) if i % 2 else rng.lognormal(3, 0.6, n)
    sentinel = (-999.0, 9_999.0, 0.0, -1.0)[i % 4]
    share = RARE if i < 3 else rng.uniform(0.005, 0.2)
    values = np.where(rng.random(n) < share, sentinel, values)
    return Feature(values, rare=sentinel if i < 3 else None, kept=sentinel)


def bursts(rng: Generator, span: int, rate: float) -> Events:
    """Arrivals that bring others (Hawkes); values depend on the burst that they are in."""
    branching, delay = rng.uniform(0.3, 0.8), rng.uniform(1, 20) * MINUTE
    parents = _arrivals(rng, span, rate * (1 - branching)).astype(np.float64)
    times, burst, generation = [parents], [np.arange(parents.size)], [np.zeros(parents.size)]
    while parents.size:
        children = rng.poisson(branching, parents.size)
        parents = np.repeat(parents, children) + rng.exponential(delay, children.sum())
        times.append(parents)
        burst.append(np.repeat(burst[-1], children))
        generation.append(np.full(parents.size, len(times) - 1.0))
    when, of, depth = np.concatenate(times), np.concatenate(burst), np.concatenate(generation)
    order = np.argsort(when, kind="stable")
    order = order[when[order] < span]
    of, late = of[order], depth[order] > 0
    found = []
    for i in range(FEATURES):
        shared = rng.standard_normal(int(of.max()) + 1)[of] * rng.uniform(0.05, 0.4)
        values = rng.standard_normal(of.size) + shared + late * rng.uniform(0.1, 0.8)
        if i >= 4:
            found.append(_flag(values, rng, RARE if i == 4 else 0.3))
        else:
            found.append(Feature(values))
    return Events(when[order].astype(np.int64), _named(found))


def _flag(values: FloatArray, rng: Generator, share: float) -> Feature:
    """Return whether values are among the largest: a boolean."""
    return Feature(values > np.quantile(values, 1 - share), rare=True if share == RARE else None)


def _numbers_and_flags(latent: Callable[[Generator, IntArray], FloatArray]) -> Kind:
    """Return a kind of four numbers, a rare boolean and three classes, each from a line of its own.

    `latent(rng, times)` draws its own parameters, and a value at each time.
    """

    def kind(rng: Generator, span: int, rate: float) -> Events:
        times = _arrivals(rng, span, rate)
        return Events(times, _mixed(rng, [latent(rng, times) for _ in range(FEATURES)]))

    return kind


def _mixed(rng: Generator, lines: list[FloatArray]) -> dict[str, Feature]:
    found = [
        Feature(lines[0]),
        Feature(np.exp(lines[1])),
        Feature(lines[2].round(1), unit=0.1),
        Feature(lines[3]),
        _flag(lines[4], rng, RARE),
        Feature(np.array(["a", "b", "c"])[np.searchsorted([-0.5, 2.05], lines[5])], rare=None),
    ]
    return _named(found)


def _hourly(rng: Generator, times: IntArray) -> FloatArray:
    hour = times // HOUR
    shared = rng.standard_normal(int(hour[-1]) + 1) * np.exp(rng.uniform(*np.log((0.03, 0.25))))
    values: FloatArray = rng.standard_normal(times.size) + shared[hour]
    return values


def _autoregressive(rng: Generator, times: IntArray) -> FloatArray:
    by = rng.uniform(0.1, 0.8)
    noise = rng.standard_normal(times.size) * np.sqrt(1 - by * by)
    values: FloatArray = lfilter([1.0], [1.0, -by], noise)
    return values


def _moving_average(rng: Generator, times: IntArray) -> FloatArray:
    weights = np.append(1.0, rng.uniform(-0.3, 0.9, int(rng.integers(1, 8))))
    noise = rng.standard_normal(times.size)
    values: FloatArray = lfilter(weights / np.linalg.norm(weights), [1.0], noise)
    return values


def _long_memory(rng: Generator, times: IntArray) -> FloatArray:
    """ARFIMA(0, d, 0): what is remembered falls as a power."""
    d, n = rng.uniform(0.05, 0.3), times.size
    steps = np.arange(1, n)
    weights = np.cumprod(np.append(1.0, (steps - 1 + d) / steps))
    values = fftconvolve(rng.standard_normal(n), weights)[:n]
    found: FloatArray = values / values.std()
    return found


def _regimes(rng: Generator, times: IntArray) -> FloatArray:
    """One of two states holds for hours; values are larger in one of them."""
    ends = np.cumsum(rng.exponential(rng.uniform(0.5, 12) * HOUR, int(times[-1] // HOUR) * 10))
    state = np.searchsorted(ends, times) % 2
    values: FloatArray = rng.standard_normal(times.size) + state * rng.uniform(0.1, 0.6)
    return values


def _daily(rng: Generator, times: IntArray) -> FloatArray:
    angle = 2 * np.pi * (times / DAY + rng.random())
    values: FloatArray = rng.standard_normal(times.size) + rng.uniform(0.1, 0.5) * np.sin(angle)
    return values


def daily(rng: Generator, span: int, rate: float) -> Events:
    """Values with a daily cycle, at a rate with one."""
    times = _arrivals(rng, span, 2 * rate)
    often = 0.5 + rng.uniform(0, 0.4) * np.sin(2 * np.pi * (times / DAY + rng.random()))
    times = times[rng.random(times.size) < often]
    return Events(times, _mixed(rng, [_daily(rng, times) for _ in range(FEATURES)]))


def batches(rng: Generator, span: int, rate: float) -> Events:
    """A user sends some events one after another, which resemble each other."""
    size = rng.uniform(2, 20)
    begin = _arrivals(rng, span, rate / size)
    many = rng.geometric(1 / size, begin.size)
    user = np.repeat(np.arange(begin.size), many)
    when = begin[user] + rng.exponential(rng.uniform(5, 120) * SECOND, user.size)
    order = np.argsort(when, kind="stable")
    order = order[when[order] < span]
    user = user[order]

    def line() -> FloatArray:
        shared = rng.uniform(0.1, 0.8)
        own = rng.standard_normal(begin.size)[user]
        values: FloatArray = own * np.sqrt(shared)
        values += np.sqrt(1 - shared) * rng.standard_normal(user.size)
        return values

    return Events(when[order].astype(np.int64), _mixed(rng, [line() for _ in range(FEATURES)]))


def duplicates(rng: Generator, span: int, rate: float) -> Events:
    """Some events are sent again, up to five times within a minute."""
    share = rng.uniform(0.05, 0.4)
    times = _arrivals(rng, span, rate / (1 + 3 * share))
    again = np.where(rng.random(times.size) < share, rng.integers(1, 6, times.size), 0)
    which = np.repeat(np.arange(times.size), 1 + again)
    when = times[which].astype(np.float64)
    repeated = np.append(False, which[1:] == which[:-1])
    when += repeated * rng.uniform(0, MINUTE, which.size)
    order = np.argsort(when, kind="stable")
    order = order[when[order] < span]
    lines = [rng.standard_normal(times.size)[which[order]] for _ in range(FEATURES)]
    return Events(when[order].astype(np.int64), _mixed(rng, lines))


def _categories(rng: Generator, n: int, i: int) -> Feature:
    """Zipf, with names that never came before in a steady share of the events."""
    many = int(np.exp(rng.uniform(np.log(20), np.log(3_000))))
    shares = np.arange(1.0, many + 1) ** -rng.uniform(0.6, 1.4)
    codes = rng.choice(many, n, p=shares / shares.sum())
    new = rng.random(n) < (0.0 if i < 2 else np.exp(rng.uniform(*np.log((0.0005, 0.02)))))
    codes = np.where(new, many + np.arange(n), codes)
    if i in {0, 2}:
        codes = np.where(rng.random(n) < RARE, -1, codes)
    names = np.char.add("n", codes.astype(np.str_))
    return Feature(names, rare="n-1" if i in {0, 2} else None)


def _markov(rng: Generator, n: int, i: int) -> Feature:
    """A boolean that stays as it is more often than not."""
    share = RARE if i < 3 else rng.uniform(0.05, 0.5)
    anew = rng.random(n) < 1 - rng.uniform(0.1, 0.8)
    anew[0] = True
    drawn = rng.random(n) < share
    return Feature(drawn[np.maximum.accumulate(np.where(anew, np.arange(n), 0))],
                   rare=True if i < 3 else None)  # fmt: skip


def correlated(rng: Generator, span: int, rate: float) -> Events:
    """Independent events whose features go together."""
    times = _arrivals(rng, span, rate)
    shared = rng.standard_normal(times.size)
    by = rng.uniform(0.3, 0.95)
    lines = [
        np.sqrt(by) * shared + np.sqrt(1 - by) * rng.standard_normal(times.size)
        for _ in range(FEATURES)
    ]
    return Events(times, _mixed(rng, lines))


def missing(rng: Generator, span: int, rate: float) -> Events:
    """Values are missing now and then, and many of them in outages of minutes to an hour."""
    times = _arrivals(rng, span, rate)
    found = []
    for i in range(FEATURES):
        values = rng.standard_normal(times.size)
        share = RARE if i < 3 else rng.uniform(0.0, 0.2)
        gone = rng.random(times.size) < share
        if i >= 1:
            begins = _arrivals(rng, span, rng.uniform(0.5, 6) / 24)
            ends = begins + rng.uniform(5 * MINUTE, HOUR, begins.size)
            at = np.searchsorted(begins, times, "right") - 1
            out = (at >= 0) & (times < ends[np.maximum(at, 0)])
            gone |= out & (rng.random(times.size) < rng.uniform(0.2, 1.0))
        values[gone] = np.nan
        found.append(Feature(values, rare=np.nan if i == 0 else None))
    return Events(times, _named(found))


def _codes(rng: Generator, n: int, i: int) -> Feature:
    """Identifiers at random, codes and grades."""
    if i == 0:
        return Feature(np.char.mod("%08x", rng.integers(0, 1 << 32, n)))
    if i == 1:
        return Feature(rng.integers(100_000, 1_000_000, n).astype(np.float64), unit=1.0)
    if i == 5:
        return Feature(rng.choice(5, n, p=rng.dirichlet(np.full(5, 2.0))) + 1.0, unit=1.0)
    many = int(np.exp(rng.uniform(np.log(8), np.log(2_000))))
    shares = np.arange(1.0, many + 1) ** -rng.uniform(0, 1.2)
    codes = np.sort(rng.choice(90_000, many, replace=False)) + 10_000.0
    values = codes[rng.choice(many, n, p=rng.permutation(shares / shares.sum()))]
    if i == 2:
        values = np.where(rng.random(n) < RARE, 10_000.0, values)
    return Feature(values, unit=1.0, rare=10_000.0 if i == 2 else None)


KINDS: dict[str, Kind] = {
    "mixtures": _independent(_mixture),
    "heavy tails": _independent(_heavy),
    "counts, negative binomial": _independent(_negative_binomial),
    "zeros and amounts": _independent(_zero_inflated),
    "rounded prices": _independent(_prices),
    "sentinels": _independent(_sentinels),
    "bursts": bursts,
    "an effect of each hour": _numbers_and_flags(_hourly),
    "autoregressive": _numbers_and_flags(_autoregressive),
    "moving averages": _numbers_and_flags(_moving_average),
    "long memory": _numbers_and_flags(_long_memory),
    "batches of one user": batches,
    "events sent again": duplicates,
    "categories, Zipf, and new names": _independent(_categories),
    "booleans that stay": _independent(_markov),
    "correlated features": correlated,
    "a daily cycle": daily,
    "missing in outages": missing,
    "identifiers and codes": _independent(_codes),
    "two regimes": _numbers_and_flags(_regimes),
}
"""By what a reader may call them."""
