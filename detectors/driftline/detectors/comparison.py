"""Compare the counts of a window with a reference: all detectors over all features at once."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from driftline.detectors.baseline import Baseline
from driftline.detectors.dispersion import DIRECTIONS, NONE, OTHER
from driftline.detectors.features.cells import Result
from driftline.detectors.features.rates import rate
from driftline.detectors.grid import FloatArray, IntArray
from driftline.detectors.registry import DETECTORS, EFFECT, RATES
from driftline.detectors.rounding import significant
from driftline.detectors.samples import Samples
from driftline.detectors.tables import code_of

_FIGURES: dict[str, Callable[[Samples], Result]] = {
    each.name: code_of(each, each.own_module).figures
    for each in DETECTORS.values()
    if each.name not in RATES
}
_ALWAYS = frozenset(name for name, detector in DETECTORS.items() if detector.always)
_SHARED = [each.name for each in DETECTORS.values() if each.budget and each.rate is None]

KINDS = ("valid", "missing", "absent", "invalid", "unseen", "out_of_range")
"""Kinds of events, fields of `Comparison`."""


@dataclass(frozen=True)
class Comparison:
    """What the detectors found for every feature; arrays of shape (F,) in layout order.

    Events of each kind, int64: valid + missing + absent + invalid = events, and unseen and
    out_of_range are part of valid.

    Attributes:
        events: events of the window.
        valid: events with a usable value.
        missing: null.
        absent: no such key.
        invalid: of a wrong type, or not finite.
        unseen: a category that the reference does not list.
        out_of_range: below the smallest or above the largest reference value.
        detectors: name to result, in the order of the table; NaN for features to which a detector
            does not apply.
    """

    events: IntArray
    valid: IntArray
    missing: IntArray
    absent: IntArray
    invalid: IntArray
    unseen: IntArray
    out_of_range: IntArray
    detectors: dict[str, Result]

    @property
    def tests(self) -> IntArray:
        """How many of the budget's tests of a feature's values share its level, shape (F,).

        Of a numeric feature of few values there are two, each with half of it.
        """
        made = sum(~np.isnan(self.detectors[name].value) for name in _SHARED)
        return np.maximum(made, 1)

    @property
    def effect(self) -> FloatArray:
        """Bias-corrected PSI, shape (F,): one scale for all features; NaN without events."""
        return self.detectors[EFFECT].value

    def counts(self, f: int) -> dict[str, int]:
        """Return the events of feature `f` by kind."""
        return {kind: int(getattr(self, kind)[f]) for kind in KINDS}


def compare(
    baseline: Baseline,
    window: IntArray,
    alpha: ArrayLike,
    rate_alpha: ArrayLike | None = None,
    also: Collection[str] = (),
    phi: FloatArray | None = None,
) -> Comparison:
    """Judge one window.

    Args:
        baseline: the stream's reference.
        window: flat counts of the window, shape (layout.size,).
        alpha: level of one test per feature, shape (F,) or a scalar.
        rate_alpha: level of each rate's test, likewise; None: `alpha`.
        also: names of detectors to compute of those that are not always computed.
        phi: how many times as much as independent events those of the window and of the reference
            vary, in each of `dispersion.DIRECTIONS`, shape (5, F), at least 1: n of them are tested
            as n / phi. None: events are independent.

    Returns:
        The comparison; every number is rounded to 10 significant digits, and is the same whichever
        features are compared together.

    Example:
        >>> from driftline.detectors.counts import Feature, Layout
        >>> layout = Layout.of([Feature("plan", "categorical", np.empty(0), ("free", "paid"))])
        >>> baseline = Baseline(layout, np.array([6000, 4000, 0, 0, 0, 0]))
        >>> found = compare(baseline, np.array([450, 540, 0, 10, 0, 0]), 0.001)
        >>> found.effect.round(4), found.detectors["chi_square"].p_value < 0.001
        (array([0.0843]), array([ True]))
        >>> found.detectors["missing"].value
        array([0.01])
    """
    count = len(baseline.layout.features)
    level = np.broadcast_to(np.asarray(alpha, np.float64), (count,))
    rate_level = level
    if rate_alpha is not None:
        rate_level = np.broadcast_to(np.asarray(rate_alpha, np.float64), (count,))
    times = np.ones((len(DIRECTIONS), count)) if phi is None else phi
    samples = Samples(baseline, window, level, times[OTHER])
    results = {
        name: figures(samples)
        for name, figures in _FIGURES.items()
        if name in _ALWAYS or name in also
    }

    now = baseline.count_kinds(window, samples.binned)
    events = int(now["events"][0])  # of the whole window, so the same for every feature
    bad = np.concatenate(list(baseline.bad_events(now).values()))
    normally_bad = np.concatenate([baseline.normally_bad[name] for name in RATES])
    m, levels = (np.tile(each, len(RATES)) for each in (baseline.feature_events, rate_level))
    vary = np.concatenate([times[OTHER if each.of_values else NONE] for each in RATES.values()])
    added = np.concatenate(
        [baseline.once if each.once else np.full(count, each.added) for each in RATES.values()]
    )
    rates = rate(bad, events, normally_bad, m, levels, vary, added)
    for i, name in enumerate(RATES):
        own = slice(i * count, (i + 1) * count)
        results[name] = Result(rates.value[own], rates.p_value[own], rates.threshold[own])
    return Comparison(**now, detectors=_rounded(results))


def _rounded(results: dict[str, Result]) -> dict[str, Result]:
    """Round all of them at once: that costs little more than one."""
    parts = significant([(r.value, r.p_value, r.threshold) for r in results.values()])
    return {name: Result(*rounded) for name, rounded in zip(results, parts, strict=True)}
