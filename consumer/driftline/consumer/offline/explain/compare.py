"""Rows of now against quiet rows: what tells the two apart, and how surely."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from driftline.consumer.offline.explain.classifier import Classifier, Halves, alone
from driftline.consumer.offline.explain.columns import (
    EVERYTHING,
    Column,
    LeftOut,
    Watched,
    columns_of,
)
from driftline.consumer.offline.explain.pairs import MOST_COLUMNS, Pair, changed_pairs
from driftline.consumer.offline.explain.ranks import Bools, Ranks
from driftline.consumer.offline.explain.segments import FoundSegment, smallest_segment
from driftline.consumer.offline.rows.event_row import EventRow
from driftline.detectors import special
from driftline.detectors.grid import IntArray
from driftline.detectors.outcomes.figure import Figure
from driftline.producer.errors import InputError

FEWEST = 50
"""Rows of a side, at least."""
MOST_ASKED = 60
"""Columns whose values are shuffled, those that alone tell most; all are learned from."""
_LEVEL = 0.01  # of all columns together
_ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class Told:
    """How well a column tells the rows apart.

    Attributes:
        column: the column.
        alone: without the others.
        needed: how much less the others tell without it; None where that was not asked.
        by_itself: whether it does without them, beyond chance.
        with_others: whether they tell less without it, beyond chance.
    """

    column: Column
    alone: Ranks
    needed: Ranks | None
    by_itself: bool
    with_others: bool

    @property
    def tells(self) -> bool:
        """Whether it does either way."""
        return self.by_itself or self.with_others

    @property
    def order(self) -> tuple[int, float]:
        """By which columns are sorted: first those that tell by themselves, then with others."""
        if self.by_itself or self.needed is None:
            return (0 if self.by_itself else 2), -self.alone.area
        return (1 if self.with_others else 2), -self.needed.area


@dataclass(frozen=True, eq=False)
class Comparison:
    """What tells two sides apart.

    Attributes:
        now: which rows are of now, bool (n,).
        area: how well all columns together tell the held-out rows apart.
        apart: whether its interval lies above .5.
        told: the columns, those that tell most first.
        pairs: that go together in another way than before.
        segment: the smallest that holds most of the change; None: none does.
        surest: places of held-out rows of now, those that look least like quiet ones first.
        left_out: columns that are not compared.
    """

    now: Bools
    area: Figure
    apart: bool
    told: list[Told]
    pairs: list[Pair]
    segment: FoundSegment | None
    surest: IntArray
    left_out: list[LeftOut]


def compare(
    now: Sequence[EventRow],
    quiet: Sequence[EventRow],
    watched: Watched = EVERYTHING,
) -> Comparison:
    """Compare rows of now with quiet ones.

    Args:
        now: at least `FEWEST`.
        quiet: likewise.
        watched: which features.

    Raises:
        InputError: a side has too few rows, or there is nothing to compare.
    """
    for side, rows in (("of now", now), ("of a quiet time", quiet)):
        if len(rows) < FEWEST:
            raise InputError(
                f"there are {len(rows)} rows {side}, at least {FEWEST} are needed: choose more with"
                " --since, --until or --against"
            )
    columns, left = columns_of([*now, *quiet], watched)
    if not columns:
        raise InputError("there is no column in which rows differ")
    sides = np.arange(len(now) + len(quiet)) < len(now)
    halves = Halves.of(len(sides))
    classifier = Classifier(columns, sides, halves)
    area = classifier.ranks.figure()
    apart = area.low > 0.5
    told = _told(columns, sides, halves, classifier)
    asked = sides[halves.held_out]
    order = np.argsort(-classifier.scores, kind="stable")
    return Comparison(
        sides,
        area,
        apart,
        told,
        changed_pairs([each.column for each in told[:MOST_COLUMNS]], sides) if apart else [],
        smallest_segment(columns, classifier.scores, asked, halves.held_out) if apart else None,
        halves.held_out[order[asked[order]]],
        left,
    )


def _told(
    columns: Sequence[Column], now: Bools, halves: Halves, classifier: Classifier
) -> list[Told]:
    """Return how well each column tells, those that tell most first."""
    least = float(special.ndtri(1.0 - _LEVEL / (2 * len(columns))))
    each = [alone(column, now, halves) for column in columns]
    asked = sorted(range(len(columns)), key=lambda place: -each[place].area)[:MOST_ASKED]
    needed = {place: classifier.ranks.less(classifier.without(place)) for place in asked}
    found = []
    for place, column in enumerate(columns):
        own, less = each[place], needed.get(place)
        by_itself = own.area - 0.5 > least * own.error + _ROUNDING
        with_others = less is not None and less.area > least * less.error + _ROUNDING
        found.append(Told(column, own, less, by_itself, with_others))
    return sorted(found, key=lambda told: told.order)
