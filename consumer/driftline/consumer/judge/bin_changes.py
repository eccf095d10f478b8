"""What changed in the bins of a feature: which one most, and which way the events went."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import inf, nextafter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from driftline.consumer.judge.number_sentence import Moved
from driftline.consumer.judge.sentence import (
    Wording,
    amount,
    category_change,
    unlisted_change,
)
from driftline.consumer.wire.records import Contribution, Number, number
from driftline.detectors import OTHER, Bins
from driftline.detectors.grid import FloatArray

_TOP = 5
_DIGITS = 6  # of a value or of the edge of a bin in a sentence


def category_of(bins: Bins, normally: str = "normally") -> Wording:
    """Return the change of the category that contributes most; of a boolean that of ``true``.

    `normally`: the word for the reference, see `numeric_change`.
    """
    names = bins.categories or ()
    place = names.index("true") if set(names) <= {"false", "true"} and "true" in names else int(
        np.argmax(bins.contribution)
    )  # fmt: skip
    now, normal = float(_shares(bins.window)[place]), float(_shares(bins.reference)[place])
    if place == len(names) - 1 and names[place] == OTHER:
        return unlisted_change(now, normal, normally)
    return category_change(names[place], now, normal, normally)


def moved_of(bins: Bins, only_values: FloatArray) -> Moved | None:
    """Return the numeric bin that contributes most; None where no share changed.

    Args:
        bins: of a numeric feature.
        only_values: `Baseline.only_values` of the same bins.
    """
    now, normal = _shares(bins.window), _shares(bins.reference)
    if bins.upper is None or (now == normal).all():
        return None
    place = int(np.argmax(bins.contribution))
    value = float(only_values[place])
    return Moved(
        what=_written(value) if value == value else bin_name(bins.upper.tolist(), place, _written),
        now=float(now[place]),
        normal=float(normal[place]),
        lean=_lean(now, normal),
    )


def top_of(bins: Bins) -> list[Contribution]:
    """Return the bins or categories that contribute most to the effect."""
    if bins.upper is None:
        names = list(bins.categories or ())
    else:
        upper = bins.upper.tolist()
        names = [bin_name(upper, i, lambda x: f"{edge(x)}") for i in range(len(upper) + 1)]
    now, normal = _shares(bins.window), _shares(bins.reference)
    worst = np.argsort(-bins.contribution, kind="stable")[:_TOP].tolist()
    return [
        Contribution(
            names[i],
            number(float(normal[i])),
            number(float(now[i])),
            number(float(bins.contribution[i])),
        )
        for i in worst
    ]


def bin_names(bins: Mapping[str, Any]) -> list[str]:
    """Return what the bins of a verdict are called, as alerts have it.

    Example:
        >>> bin_names({"upper": [18, 26.5], "reference": [1, 2, 3], "window": [3, 2, 1]})
        ['up to 18', '18 to 26.5', 'above 26.5']
        >>> bin_names({"categories": ["web", "__other__"], "reference": [1, 2], "window": [2, 1]})
        ['web', 'not in the reference']
    """
    if "categories" in bins:
        return category_names([str(name) for name in bins["categories"]])
    upper = bins["upper"]
    return [bin_name(upper, i, lambda x: str(edge(x))) for i in range(len(upper) + 1)]


def category_names(names: Sequence[str]) -> list[str]:
    """Return the names of categories as people read them."""
    return ["not in the reference" if name == OTHER else name for name in names]


def contributions(bins: Mapping[str, Any]) -> list[Number]:
    """Return the share of each bin of a verdict in the effect, 0 to 1, as in an alert's `top`.

    Example:
        >>> contributions({"upper": [18], "reference": [50, 50], "window": [50, 50]})
        [0.0, 0.0]
        >>> contributions({"upper": [18], "reference": [50, 50], "window": [80, 20]})
        [0.340893, 0.659107]
    """
    counted = (np.asarray(bins[side], np.int64) for side in ("reference", "window"))
    return [number(part) for part in Bins(None, None, *counted).contribution.tolist()]


def bin_name(upper: Sequence[float], place: int, text: Callable[[float], str]) -> str:
    """Return what a numeric bin is called.

    Args:
        upper: upper ends of all bins but the last.
        place: number of the bin.
        text: writes a number.

    Example:
        >>> [bin_name([4.0, 9.0], place, str) for place in range(3)]
        ['up to 4.0', '4.0 to 9.0', 'above 9.0']
        >>> [bin_name([just_below(4.0), 4.0], place, str) for place in range(3)]
        ['below 4.0', '4.0', 'above 4.0']
    """
    if not len(upper):
        return "all values"
    ends = [(text(_rounded(x)), _rounded(x) > x) for x in upper[max(place - 1, 0) : place + 1]]
    low, low_is_below = ends[0]
    high, high_is_below = ends[-1]
    if place == 0:
        return f"below {high}" if high_is_below else f"up to {high}"
    if place == len(upper):
        return f"{low} or more" if low_is_below else f"above {low}"
    return low if low == high else f"{low} to {'below ' if high_is_below else ''}{high}"


def just_below(value: float) -> float:
    """Return the largest number below `value`, where the bin of a value alone begins."""
    return nextafter(value, -inf)


def ends_of(upper: FloatArray) -> list[Number]:
    """Return the upper ends of bins as records have them: just below a number with all digits.

    Example:
        >>> ends_of(np.array([11744.0, 0.1 + 0.2, just_below(4.0)]))
        [11744, 0.3, 3.9999999999999996]
    """
    return [x if just_below(float(shown := edge(x))) == x else shown for x in upper.tolist()]


def edge(value: float) -> float | int:
    """Return a feature's value as users write it: whole numbers without a decimal point.

    Example:
        >>> edge(11744.0), edge(0.123456789)
        (11744, 0.123456789)
    """
    rounded = float(f"{value:.10g}")
    return int(rounded) if rounded.is_integer() and abs(rounded) < 1e15 else rounded


def _rounded(x: float) -> float:
    """Return the number that `x` is just below, else `x`."""
    value = float(edge(x))
    return value if just_below(value) == x else x


def _written(x: float) -> str:
    return amount(x, _DIGITS)


def _lean(now: FloatArray, normal: FloatArray) -> float:
    """From -1, every event that changed its bin went down, to 1, every one went up."""
    below = np.cumsum(normal - now)[:-1]
    whole = float(np.abs(below).sum())
    return float(below.sum()) / whole if whole > 0 else 0.0


def _shares(counts: NDArray[np.int64]) -> FloatArray:
    return counts / max(int(counts.sum()), 1)
