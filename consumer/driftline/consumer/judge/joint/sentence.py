"""What changed between features, in words."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

from driftline.consumer.judge.sentence import Wording, named, percents
from driftline.consumer.wire.records import Extremes, Number, Pair
from driftline.detectors.joint import SIDES

_GONE = 0.5  # of what went together


def pair_changed(pair: Pair, more: int = 0) -> Wording:
    """Return how two features go together now, by the cell that changed most.

    Args:
        pair: that changed most.
        more: how many other pairs changed.

    Example:
        >>> third = [0.0, 0.0]
        >>> pair = Pair(
        ...     ("income", "age"), ((1, 2), (1, 2)),
        ...     [[0.19, 0.1, 0.04], [0.1, 0.14, 0.1], [0.04, 0.1, 0.19]],
        ...     [[0.12, 0.11, 0.11], [0.1, 0.13, 0.1], [0.15, 0.14, 0.04]], 0.1, None,
        ... )
        >>> pair_changed(pair).text
        'income and age no longer go together: both high in 4.0 % of events, normally 19.0 %'
        >>> pair_changed(pair, 2).row
        'both high in 4.0 % of events, normally 19.0 %; and 2 more pairs'
    """
    first, second = map(named, pair.features)
    row, column = _most_changed(pair)
    if row == column:
        where = "both in the middle" if SIDES[row] == "middle" else f"both {SIDES[row]}"
    else:
        where = f"{first} {SIDES[row]} and {second} {SIDES[column]}"
    now, normally = percents(
        float(pair.window[row][column] or 0.0), float(pair.reference[row][column] or 0.0)
    )
    change = f"{where} in {now} of events, normally {normally}"
    rest = f" and {more} more {'pair' if more == 1 else 'pairs'}" if more else ""
    return Wording(
        f"{first} and {second} {_how(pair)}: {change}{';' if rest else ''}{rest}",
        f"{change}{';' if rest else ''}{rest}",
    )


def extremes_changed(extremes: Extremes) -> Wording:
    """Return how often several features are extreme at once.

    Example:
        >>> extremes = Extremes(3, [0.8, 0.1, 0.06, 0.04], [0.85, 0.03, 0.03, 0.09], 0.1, None)
        >>> extremes_changed(extremes).text
        'extreme values come together: 3 or more of 3 features are extreme in 9.0 % of events, \
normally 4.0 %'
    """

    def above(shares: Sequence[Number]) -> list[float]:
        return [sum(float(each or 0.0) for each in shares[k:]) for k in range(1, len(shares))]

    now, normal = above(extremes.window), above(extremes.reference)
    moved = [abs(q - p) / sqrt(max(p * (1.0 - p), 1e-4)) for q, p in zip(now, normal, strict=True)]
    k = moved.index(max(moved))
    how = "come together" if now[k] > normal[k] else "no longer come together"
    here, before = percents(now[k], normal[k])
    change = (
        f"{k + 1} or more of {extremes.features} features are extreme in {here} of events,"
        f" normally {before}"
    )
    return Wording(f"extreme values {how}: {change}", change)


def _most_changed(pair: Pair) -> tuple[int, int]:
    """Return the cell whose share changed most."""
    cells = [(row, column) for row in range(3) for column in range(3)]

    def moved(cell: tuple[int, int]) -> float:
        q, p = (float(t[cell[0]][cell[1]] or 0.0) for t in (pair.window, pair.reference))
        return abs(q - p)

    return max(cells, key=lambda cell: (moved(cell), cell))


def _how(pair: Pair) -> str:
    now, normal = (_together(table) for table in (pair.window, pair.reference))
    if now * normal < 0.0 and abs(now) > _GONE * abs(normal):
        return "go together the other way round"
    if abs(now) < _GONE * abs(normal):
        return "no longer go together"
    return f"go together {'less' if abs(now) < abs(normal) else 'more'} than normally"


def _together(table: Sequence[Sequence[Number]]) -> float:
    """Return the covariance of low, middle and high as -1, 0 and 1."""
    shares = [[float(each or 0.0) for each in row] for row in table]
    first = sum(shares[2]) - sum(shares[0])
    second = sum(row[2] - row[0] for row in shares)
    both = shares[0][0] + shares[2][2] - shares[0][2] - shares[2][0]
    return both - first * second
