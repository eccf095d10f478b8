"""A metric's value with its 95 % interval, and the two laws that intervals come from."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isnan, nan, sqrt
from typing import Self

from driftline.detectors.rounding import significant

NORMAL = 1.959963984540054  # 97.5 % quantile of the standard normal law
_SAME = 1e-4  # of a width, by which two intervals may differ that are the same


@dataclass(frozen=True)
class Figure:
    """A metric in one window.

    Attributes:
        value: in the metric's unit; NaN where it has none, such as the precision of a model that
            never said yes.
        low: lower end of the interval that holds the true value with 95 %; NaN where there is none.
        high: upper end, likewise.
        n: pairs that the value rests on.
    """

    value: float
    low: float
    high: float
    n: int

    @classmethod
    def of(cls, value: float, low: float, high: float, n: int) -> Self:
        """Make a figure of 10 significant digits."""
        value, low, high = significant([value, low, high]).tolist()
        return cls(value, low, high, n)

    @classmethod
    def none(cls, n: int = 0) -> Self:
        """Make a figure without a value."""
        return cls(nan, nan, nan, n)

    @property
    def variance(self) -> float:
        """Variance of the value, of which its interval was made; NaN where there is none."""
        trials = self._trials()
        if trials is not None:
            return self.value * (1.0 - self.value) / trials
        half = max(self.value - self.low, self.high - self.value)  # one end may have been cut
        return (half / NORMAL) ** 2

    def widened(self, phi: float, least: float = -inf, most: float = inf) -> Self:
        """Return the figure with the interval of events that vary `phi` times as much as chance.

        Args:
            phi: at least 1; a phi-th of the events is counted.
            least: smallest possible value, at which the interval is cut.
            most: largest possible value, likewise.

        Example:
            >>> share_figure(0.9, 0.09 / 400, 400, 400).widened(4.0)
            Figure(value=0.9, low=0.8256343385, high=0.9447708629, n=400)
            >>> share_figure(0.9, 0.09 / 100, 400, 100)
            Figure(value=0.9, low=0.8256343385, high=0.9447708629, n=400)
            >>> mean_figure(2.0, 0.5, 100).widened(4.0, least=0.0)
            Figure(value=2.0, low=0.040036016, high=3.959963984, n=100)
        """
        if not phi > 1.0 or isnan(self.low) or isnan(self.high):
            return self
        trials = self._trials()
        if trials is not None:
            return self.of(self.value, *share_interval(self.value, trials / phi), self.n)
        half = max(self.value - self.low, self.high - self.value) * sqrt(phi)
        low, high = max(self.value - half, least), min(self.value + half, most)
        return self.of(self.value, low, high, self.n)

    def _trials(self) -> float | None:
        """Return the trials of which Wilson's interval is this one; None where none is."""
        half, spread = (self.high - self.low) / 2.0, self.value * (1.0 - self.value)
        if not (spread >= 0.0 and 0.0 < half < 0.5):
            return None
        # With u = z^2 / trials: half^2 (1 + u)^2 = u spread + u^2 / 4.
        a, b, c = 0.25 - half**2, spread - 2.0 * half**2, half**2
        u = 2.0 * c / (b + sqrt(b * b + 4.0 * a * c))
        trials = NORMAL * NORMAL / u
        low, high = share_interval(self.value, trials)
        same = abs(low - self.low) < _SAME * half and abs(high - self.high) < _SAME * half
        return trials if same else None


def mean_figure(
    value: float, error: float, n: int, least: float = -float("inf"), most: float = float("inf")
) -> Figure:
    """Make the figure of a value that is normal about the truth.

    Args:
        value: the estimate.
        error: its standard error; NaN: no interval.
        n: pairs.
        least: smallest possible value, at which the interval is cut.
        most: largest possible value, likewise.

    Example:
        >>> mean_figure(2.0, 0.5, 100)
        Figure(value=2.0, low=1.020018008, high=2.979981992, n=100)
    """
    # Cut with comparisons that let NaN through.
    low, high = value - NORMAL * error, value + NORMAL * error
    return Figure.of(value, least if low < least else low, most if high > most else high, n)


def share_interval(share: float, trials: float) -> tuple[float, float]:
    """Return Wilson's interval of a share: never empty, never beyond 0 and 1.

    Source: Wilson, "Probable inference, the law of succession, and statistical inference", Journal
    of the American Statistical Association 22, 1927.

    Args:
        share: 0 to 1.
        trials: number of trials it was seen in, above 0; need not be whole.

    Example:
        >>> low, high = share_interval(1.0, 20)
        >>> round(low, 3), high
        (0.839, 1.0)
    """
    z = NORMAL * NORMAL / trials
    middle = (share + z / 2.0) / (1.0 + z)
    half = sqrt(z * share * (1.0 - share) + z * z / 4.0) / (1.0 + z)
    return max(middle - half, 0.0), min(middle + half, 1.0)


def share_figure(value: float, variance: float, n: int, trials: float) -> Figure:
    """Make the figure of a metric that lies in 0 to 1.

    Wilson's interval for as many trials as would give a share this variance. (Dean and Pagano,
    "Evaluating confidence interval methods for binomial proportions in clustered surveys", Journal
    of Survey Statistics and Methodology 3, 2015.) For a plain share it is the plain interval.

    Args:
        value: the estimate.
        variance: its variance; NaN: no interval.
        n: pairs.
        trials: of a value without variance, such as a perfect one.

    Example:
        >>> share_figure(0.5, 0.25 / 100, 100, 100)
        Figure(value=0.5, low=0.4038315304, high=0.5961684696, n=100)
    """
    if isnan(value):
        return Figure.none(n)
    effective = value * (1.0 - value) / variance if variance > 0.0 else trials
    if isnan(variance) or not effective > 0.0:
        return Figure.of(value, nan, nan, n)
    return Figure.of(value, *share_interval(value, effective), n)
