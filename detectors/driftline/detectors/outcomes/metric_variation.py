"""How many times as much a metric varies from pane to pane as its interval says.

An interval takes each event as a draw of its own. Where errors come together, in a bad hour or of
one customer, panes differ by more than that, and an interval, or a test, of n events is worth that
of n / phi.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import isnan, sqrt
from typing import Self

from driftline.detectors.outcomes.figure import Figure
from driftline.detectors.pane_lengths import LEAST_PANES

SOME_PANES = 10
"""Panes before which nothing at all is known."""

_APART = 4  # panes that are compared
_KEEP = 0.98  # what is left of a pane's weight with each that follows


@dataclass(frozen=True)
class MetricVariation:
    """How much one metric of a stream varies, as its panes tell it.

    phi is half the mean square of the difference of panes four apart, in units of chance: a change
    for good is four differences among many, and hides itself little (von Neumann 1941), and panes
    that are four apart seldom resemble each other for long. The last fifty panes have most of the
    weight.

    Attributes:
        panes: how many had a value.
        variance, events: sums of the variance of one event's value, each times the events of its
            pane, and of these events.
        last: values of the last panes, and their events, newest first.
        differences, weights: sums of the squares of differences in units of chance, each times its
            weight in events, and of these weights.
        squares: sum of the squares of the weights.

    Example:
        >>> from driftline.detectors.outcomes.figure import share_figure
        >>> steady, restless = MetricVariation(), MetricVariation()
        >>> for right in (0.80, 0.84, 0.77, 0.81, 0.79, 0.76, 0.83) * 5:
        ...     few, many = (share_figure(right, 0.16 / n, n, n) for n in (100, 1_000))
        ...     steady, restless = steady.add(few), restless.add(many)
        >>> steady.phi(), round(restless.phi(), 2), round(restless.cautious_phi(), 2)
        (1.0, 6.38, 9.68)
    """

    panes: int = 0
    variance: float = 0.0
    events: float = 0.0
    last: tuple[tuple[float, int], ...] = ()
    differences: float = 0.0
    weights: float = 0.0
    squares: float = 0.0

    def add(self, pane: Figure) -> Self:
        """Return the same with one more pane; without a value or an interval it says nothing."""
        if isnan(pane.value) or isnan(pane.variance) or not pane.n:
            return self
        variance = _KEEP * self.variance + pane.n**2 * pane.variance
        events = _KEEP * self.events + pane.n
        weight = square = 0.0
        if len(self.last) == _APART:
            value, n = self.last[-1]
            weight = pane.n * n / (pane.n + n)
            # Where nothing ever varied, nothing is compared.
            one = variance / events
            square = (weight * (pane.value - value)) ** 2 / one if one > 0.0 else weight
        return replace(
            self,
            panes=self.panes + 1,
            variance=variance,
            events=events,
            last=((pane.value, pane.n), *self.last)[:_APART],
            differences=_KEEP * self.differences + square,
            weights=_KEEP * self.weights + weight,
            squares=_KEEP**2 * self.squares + weight**2,
        )

    def apart(self) -> Self:
        """Return the same, of which no pane is compared with those to come."""
        return replace(self, last=())

    def phi(self) -> float | None:
        """Return phi, at least 1; None before 30 panes, or where none was compared."""
        if self.panes < LEAST_PANES or not self.weights:
            return None
        return max(self.differences / self.weights, 1.0)

    def cautious_phi(self) -> float | None:
        """Return phi with two standard errors, at least 1; None before 10, or as in `phi`."""
        if self.panes < SOME_PANES or not self.weights:
            return None
        error = sqrt(2.0 * self.squares) / self.weights
        return max(self.differences / self.weights * (1.0 + 2.0 * error), 1.0)
