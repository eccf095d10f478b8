"""How many times as much a share, or a difference of shares, varies from pane to pane as chance.

As `sequential.variation` tells of features: what comes in one hour resembles itself, so a pane of n
events tells no more than n / phi independent ones. Nothing is known of the share before: each pane
is compared with those before it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import sqrt
from typing import Self

LAGS = 4
_MOST_ALIKE = 0.9  # correlation of neighbouring panes that is allowed for


@dataclass(frozen=True)
class ShareVariation:
    """Sums over panes in the order of time, from which phi is estimated.

    Each pane's value less the mean of those before it, in units of what that difference would be by
    chance, is a recursive residual: these are independent of each other, with variance 1, whatever
    the mean is (Brown, Durbin and Evans 1975). A pane counts by its events, as it does in the mean.

    phi is the long-run variance of these residuals: the largest of their variance, of Bartlett's
    sum over four panes (Newey and West 1987), and of what the correlation of neighbours implies if
    it fades like a geometric series; at least 1. Two standard errors are added: of twenty panes
    one is not enough where neighbours resemble each other.

    Attributes:
        panes: how many were added.
        events, total: of these, and the sum of their values, each times its events.
        residuals, squares: sums of the events, and of their squares, of panes with a residual.
        products: sums of products of residuals, 0 to `LAGS` panes apart, each times its events.
        last: residuals of the last panes, each times the root of its events, newest first.

    Example:
        >>> steady = restless = ShareVariation()
        >>> for right in (80, 84, 77, 81, 79, 76, 83, 80) * 5:
        ...     steady = steady.add(right / 100, 100, 0.16)
        ...     restless = restless.add(right / 100, 1_000, 0.16)
        >>> steady.phi(), round(restless.phi(), 2)
        (1.0, 6.21)
    """

    panes: int = 0
    events: float = 0.0
    total: float = 0.0
    residuals: float = 0.0
    squares: float = 0.0
    products: tuple[float, ...] = (0.0,) * (LAGS + 1)
    last: tuple[float, ...] = (0.0,) * LAGS

    def add(self, value: float, events: float, variance: float) -> Self:
        """Return the sums with one more pane.

        Args:
            value: of the pane.
            events: that it rests on; a pane without any says nothing.
            variance: of one event's value, were they independent; above 0.
        """
        if not events:
            return self
        after = replace(
            self,
            panes=self.panes + 1,
            events=self.events + events,
            total=self.total + value * events,
        )
        if not self.panes:
            return after
        chance = variance * (1.0 / events + 1.0 / self.events)
        residual = (value - self.total / self.events) / sqrt(chance) * sqrt(events)
        products = (
            before + residual * other
            for before, other in zip(self.products, (residual, *self.last), strict=True)
        )
        return replace(
            after,
            residuals=self.residuals + events,
            squares=self.squares + events * events,
            products=tuple(products),
            last=(residual, *self.last[:-1]),
        )

    def add_share(self, before: tuple[int, int], pane: tuple[int, int]) -> Self:
        """Return the sums with one more pane of a share.

        Args:
            before: events that count, and all events, of the panes before.
            pane: the same of the pane.
        """
        counted, events = pane
        return self.add(counted / max(events, 1), events, chance_variance(before))

    def phi(self) -> float:
        """Estimate phi; 1 of fewer than three panes."""
        panes = self.panes - 1
        if panes < 2 or not self.products[0] > 0.0:
            return 1.0
        near = [product / self.residuals for product in self.products]
        alone = near[0] * panes / (panes - 1)
        run = alone + 2.0 * sum((1.0 - lag / (LAGS + 1)) * near[lag] for lag in range(1, LAGS + 1))
        alike = min(max(near[1] / near[0], 0.0), _MOST_ALIKE)
        found = max(alone, run, alone * (1.0 + alike) / (1.0 - alike))
        error = sqrt(2.0 * self.squares) / self.residuals
        return max(found * (1.0 + 2.0 * error), 1.0)


def chance_variance(before: tuple[int, int]) -> float:
    """Return the variance of one event of a share of all that were counted; above 0."""
    share = (before[0] + 0.5) / (before[1] + 1.0)
    return share * (1.0 - share)
