"""Whether the parts of a stream changed alike, or one of them alone.

Two laws are compared that have as many unknowns as one another: in every part each bin's share is
multiplied by the same factor; or in one part alone, and the others are as they were. The difference
of their log-likelihoods says which one it is; near 0 it is neither. Nor is it where the rest
changed too, but not all of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np

from driftline.detectors.grid import FloatArray

_SURE = 4.6
"""Natural logarithm of 100: how many times as likely one law is as another."""

_ERRORS = 3.0  # standard errors, of a rest that did not change


@dataclass(frozen=True)
class Likeness:
    """Which parts changed.

    Attributes:
        alike: whether all of them did, in the same way.
        only: number of the one that did; None: not one alone.
        by: difference of the log-likelihoods between the two laws; above 0 for one part.
    """

    alike: bool
    only: int | None
    by: float


def likeness(
    now: FloatArray, normal: FloatArray, phi: float = 1.0, known: int | None = None
) -> Likeness:
    """Compare the parts of a stream in which something changed.

    Args:
        now: events of each part per bin, shape (S, B).
        normal: the same of the reference, shape (S, B).
        phi: how many events tell as much as one independent one.
        known: a part of which it is known already that it changed: less is asked of it.

    Example:
        >>> normal = np.array([[500.0, 500.0], [500.0, 500.0], [500.0, 500.0]])
        >>> likeness(np.array([[90.0, 10.0], [85.0, 15.0], [88.0, 12.0]]), normal).alike
        True
        >>> likeness(np.array([[90.0, 10.0], [48.0, 52.0], [51.0, 49.0]]), normal).only
        0
    """
    parts = np.flatnonzero(now.sum(axis=1) > 0)
    if parts.size < 2:
        return Likeness(False, None, 0.0)
    now, normal = now[parts], normal[parts]
    free = now.shape[1] - 1
    p = normal + 0.5 + now.shape[1] * _shares(normal.sum(axis=0) + 0.5)
    shares = p / p.sum(axis=1, keepdims=True)
    together = _gains(now, shares, _factors(now.sum(axis=0), _mixed(shares, now))) / phi
    alone = (
        np.array(
            [
                _gains(x, q, _factors(x, q))[0]
                for x, q in zip(now[:, None], shares[:, None], strict=True)
            ]
        )
        / phi
    )
    best = int(alone.argmax())
    by = float(alone[best] - together.sum())
    others = np.arange(parts.size) != best
    x, q = now[others].sum(axis=0)[None], _mixed(shares[others], now[others])[None]
    wider = 1.0 + float(x.sum() / max(normal[others].sum(), 1.0))  # what is normal varies, too
    rest = float(_gains(x, q, _factors(x, q))[0]) / (phi * wider)
    quiet = rest <= free / 2 + _ERRORS * sqrt(free / 2)
    enough = 0.0 if known is not None and int(parts[best]) == known else _SURE
    if by >= enough and quiet:
        return Likeness(False, int(parts[best]), by)
    # A part that surely stayed as it was did not change with the others.
    return Likeness(by <= -_SURE and bool((together > -_SURE).all()), None, by)


def _shares(events: FloatArray) -> FloatArray:
    found: FloatArray = events / events.sum()
    return found


def _mixed(shares: FloatArray, now: FloatArray) -> FloatArray:
    """Return the normal shares of parts together, with as many events of each as there are now."""
    found: FloatArray = _shares((shares * now.sum(axis=1, keepdims=True)).sum(axis=0))
    return found


def _factors(x: FloatArray, p: FloatArray) -> FloatArray:
    """Return by what each bin's share was multiplied; half an event a bin is as normally."""
    some = x.shape[-1] / 2
    found: FloatArray = (x + some * p) / ((x.sum() + some) * p)
    return found


def _gains(x: FloatArray, p: FloatArray, factors: FloatArray) -> FloatArray:
    """Return how much likelier each row of events is with the factors than without, shape (S,)."""
    total = (p * factors).sum(axis=-1, keepdims=True)
    found: FloatArray = (x * np.log(factors / total)).sum(axis=-1)
    return found
