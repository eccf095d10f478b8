"""Whether a change is large enough to tell people of; it only takes alarms away.

Evidence grows without bound for a change of any size. An alarm also needs one of these: the
bias-corrected PSI since the change began, or what one direction has of it, is `min_effect` or more;
that of the last panes against the reference is so surely; or an outer bin's share has at least
doubled.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from driftline.detectors.grid import FloatArray

RECENT = (10, 20, 50)
"""Numbers of last panes that are compared with the reference."""

MOSTLY = 0.5
"""Part of the PSI from which on a change is one of outer values."""

_HALF = 0.5
_SURE = 2.33  # standard errors: 99 %
_TIMES_AS_LIKELY = 100.0
_TIMES, _RISE, _ERRORS = 2.0, 0.003, 3.0  # of an outer bin's share
_OUTER = (0.012, 0.0024)  # bins that hold about 1 % and .2 %


def pane_psi(window: FloatArray, normal: FloatArray, phi: float = 1.0) -> float:
    """Return the bias-corrected PSI of a feature's bins, in nats.

    A bin that is empty on both sides says nothing and counts for none: numbers with ties have one
    between every two of them.

    Args:
        window: events per bin, shape (B,).
        normal: what is known of the normal shares, as if events, shape (B,): positive.
        phi: how many events tell as much as one independent one.

    Example:
        >>> round(pane_psi(np.array([60.0, 40.0]), np.array([5000.0, 5000.0])), 3)
        0.03
    """
    window, normal = _occupied(window, normal)
    n, m = float(window.sum()), float(normal.sum())
    p = normal / m
    q = (window + _HALF) / (n + _HALF * window.size)
    return float(((q - p) * np.log(q / p)).sum()) - phi * (window.size - 1) * (1.0 / n + 1.0 / m)


def chance_psi(n: float, bins: int, phi: float = 1.0) -> float:
    """Return by how much `pane_psi` of n events varies where nothing changed, nats.

    Its standard deviation is that of chi-square with bins - 1 degrees of freedom, over n / phi.

    Example:
        >>> round(chance_psi(1000.0, 16), 4), round(chance_psi(1000.0, 16, 5.0), 4)
        (0.0055, 0.0274)
    """
    return phi * float(np.sqrt(2.0 * (bins - 1))) / n if n else np.inf


def change_psi(
    window: FloatArray, normal: FloatArray, scores: FloatArray, phi: FloatArray
) -> float:
    """Return `pane_psi`, or the part of it that one direction surely has, if that is more.

    The phi of all directions together may hide what is in one: a feature whose location varies from
    pane to pane, as over a day, can have another scale all the same. PSI is about the sum over b of
    (q_b - p_b)^2 / p_b, of which a direction has (sum of h_b (q_b - p_b))^2. Of that counts what is
    sure by the direction's own phi (99 %), and no more than the PSI of independent events.

    Args:
        window: events per bin, shape (B,).
        normal: as in `pane_psi`, shape (B,).
        scores: h of the bins in each direction, with mean 0 and variance 1, or all 0, shape (D, B).
        phi: of each direction, and of all together, shape (D + 1,).

    Example:
        >>> normal, scores = np.full(4, 2500.0), np.array([[-1.0, -1.0, 1.0, 1.0]])
        >>> window, phi = np.array([200.0, 200.0, 300.0, 300.0]), np.array([1.0, 9.0])
        >>> round(pane_psi(window, normal, 9.0), 3)
        0.011
        >>> round(change_psi(window, normal, scores, phi), 3)
        0.015
    """
    whole = pane_psi(window, normal, float(phi[-1]))
    n, m = float(window.sum()), float(normal.sum())
    moved = np.abs(scores @ (window / n - normal / m))[scores.any(axis=1)]
    error = np.sqrt(phi[:-1][scores.any(axis=1)] * (1.0 / n + 1.0 / m))
    sure = np.maximum(moved - _SURE * error, 0.0) ** 2
    most = float(sure.max(initial=0.0))
    return max(whole, min(most, pane_psi(window, normal))) if most else whole


def surely(window: FloatArray, normal: FloatArray, least: float, phi: float = 1.0) -> bool:
    """Return whether the lower 99 % bound of `pane_psi` is `least` or more."""
    window, normal = _occupied(window, normal)
    found, bins = pane_psi(window, normal, phi), window.size
    v = phi * (1.0 / float(window.sum()) + 1.0 / float(normal.sum()))
    error = np.sqrt(4.0 * max(found, 0.0) * v + 2.0 * (bins - 1) * v * v)
    return bool(found - _SURE * error >= least)


def is_back(
    now: FloatArray, normal: FloatArray, changed: FloatArray, usual: FloatArray, phi: float = 1.0
) -> bool:
    """Return whether events are 100 times as likely if all is normal as if a change goes on.

    So the end of a change that is hardly large enough to tell of needs many events, as its alarm
    did, and one that is large needs few.

    Args:
        now: events per bin, shape (B,).
        normal: what is normal of them, as in `pane_psi`, shape (B,).
        changed: events per bin since the change, before `now`, shape (B,).
        usual: what is normal of those, which follow a cycle to another hour, shape (B,).
        phi: how many events tell as much as one independent one.

    Example:
        >>> normal, now = np.full(4, 25_000.0), np.array([50.0, 50.0, 50.0, 50.0])
        >>> small, large = np.array([55.0, 45.0, 55.0, 45.0]), np.array([90.0, 10.0, 90.0, 10.0])
        >>> [is_back(now * n, normal, small * n, normal) for n in (1, 50)]
        [False, True]
        >>> is_back(now, normal, large, normal)
        True
    """
    p, share = normal / normal.sum(), usual / usual.sum()
    risen = (changed + share * changed.size) / (share * (changed.sum() + changed.size))
    q = p * risen
    gain = float((now * np.log(q.sum() / risen)).sum()) / phi
    # By chance the shares of few events are as far from those of others.
    gain -= float(now.sum()) * (p.size - 1) / (2.0 * float(changed.sum() + changed.size))
    return bool(gain >= np.log(_TIMES_AS_LIKELY))


def _occupied(window: FloatArray, normal: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the bins in which either side has an event."""
    there = (normal >= 1.0) | (window > 0.0)
    return window[there], normal[there]


@dataclass(frozen=True)
class Outer:
    """An outer part of a number's values of which more events came.

    Attributes:
        low: bins before this one are in it; None: none at the lower end.
        high: bins from this one on are in it; None: none at the upper end.
        normal, now: its share of the events, 0 to 1.
        weight: its part of the uncorrected PSI of all bins, 0 to 1.
    """

    low: int | None
    high: int | None
    normal: float
    now: float
    weight: float

    def goes_on(self, window: FloatArray) -> bool:
        """Return whether a window is more likely with the present share than with the normal one.

        Args:
            window: events per bin, shape (B,).
        """
        n = float(window.sum())
        outer = n - float(window[self.low or 0 : self.high].sum())
        return bool(outer * np.log(self.now / self.normal) > n * (self.now - self.normal))


def outer_rise(window: FloatArray, normal: FloatArray, phi: float = 1.0) -> Outer | None:
    """Return which outer part holds at least twice its share, and surely more; None: none does.

    Of the lower, the upper or both ends that hold about 1 % or .2 % of the events.

    Args:
        window: events per bin of a number, shape (B,).
        normal: what is known of the normal shares, as if events, shape (B,): positive.
        phi: how many events tell as much as one independent one.

    Example:
        >>> outer = outer_rise(np.array([10.0, 950.0, 40.0]), np.array([100.0, 9800.0, 100.0]))
        >>> outer.low, outer.high, outer.normal, outer.now
        (None, 2, 0.01, 0.04)
    """
    n, m = float(window.sum()), float(normal.sum())
    p, q = normal / m, (window + _HALF) / (n + _HALF * window.size)
    terms = (q - p) * np.log(q / p)

    def rise(first: int, last: int) -> Outer | None:
        outer = np.r_[:first, last : p.size]
        q0, q1 = float(p[outer].sum()), float(window[outer].sum()) / n
        error = np.sqrt(phi * q0 * (1.0 - q0) * (1.0 / n + 1.0 / m))
        if q0 == 0.0 or q1 < _TIMES * q0 or q1 - q0 < max(_RISE, _ERRORS * error):
            return None
        weight = float(terms[outer].sum() / terms.sum())
        return Outer(first or None, last if last < p.size else None, q0, q1, weight)

    below, above = np.cumsum(p), np.cumsum(p[::-1])
    for share in _OUTER:
        first, last = int((below <= share).sum()), p.size - int((above <= share).sum())
        low, high, both = rise(first, p.size), rise(0, last), rise(first, last)
        if both is not None and (low is None) == (high is None):
            return both
        if low is not None or high is not None:
            return low or high
    return None


def tails_doubled(window: FloatArray, normal: FloatArray, phi: float = 1.0) -> bool:
    """Return whether an outer part of a number has at least twice its share: see `outer_rise`.

    Example:
        >>> normal = np.array([100.0, 9800.0, 100.0])
        >>> tails_doubled(np.array([10.0, 950.0, 40.0]), normal)
        True
        >>> tails_doubled(np.array([10.0, 975.0, 15.0]), normal)
        False
    """
    return outer_rise(window, normal, phi) is not None
