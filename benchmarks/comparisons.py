"""How often a comparison of two equally good sides decides, and how soon one of unequal sides.

Each stream has panes of about 500 events of either side, which is right in 85 % of them. `pane
effects` move each side's share in each pane by itself, by so many standard deviations of what makes
an event right; `lasting` ones resemble those of the pane before by 0.5; a `common` one moves both
sides together. Of 200 streams, each looked at after every one of 100 panes, 10 may be decided.

Printed are the streams that are decided as if events were independent, and as the product does,
and in how many of them the 95 % interval of the champion's share holds the truth at the end. Then
the panes until half of the streams are decided whose challenger is better.

Run: python -m benchmarks.comparisons   (about 5 minutes; `--streams 50` for a look)
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import numpy as np

from driftline.consumer.config import ComparisonConfig, ModelConfig
from driftline.consumer.join.cells import EXTRA_CELLS
from driftline.consumer.join.comparing import COMPARISON_CELLS
from driftline.consumer.judge.comparison.judge import ComparisonJudge, ComparisonState, subject_of
from driftline.consumer.wire.codec import pack_integers
from driftline.consumer.wire.messages import Horizon, Pane, StreamCounts
from driftline.consumer.wire.records import ReferenceName
from driftline.detectors.grid import FloatArray, IntArray
from driftline.detectors.outcomes import IndependentTest, PairedTest
from driftline.detectors.outcomes.comparison import Evidence
from driftline.detectors.outcomes.figure import share_interval
from driftline.detectors.special import ndtr

MINUTE = 60_000
PANES, EVENTS, SHARE = 100, 500, 0.85
ALPHA = 0.05
MODEL = ModelConfig.model_validate(
    {"predictions": "in", "reference": "r.json", "window": {"length": "1m"}}
)

Traffic = Literal["split", "same"]


@dataclass(frozen=True)
class Kind:
    """Streams: effects of each side's own, lasting or not, and of both, in standard deviations."""

    name: str
    own: float = 0.0
    like_the_last: float = 0.0
    common: float = 0.0
    uneven: bool = False
    better: float = 0.0

    def shares(self, rng: np.random.Generator, panes: int) -> FloatArray:
        """Draw both sides' chances of a right prediction, shape (2, panes)."""
        noise = rng.standard_normal((2, panes + 50))
        keep = self.like_the_last
        effects = np.empty_like(noise)
        effects[:, 0] = noise[:, 0]
        for i in range(1, noise.shape[1]):
            effects[:, i] = keep * effects[:, i - 1] + np.sqrt(1 - keep**2) * noise[:, i]
        moved = self.own * effects[:, 50:] + self.common * rng.standard_normal(panes)
        # So far from the middle that the mean share is as it should be.
        spread = np.sqrt(1.0 + self.own**2 + self.common**2)
        middle = np.array([[self.limit(SHARE)], [self.limit(SHARE + self.better)]]) * spread
        return np.asarray(ndtr(middle + moved))

    @staticmethod
    def limit(share: float) -> float:
        """Return what a standard normal number lies below with the chance `share`."""
        return NormalDist().inv_cdf(share)

    def cells(self, rng: np.random.Generator, traffic: Traffic) -> Iterator[IntArray]:
        """Draw the cells of each pane."""
        for number, (a, b) in enumerate(self.shares(rng, PANES).T):
            events = EVENTS * (0.2 if number % 24 < 12 else 1.8) if self.uneven else EVENTS
            found = np.zeros(COMPARISON_CELLS, np.int64)
            if traffic == "split":
                for at, share in ((0, a), (2, b)):
                    n = int(rng.poisson(events))
                    found[at] = rng.binomial(n, share)
                    found[at + 1] = n - found[at]
            else:
                n = int(rng.poisson(events))
                # Two thirds of what makes an event hard are the same for both.
                hard = rng.standard_normal(n) * np.sqrt(2 / 3)
                right = [
                    hard + rng.standard_normal(n) * np.sqrt(1 / 3) < self.limit(share)
                    for share in (a, b)
                ]
                pairs = 2 * (~right[0]) + ~right[1]
                found[4:] = np.bincount(pairs, minlength=4)
            yield found


@dataclass(frozen=True)
class Run:
    """One stream: panes until each decision, None without one; and whether the interval holds."""

    untempered: int | None
    tempered: int | None
    held_untempered: bool
    held: bool


def run(kind: Kind, traffic: Traffic, seed: int) -> Run:
    """Give a stream to the judge of comparisons, pane by pane."""
    config = ComparisonConfig.model_validate(
        {"champion": "m@1", "challenger": "m@2", "traffic": traffic, "alpha": ALPHA}
    )
    reference = ReferenceName("reference", 1)
    state = ComparisonState(0, 0, "id", 1)
    judge = ComparisonJudge("new", config, MODEL, reference, "classification", state)
    first: dict[str, int] = {}
    offset = 0
    for number, cells in enumerate(kind.cells(np.random.default_rng(seed), traffic)):
        for message in _messages(config, cells, number * MINUTE):
            judge.feed(message, offset)
            offset += 1
        now = judge.state()
        if traffic == "split":
            plain = IndependentTest(evidence=_evidence(now)).tempered(1.0)
        else:
            plain = PairedTest(*now.cells[5:7]).evidence
        if plain.decide(ALPHA) != "undecided":
            first.setdefault("untempered", number + 1)
        if now.decision != "undecided":
            first.setdefault("tempered", number + 1)
    champion, _ = judge.standing.figures(traffic)
    low, high = share_interval(champion.value, champion.n)
    return Run(
        first.get("untempered"),
        first.get("tempered"),
        low <= SHARE <= high,
        champion.low <= SHARE <= champion.high,
    )


def _evidence(state: ComparisonState) -> Evidence:
    return Evidence(*state.evidence)


def _messages(config: ComparisonConfig, cells: IntArray, start: int) -> tuple[Pane, Horizon]:
    places = np.flatnonzero(cells)
    counts = StreamCounts(
        None, int(cells.sum()), {"m@1": 1, "m@2": 1},
        pack_integers(np.diff(places, prepend=0)), pack_integers(cells[places]),
    )  # fmt: skip
    end = start + MINUTE
    pane = Pane(
        "joins", 0, "compare:new", start, MINUTE, subject_of(config, "classification"), 0, 1, 0,
        COMPARISON_CELLS + EXTRA_CELLS, [counts], outcomes=True,
    )  # fmt: skip
    return pane, Horizon("joins", 0, 1, "compare:new", end, end, 1, 0, outcomes=True)


QUIET = (
    Kind("independent"),
    Kind("pane effects of 0.05", own=0.05),
    Kind("pane effects of 0.1", own=0.1),
    Kind("pane effects of 0.2", own=0.2),
    Kind("pane effects of 0.1, panes of 100 and 900 events", own=0.1, uneven=True),
    Kind("lasting effects of 0.1", own=0.1, like_the_last=0.5),
    Kind("common effects of 0.2", common=0.2),
)
CHANGED = (
    Kind("independent, better by 0.01", better=0.01),
    Kind("independent, better by 0.02", better=0.02),
    Kind("independent, better by 0.05", better=0.05),
    Kind("common effects of 0.2, better by 0.02", common=0.2, better=0.02),
    Kind("pane effects of 0.1, better by 0.02", own=0.1, better=0.02),
)


def median(panes: Sequence[int | None]) -> str:
    """Return after how many panes half of the streams are decided."""
    found = sorted(float("inf") if each is None else each for each in panes)[len(panes) // 2]
    return "never" if found == float("inf") else f"{found:g}"


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=200)
    streams = parser.parse_args().streams
    for traffic in ("split", "same"):
        print(f"{traffic} traffic, {streams} streams: decided wrongly; interval holds")
        for kind in QUIET:
            runs = [run(kind, traffic, seed) for seed in range(streams)]
            decided = [sum(each.untempered is not None for each in runs),
                       sum(each.tempered is not None for each in runs)]  # fmt: skip
            held = [sum(each.held_untempered for each in runs), sum(each.held for each in runs)]
            print(f"  {kind.name:50} {decided[0]:4} {decided[1]:4} {held[0]:5} {held[1]:4}",
                  flush=True)  # fmt: skip
        print(f"{traffic} traffic: panes until half are decided")
        for kind in CHANGED:
            runs = [run(kind, traffic, seed) for seed in range(max(streams // 4, 1))]
            both = [each.untempered for each in runs], [each.tempered for each in runs]
            print(f"  {kind.name:50} {median(both[0]):>6} {median(both[1]):>6}", flush=True)


if __name__ == "__main__":
    main()
