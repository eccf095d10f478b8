"""Columns in, comparison out: drift of a batch of data without Kafka."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from driftline.detectors.baseline import Baseline, Bins
from driftline.detectors.columns import FeatureColumn, encode
from driftline.detectors.comparison import compare
from driftline.detectors.counts import count_columns
from driftline.detectors.reference import Reference
from driftline.detectors.registry import DETECTORS, FeatureType


class DetectorFinding(NamedTuple):
    """One detector on one feature; None where there is no such number."""

    value: float
    p_value: float | None
    threshold: float | None


@dataclass(frozen=True)
class FeatureReport:
    """One feature of the batch against the reference.

    Attributes:
        type: numeric, categorical or boolean.
        counts: events of each kind: valid + missing + absent + invalid are all.
        effect: bias-corrected PSI; None without events.
        detectors: the detectors that apply and have a value.
        bins: counts of both sides.
    """

    type: FeatureType
    counts: dict[str, int]
    effect: float | None
    detectors: dict[str, DetectorFinding]
    bins: Bins


def report(
    reference: Reference, features: Mapping[str, FeatureColumn], alpha: float = 0.001
) -> dict[str, FeatureReport]:
    """Compare columns with a reference.

    Args:
        reference: from `build_reference` or a file.
        features: at least one column, all of one length. Columns that the reference does not name
            are left out; features without a column are absent in every event.
        alpha: level of one test, for the thresholds.

    Returns:
        A report per feature of the reference.

    Raises:
        ValueError: a column's type is not the reference's.

    Example:
        >>> from driftline.detectors.build import build_reference
        >>> rng = np.random.default_rng(7)
        >>> before = FeatureColumn("numeric", rng.normal(0, 1, 20_000))
        >>> reference = build_reference("churn", {"age": before})
        >>> found = report(reference, {"age": FeatureColumn("numeric", rng.normal(1, 1, 1_000))})
        >>> found["age"].effect > 0.5, found["age"].detectors["ks"].p_value < 1e-9
        (True, True)
    """
    layout = reference.layout
    window = count_columns(layout, encode(layout, features))
    baseline = Baseline(layout, reference.counts[0])
    compared = compare(baseline, window, alpha, also=DETECTORS)
    return {
        feature.name: FeatureReport(
            type=feature.type,
            counts=compared.counts(f),
            effect=_number(compared.effect[f]),
            detectors={
                name: DetectorFinding(
                    float(result.value[f]),
                    _number(result.p_value[f]),
                    _number(result.threshold[f]),
                )
                for name, result in compared.detectors.items()
                if not np.isnan(result.value[f])
            },
            bins=baseline.bins(f, window),
        )
        for f, feature in enumerate(layout.features)
    }


def _number(x: float) -> float | None:
    return None if np.isnan(x) else float(x)
