"""What the budget and the intervals of performance are worth where errors come together.

720 windows of an hour, each with 1,000 labels, of a model whose performance does not change. Errors
are independent; or each hour has an effect of its own, in standard deviations of what makes an
event wrong (of a regression: of the logarithm of the size of its errors); or what makes an event
wrong correlates with that of the event before. Printed are the windows that alarm at the level that
a budget of one alarm in these windows leaves to windows of performance, which allows 0.1, first as
if events were independent, then tempered, before the size of the effect has its say; and of 100
intervals of 95 % those that hold the truth. Last, the windows in which a model that became worse is
found.

Run: python -m benchmarks.performance_alarms   (about 3 minutes)
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from scipy.signal import lfilter

from driftline.consumer.config import WindowConfig
from driftline.consumer.judge.performance.variation import MetricVariations
from driftline.detectors import level
from driftline.detectors.budget import PERFORMANCE
from driftline.detectors.grid import FloatArray, IntArray
from driftline.detectors.outcomes import (
    Figure,
    OutcomeLayout,
    OutcomeRows,
    correctness,
    count_outcomes,
    measure,
)
from driftline.detectors.outcomes.metric_variation import SOME_PANES

HOUR, DAY = 3_600_000, 86_400_000
HOURS, EVENTS, REFERENCE = 720, 1_000, 20
ERRORS = 0.1
WINDOW = WindowConfig(length=HOUR, every=HOUR)


@dataclass(frozen=True)
class Kind:
    """Streams: an effect of each hour, or a correlation of neighbours; and what became worse."""

    name: str
    effect: float = 0.0
    alike: float = 0.0
    lasting: float = 0.0
    worse: float = 0.0

    def latent(self, rng: np.random.Generator, hours: int) -> FloatArray:
        """Draw what makes events wrong, normal with variance 1 in all, shape (hours, EVENTS)."""
        noise = rng.standard_normal(hours * EVENTS + 500)
        if self.alike:
            scaled = noise * np.sqrt(1.0 - self.alike**2)
            noise = lfilter([1.0], [1.0, -self.alike], scaled)
        noise = noise[500:].reshape(hours, EVENTS)
        own = rng.standard_normal(hours + 50) * np.sqrt(1.0 - self.lasting**2)
        own = lfilter([1.0], [1.0, -self.lasting], own)[50:, None]
        moved = noise + self.effect * own
        return np.asarray(moved / np.sqrt(1.0 + self.effect**2))


Draw = Callable[[Kind, np.random.Generator, int, float], Iterator[OutcomeRows]]


def classes(
    kind: Kind, rng: np.random.Generator, hours: int, worse: float
) -> Iterator[OutcomeRows]:
    """Two classes, of which 10 % are wrong."""
    limit = NormalDist().inv_cdf(1.0 - ERRORS - worse)
    for latent in kind.latent(rng, hours):
        said = rng.integers(0, 2, EVENTS).astype(np.int32)
        wrong = latent > limit
        actual = np.where(wrong, 1 - said, said).astype(float)
        yield OutcomeRows(said, np.zeros(EVENTS), actual)


def scores(kind: Kind, rng: np.random.Generator, hours: int, worse: float) -> Iterator[OutcomeRows]:
    """Scores alone; an effect makes them tell less, or more, of the class."""
    for latent in kind.latent(rng, hours):
        actual = rng.random(EVENTS) < 0.3
        far = 1.5 - 5.0 * worse
        # What both classes share moves no ranking: here it moves one of them.
        value = rng.standard_normal(EVENTS) + np.where(actual, far, 0.0)
        value = np.where(actual, (value - far + latent) / np.sqrt(2) + far, value)
        score = np.round(1.0 / (1.0 + np.exp(-value)), 2)
        yield OutcomeRows(np.zeros(EVENTS, np.int32), score, actual.astype(float))


def numbers(
    kind: Kind, rng: np.random.Generator, hours: int, worse: float
) -> Iterator[OutcomeRows]:
    """A regression whose errors vary in size."""
    for latent in kind.latent(rng, hours):
        size = np.exp(0.5 * latent) * (1.0 + worse)
        actual = rng.standard_normal(EVENTS) * 3.0
        said = actual + size * rng.standard_normal(EVENTS)
        yield OutcomeRows(np.zeros(EVENTS, np.int32), said, actual)


MODELS: dict[str, tuple[str, Draw]] = {
    "classes": ("accuracy", classes),
    "scores": ("roc_auc", scores),
    "regression": ("mae", numbers),
}


def layout_of(model: str, rows: OutcomeRows) -> OutcomeLayout:
    """Return what is counted of a model."""
    if model == "classes":
        return OutcomeLayout.classification(["0", "1"], None, True)
    if model == "scores":
        edges = np.arange(0.05, 1.0, 0.05)
        return OutcomeLayout.classification(["0", "1"], "1", False, edges)
    return OutcomeLayout.regression(rows.score, rows.actual)


def run(model: str, kind: Kind, seed: int) -> tuple[IntArray, IntArray]:
    """Return windows that alarm, and those whose interval holds the truth: plain, tempered.

    Of those that alarm, too, how many tempered ones are among the first.
    """
    metric, draw = MODELS[model]
    rng = np.random.default_rng(seed)
    own = [next(draw(kind, rng, 1, 0.0)) for _ in range(REFERENCE)]
    layout = layout_of(model, own[0])
    reference = np.sum([count_outcomes(layout, rows) for rows in own], axis=0)
    drawn = [count_outcomes(layout, rows) for rows in draw(kind, rng, HOURS, kind.worse)]
    truth = measure(layout, np.sum(drawn, axis=0))[metric].value
    alpha = level(PERFORMANCE / 2.0, 30 * DAY, 1, HOUR)

    def measured(counts: IntArray) -> dict[str, Figure]:
        return measure(layout, counts)

    known = MetricVariations(None, "reference", layout.size, [metric], WINDOW, None)
    alarms, held = np.zeros(3, np.int64), np.zeros(2, np.int64)
    for hour, counts in enumerate(drawn):
        known.add(hour * HOUR, counts, EVENTS, measured)
        phi = known.before(hour * HOUR)[metric]
        figure = measured(counts)[metric]
        for i, (test, wide) in enumerate(((1.0, 1.0), (phi.tested, phi.interval or 1.0))):
            found = correctness(layout, counts, reference, alpha, test)[metric]
            alarms[i] += found.p_value <= alpha
            if i and hour < SOME_PANES:
                alarms[-1] += found.p_value <= alpha
            shown = figure.widened(wide)
            held[i] += shown.low <= truth <= shown.high
    return alarms, held


QUIET = (
    Kind("independent"),
    Kind("hours have effects of 0.05", effect=0.05),
    Kind("hours have effects of 0.1", effect=0.1),
    Kind("hours have effects of 0.2", effect=0.2),
    Kind("such hours resemble the last by 0.5", effect=0.1, lasting=0.5),
    Kind("neighbours correlate by 0.5", alike=0.5),
    Kind("neighbours correlate by 0.9", alike=0.9),
)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=5)
    seeds = range(parser.parse_args().repetitions)
    for model in MODELS:
        print(f"{model}: windows that alarm in {HOURS}; % of intervals that hold the truth")
        for kind in QUIET:
            found = [run(model, kind, seed) for seed in seeds]
            alarms = np.mean([each for each, _ in found], axis=0)
            held = np.mean([each for _, each in found], axis=0) * 100 / HOURS
            print(
                f"  {kind.name:30} {alarms[0]:7.1f} {alarms[1]:6.1f} {alarms[2]:6.1f}"
                f" {held[0]:8.1f} {held[1]:6.1f}",
                flush=True,
            )
        for worse in (0.02, 0.04) if model != "regression" else (0.05, 0.1):
            kind = Kind(f"independent, worse by {worse:g}", worse=worse)
            alarms = np.mean([run(model, kind, seed)[0] for seed in seeds], axis=0)
            print(f"  {kind.name:30} {alarms[0]:7.1f} {alarms[1]:6.1f}", flush=True)


if __name__ == "__main__":
    main()
