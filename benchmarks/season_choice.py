"""How often a reference follows a cycle that is there, and one that is not.

    python -m benchmarks.season_choice [--features N] [--events N] [--seed N]

Features are numbers of unit variance around a level that is drawn for each hour. Without a cycle
levels are nought, or the hours' own, or the days' own, or go on from hour to hour as weather does,
or rise. With one they follow the hour of the day, the weekend, or both: then what is high at noon
on weekdays is low at noon of the weekend. Of each kind it is printed which cycles were chosen.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable, Mapping

import numpy as np

from driftline.detectors import Columns, FeatureColumn, build_reference
from driftline.detectors.grid import FloatArray, IntArray
from driftline.detectors.seasons import HOUR, cycles_for
from driftline.detectors.sequential.pane_bins import PaneBins
from driftline.detectors.sequential.season_choice import choose_seasons
from driftline.detectors.sequential.variation import Directions

Level = Callable[[IntArray, int, np.random.Generator], FloatArray]
"""Takes the hours, the number of features and a generator; the level of each, (hours, features)."""


def weather(hours: IntArray, features: int, rng: np.random.Generator, like: float) -> FloatArray:
    """Return levels that correlate with those of the hour before."""
    level = np.zeros((hours.size, features))
    for hour in range(1, hours.size):
        fresh = rng.normal(size=features) * np.sqrt(1.0 - like * like)
        level[hour] = like * level[hour - 1] + fresh
    return level


def wave(hours: IntArray, size: float) -> FloatArray:
    """Return a level that swings once a day by so much."""
    swing: FloatArray = size * np.sin(hours * np.pi / 12.0)[:, None]
    return swing


def weekend(hours: IntArray, size: float) -> FloatArray:
    """Return a level that is higher on two days of the week."""
    level: FloatArray = np.where(hours // 24 % 7 > 4, size, 0.0)[:, None]
    return level


QUIET: Mapping[str, Level] = {
    "none": lambda hours, features, rng: np.zeros((hours.size, 1)),
    "each hour its own, 0.3 sd": lambda hours, features, rng: rng.normal(
        0.0, 0.3, (hours.size, features)
    ),
    "each day its own, 0.3 sd": lambda hours, features, rng: rng.normal(
        0.0, 0.3, (hours.size // 24 + 1, features)
    )[hours // 24],
    "weather, hours correlate by 0.9": lambda hours, features, rng: weather(
        hours, features, rng, 0.9
    ),
    "weather, hours correlate by 0.98": lambda hours, features, rng: weather(
        hours, features, rng, 0.98
    ),
    "a rise by 2 sd": lambda hours, features, rng: 2.0 * (hours / hours.size)[:, None],
}
CYCLES: Mapping[str, Level] = {
    "daily, 0.1 sd": lambda hours, features, rng: wave(hours, 0.1),
    "daily, 0.2 sd": lambda hours, features, rng: wave(hours, 0.2),
    "daily, 0.5 sd": lambda hours, features, rng: wave(hours, 0.5),
    "weekend, 0.2 sd": lambda hours, features, rng: weekend(hours, 0.2),
    "weekend, 0.5 sd": lambda hours, features, rng: weekend(hours, 0.5),
    "daily, other way at the weekend, 0.5 sd": lambda hours, features, rng: (
        wave(hours, 0.5) * (1.0 - weekend(hours, 2.0))
    ),
}


def chosen(level: Level, days: int, features: int, events: int, seed: int) -> Counter[str]:
    """Return how many features follow each cycle."""
    rng = np.random.default_rng(seed)
    hours = np.arange(days * 24)
    values = rng.normal(size=(hours.size * events, features))
    values += np.repeat(level(hours, features, rng), events, axis=0)
    columns = {f"f{f}": FeatureColumn("numeric", own) for f, own in enumerate(values.T)}
    built = build_reference("m", columns)
    bins = PaneBins(built.layout, built.counts[0])
    size = bins.owner.size
    found = bins.of_events(built.layout, Columns(values, np.zeros((len(values), 0), np.int32)))
    found += np.repeat(hours, events)[:, None] * size
    counts = np.bincount(found.ravel(), minlength=hours.size * size).reshape(hours.size, size)
    directions = Directions.of(bins, features)
    choices = choose_seasons(bins, directions, counts, hours * HOUR, cycles_for(HOUR))
    return Counter("none" if each is None else each.cycle.name for each in choices)


def main() -> None:
    """Print a row for each kind, of references of 6, 21 and 42 days."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--features", type=int, default=200)
    parser.add_argument("--events", type=int, default=60, help="of an hour")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    for name, level in [*QUIET.items(), *CYCLES.items()]:
        for days in (6, 21, 42):
            found = chosen(level, days, options.features, options.events, options.seed)
            cycles = ", ".join(f"{cycle} {many}" for cycle, many in sorted(found.items()))
            print(f"{name:<42}{days:>3} days   {cycles}", flush=True)


if __name__ == "__main__":
    main()
