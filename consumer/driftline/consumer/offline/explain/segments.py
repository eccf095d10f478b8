"""The smallest segment that holds most of a change: where the other rows tell little or nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from driftline.consumer.offline.explain.columns import Column
from driftline.consumer.offline.explain.ranks import Bools, Ranks
from driftline.detectors.grid import FloatArray
from driftline.detectors.outcomes.figure import Figure

_MOST = 0.8  # of the change
_LARGEST = 0.8  # share of the rows of now
_FEWEST = 50  # held-out rows of now, in it and outside of it, and quiet ones outside
_LISTED = 50  # values of a column
_JOINED = 20  # conditions of which pairs are tried
_SMALLER = 0.75  # of the rows, at most, for two conditions in the place of one


@dataclass(frozen=True)
class Condition:
    """A column with one value; None: with none."""

    name: str
    value: str | None

    def __str__(self) -> str:
        return f"{self.name} is missing" if self.value is None else f"{self.name}={self.value}"


@dataclass(frozen=True)
class FoundSegment:
    """A segment that holds most of the change.

    Attributes:
        conditions: that its rows fulfil, all of them.
        now, quiet: its share of the rows.
        held: share of the change that is gone without it, 0 to 1.
        outside: how well the other rows tell now from quiet.
        inside: how well its own rows do; no value where there are none on one side.
    """

    conditions: tuple[Condition, ...]
    now: float
    quiet: float
    held: float
    outside: Figure
    inside: Figure


def smallest_segment(
    columns: Sequence[Column], scores: FloatArray, now: Bools, places: np.ndarray
) -> FoundSegment | None:
    """Return the smallest segment without which most of the change is gone; None if there is none.

    Args:
        columns: of all rows; tags and categories, and where a number is missing, are conditions.
        scores: of the held-out rows, higher where they look like now.
        now: which of these are of now.
        places: which rows these are.
    """
    whole = Ranks.of(scores, now).area
    found: list[tuple[FoundSegment, Bools]] = []
    tried: list[tuple[float, tuple[Condition, ...], Bools]] = []
    for condition, chosen in _conditions(columns, places):
        segment = _segment((condition,), chosen, scores, now, whole)
        if segment is not None:
            tried.append((segment.held, segment.conditions, chosen))
            if segment.held >= _MOST:
                found.append((segment, chosen))
    best = min((segment for segment, _ in found), key=_size, default=None)
    tried.sort(key=lambda each: -each[0])
    for (_, one, first), (_, other, second) in combinations(tried[:_JOINED], 2):
        if one[0].name == other[0].name:
            continue
        segment = _segment((*one, *other), first & second, scores, now, whole)
        if segment is None or segment.held < _MOST:
            continue
        if best is None or segment.now < _bound(best):
            best = segment
    return best


def _size(segment: FoundSegment) -> tuple[float, int]:
    return segment.now, len(segment.conditions)


def _bound(best: FoundSegment) -> float:
    """Return the share of the rows below which a segment of two conditions is better."""
    return best.now * (_SMALLER if len(best.conditions) == 1 else 1.0)


def _conditions(columns: Sequence[Column], places: np.ndarray) -> Iterator[tuple[Condition, Bools]]:
    for column in columns:
        codes = column.codes[places]
        yield Condition(column.name, None), codes == column.missing
        if column.numbers is None:
            for code, name in enumerate(column.names[:_LISTED]):
                yield Condition(column.name, name), codes == code


def _segment(
    conditions: tuple[Condition, ...], chosen: Bools, scores: FloatArray, now: Bools, whole: float
) -> FoundSegment | None:
    outside = ~chosen
    share = float(chosen[now].mean())
    if share > _LARGEST or chosen[now].sum() < _FEWEST:
        return None
    if outside[now].sum() < _FEWEST or outside[~now].sum() < _FEWEST:
        return None
    others = Ranks.of(scores[outside], now[outside])
    held = 1.0 - max(others.area - 0.5, 0.0) / (whole - 0.5)
    inside = Figure.none()
    if chosen[~now].any():
        inside = Ranks.of(scores[chosen], now[chosen]).figure()
    return FoundSegment(
        conditions, share, float(chosen[~now].mean()), held, others.figure(), inside
    )
