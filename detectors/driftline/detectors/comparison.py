"""Compare the counts of a window with a reference: all detectors over all features at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from driftline.detectors.baseline import Baseline
from driftline.detectors.counts import ABSENT, EXTRA_CELLS, INVALID, MISSING
from driftline.detectors.features.cells import Cells, Result
from driftline.detectors.features.chi_square import chi_square
from driftline.detectors.features.distance import distances
from driftline.detectors.features.jensen_shannon import jensen_shannon
from driftline.detectors.features.ks import ks
from driftline.detectors.features.psi import psi
from driftline.detectors.features.rates import rate
from driftline.detectors.features.wasserstein import wasserstein
from driftline.detectors.grid import FloatArray, IntArray
from driftline.detectors.rounding import significant

DETECTORS = ("ks", "psi", "chi_square", "jensen_shannon", "wasserstein")
RATES = ("missing", "invalid", "unseen", "out_of_range")


@dataclass(frozen=True)
class Comparison:
    """What the detectors say of every feature; arrays of shape (F,) in layout order.

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
        detectors: name to result: ks and wasserstein for numeric features, chi_square for the
            others and for numeric ones of few values, psi and jensen_shannon for all; rates missing
            (null or no key) and invalid for all, unseen for categorical, out_of_range for numeric
            features. NaN elsewhere.
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
        """How many tests of a feature's distribution share its level, shape (F,).

        `ks` and `chi_square` of a numeric feature of few values have half of it each.
        """
        both = [~np.isnan(self.detectors[name].value) for name in ("ks", "chi_square")]
        return 1 + (both[0] & both[1]).astype(np.int64)

    @property
    def effect(self) -> FloatArray:
        """Bias-corrected PSI, shape (F,): one scale for all features; NaN without events."""
        return self.detectors["psi"].value


def compare(
    baseline: Baseline, window: IntArray, alpha: ArrayLike, rate_alpha: ArrayLike | None = None
) -> Comparison:
    """Judge one window.

    Args:
        baseline: the stream's reference.
        window: flat counts of the window, shape (layout.size,).
        alpha: level of one test per feature, shape (F,) or a scalar.
        rate_alpha: level of each rate's test, likewise; None: `alpha`.

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
    layout, count = baseline.layout, len(baseline.layout.features)
    level = np.broadcast_to(np.asarray(alpha, np.float64), (count,))
    rate_level = level
    if rate_alpha is not None:
        rate_level = np.broadcast_to(np.asarray(rate_alpha, np.float64), (count,))
    numeric = np.arange(count) < layout.numeric
    binned = baseline.bin_counts(window)
    cells = Cells(baseline.owner, baseline.binned[baseline.valued], binned[baseline.valued], count)
    results = {"psi": psi(cells, level), "jensen_shannon": jensen_shannon(cells, level)}

    shared = level / np.where(baseline.few, 2, 1)  # as `Comparison.tests` says
    other = (~numeric | baseline.few)[cells.owner]
    categories = Cells(cells.owner[other], cells.reference[other], cells.window[other], count)
    results["chi_square"] = chi_square(categories, shared, baseline.unseen[other])

    padding = np.full(count - layout.numeric, np.nan)
    largest, area = distances(layout, baseline.cdf, window, cells.n[: layout.numeric])
    m = np.where(cells.judged & numeric, cells.m, np.nan)
    results["ks"] = ks(np.concatenate([largest, padding]), cells.n, m, shared)
    results["wasserstein"] = wasserstein(np.concatenate([area, padding]))

    now = count_kinds(baseline, window, binned)
    normal = count_kinds(baseline, baseline.counts, baseline.binned)
    events = int(now["events"][0])  # of the whole window, so the same for every feature
    bad, normally_bad = (
        np.concatenate([bad_events(name, kinds, baseline) for name in RATES])
        for kinds in (now, normal)
    )
    rates = rate(bad, events, normally_bad, baseline.events, np.tile(rate_level, len(RATES)))
    for i, name in enumerate(RATES):
        own = slice(i * count, (i + 1) * count)
        results[name] = Result(rates.value[own], rates.p_value[own], rates.threshold[own])
    return Comparison(**now, detectors=_rounded(results))


def count_kinds(baseline: Baseline, flat: IntArray, binned: IntArray) -> dict[str, IntArray]:
    """Count events of each kind per feature: the integer fields of `Comparison`.

    Args:
        baseline: says where the bins are.
        flat: flat counts.
        binned: the same counts per bin.
    """
    layout = baseline.layout
    begin, end = layout.starts[:-1], layout.starts[1:]
    extra = {
        name: binned[baseline.first[1:] - EXTRA_CELLS + cell]
        for name, cell in (("missing", MISSING), ("absent", ABSENT), ("invalid", INVALID))
    }
    valid = np.add.reduceat(np.where(baseline.valued, binned, 0), baseline.first[:-1])
    numeric = np.arange(begin.size) < layout.numeric
    lowest, last = flat[begin], flat[end - EXTRA_CELLS - 1]
    ranged = end - begin > 1 + EXTRA_CELLS  # without a grid there is no range to be out of
    return {
        "events": valid + sum(extra.values()),
        "valid": valid,
        **extra,
        "unseen": np.where(numeric, 0, last),
        "out_of_range": np.where(numeric & ranged, lowest + last, 0),
    }


def bad_events(name: str, kinds: dict[str, IntArray], baseline: Baseline) -> FloatArray:
    """Events that count as bad for a rate, NaN for features it does not apply to."""
    features = baseline.layout.features
    if name == "missing":
        return (kinds["missing"] + kinds["absent"]).astype(np.float64)
    if name == "invalid":
        return kinds["invalid"].astype(np.float64)
    wanted = "categorical" if name == "unseen" else "numeric"
    applies = np.array([feature.type == wanted for feature in features])
    return np.where(applies, kinds[name], np.nan)


def _rounded(results: dict[str, Result]) -> dict[str, Result]:
    """Round all of them at once: that costs little more than one."""
    parts = significant([(r.value, r.p_value, r.threshold) for r in results.values()])
    return {name: Result(*rounded) for name, rounded in zip(results, parts, strict=True)}
