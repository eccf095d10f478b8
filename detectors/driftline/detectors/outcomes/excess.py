"""A regression's realised errors against those that the inputs of the same events let expect.

Where the errors are larger, the same inputs turn out otherwise than in the reference: the concept
drifted, and estimates can no longer be trusted.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import nan, sqrt

from driftline.detectors import special
from driftline.detectors.grid import IntArray
from driftline.detectors.outcomes.counting import moment_unit
from driftline.detectors.outcomes.figure import Figure, mean_figure
from driftline.detectors.outcomes.fixed_point import total
from driftline.detectors.outcomes.layout import EXPECTED, OutcomeLayout
from driftline.detectors.rounding import significant


@dataclass(frozen=True)
class ErrorGap:
    """The result on one window; NaN where there is none.

    Attributes:
        figure: realised less expected mean absolute error, with its interval.
        realised, expected: both means, in the prediction's unit.
        p_value: probability of so much larger errors, or larger ones, if nothing changed.
    """

    figure: Figure
    realised: float
    expected: float
    p_value: float

    @property
    def effect(self) -> float:
        """By what part the errors are larger than expected; below 0 if they are smaller."""
        return self.figure.value / self.expected if self.expected > 0.0 else nan


@dataclass(frozen=True)
class _Sums:
    """Of n events the mean expected error and the excess over it: mean and variance of one."""

    n: int
    expected: float
    excess: float
    variance: float


def error_gap(
    layout: OutcomeLayout, counts: IntArray, reference: IntArray, phi: float = 1.0
) -> ErrorGap:
    """Compare the sizes of a window's residuals with what the inputs of the events let expect.

    The excess of an event is |residual| - h, h what the reference's error model expects for its
    inputs (`error_model.py`). Its mean is compared with that in the reference, which is 0 of the
    whole model; a segment may always have had other errors than its inputs say.

    Welch's test, one-sided: the difference of the means over its standard error, from the variances
    of window and reference, has Student's law with Welch's degrees of freedom. Sizes of errors are
    skewed to the right, where a large mean comes with a large variance: so it is significant in
    fewer quiet windows than it says. (Welch, Biometrika 34, 1947. Simulated, windows of 50 to 2,000
    and references of 300 or 2,000 events, normal, exponential, t(3), log-normal and rare errors: at
    .001 significant in at most 1.0 of 1,000. Of errors that are mostly large and sometimes small,
    which are skewed to the left, in 7 of 1,000 windows of 50, and 1.4 of 1,000 of 500.)

    Args:
        layout: a regression's, with `errors`.
        counts: the window's flat counts, shape (layout.size,).
        reference: the reference's flat counts of the same stream, shape (layout.size,).
        phi: how many times as much as independent events those of both vary, at least 1: a phi-th
            is counted in the test. The figure's interval takes them as independent.

    Example:
        >>> import numpy as np
        >>> from dataclasses import replace
        >>> from driftline.detectors.outcomes.counting import OutcomeRows, count_outcomes
        >>> size, codes = np.tile([1.0, 2.0, 3.0], 200), np.zeros(600, np.int32)
        >>> layout = replace(OutcomeLayout.regression(size, np.zeros(600)), errors="0" * 16)
        >>> normal, now = (
        ...     count_outcomes(layout, OutcomeRows(codes, own, np.zeros(600), expected))
        ...     for own in (size, 1.2 * size)
        ...     for expected in [np.full(600, 2.0) / layout.grid.scale]
        ... )
        >>> gap = error_gap(layout, now, normal)
        >>> gap.figure.value, gap.realised, gap.expected, round(gap.effect, 2), gap.p_value < 1e-9
        (0.4, 2.4, 2.0, 0.2, True)
    """
    none = ErrorGap(Figure.none(), nan, nan, nan)
    now, normal = _sums(layout, counts), _sums(layout, reference)
    if now is None or normal is None:
        return none
    value, expected = now.excess - normal.excess, now.expected + normal.excess
    # A small reference may lack the few large errors that make its mean uncertain.
    parts = [now.variance / now.n, max(now.variance, normal.variance) / normal.n]
    error = sqrt(sum(parts))
    p_value = nan
    if error > 0.0:
        freedom = sum(parts) ** 2 / sum(
            part**2 / (own.n - 1) for part, own in zip(parts, (now, normal), strict=True)
        )
        p_value = float(special.stdtr(max(freedom / phi, 1.0), -value / error / sqrt(phi)))
    return ErrorGap(
        mean_figure(value, error, now.n),
        *significant([expected + value, expected, p_value]).tolist(),
    )


def _sums(layout: OutcomeLayout, counts: IntArray) -> _Sums | None:
    """Read the sums; None of fewer than two events, whose spread is not known."""
    if layout.grid is None or layout.errors is None:
        return None
    n, unit = int(layout.view(counts, "estimated")[0]), layout.grid.scale
    if n < 2:
        return None
    cells = zip(layout.view(counts, "expected"), EXPECTED.values(), strict=True)
    expected, excess, square = (total(own, moment_unit(powers)) / n for own, powers in cells)
    variance = max(square - excess**2, 0.0) * n / (n - 1)
    return _Sums(n, expected * unit, excess * unit, variance * unit**2)
