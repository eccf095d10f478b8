"""How much the two sides of a comparison vary from pane to pane."""

from __future__ import annotations

from dataclasses import dataclass, field

from driftline.consumer.join.comparing import COMPARISON_CELLS
from driftline.detectors.grid import IntArray
from driftline.detectors.outcomes import IndependentTest, PairedTest
from driftline.detectors.outcomes.share_variation import ShareVariation

Shares = tuple[tuple[int, int], tuple[int, int]]
"""Right predictions, and all, of champion and challenger."""


@dataclass(frozen=True)
class SidesVariation:
    """How much each side's share of right predictions varies, and the difference between them.

    What both share, as a bad hour for either, is no part of the difference.
    """

    champion: ShareVariation = field(default_factory=ShareVariation)
    challenger: ShareVariation = field(default_factory=ShareVariation)
    between: ShareVariation = field(default_factory=ShareVariation)


def add_pane(
    variation: SidesVariation, before: IntArray, pane: IntArray, *, split: bool
) -> SidesVariation:
    """Return the variation with one more pane.

    Args:
        variation: of the panes before.
        before: their cells, see `COMPARISON_CELLS`.
        pane: those of the pane.
        split: whether each event was predicted by one side.
    """
    (champion, challenger), now = shares(before, split=split), shares(pane, split=split)
    if split:
        independent = IndependentTest(champion, challenger)
        between = independent.vary(variation.between, *now)
    else:
        paired = PairedTest(*before[5:7].tolist())
        between = paired.vary(variation.between, *pane[5:7].tolist())
    return SidesVariation(
        variation.champion.add_share(champion, now[0]),
        variation.challenger.add_share(challenger, now[1]),
        between,
    )


def shares(cells: IntArray, *, split: bool) -> Shares:
    """Return how often champion and challenger were right, of the events that are compared."""
    if split:
        return alone(cells)
    both_right, champion, challenger, _ = cells[4:COMPARISON_CELLS].tolist()
    events = int(cells[4:COMPARISON_CELLS].sum())
    return (both_right + champion, events), (both_right + challenger, events)


def alone(cells: IntArray) -> Shares:
    """Return how often each was right where it alone answered."""
    right_a, wrong_a, right_b, wrong_b = cells[:4].tolist()
    return (right_a, right_a + wrong_a), (right_b, right_b + wrong_b)
