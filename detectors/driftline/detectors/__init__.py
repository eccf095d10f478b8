"""Statistics of drift over integer counts: no I/O, no clock, no randomness.

Build a `Reference` once (`build_reference`), count the stream in its layout (`count_columns`), add
counts as needed, and `compare` them with a `Baseline`. `report` does all of it for arrays.

The table of detectors needs neither numpy nor scipy; the other names are imported when they are
first used.
"""

from typing import TYPE_CHECKING

from driftline.detectors.lazy import later
from driftline.detectors.registry import DETECTORS, RATES, Detector, FeatureType
from driftline.errors import (
    DriftlineError,
    ReferenceError,  # noqa: A004 (the operator's word for it)
)

if TYPE_CHECKING:
    from driftline.detectors.baseline import Baseline, Bins, few_values
    from driftline.detectors.batch import FeatureReport, report
    from driftline.detectors.budget import level
    from driftline.detectors.build import build_reference
    from driftline.detectors.columns import FeatureColumn, encode
    from driftline.detectors.comparison import Comparison, compare
    from driftline.detectors.counts import Columns, Feature, Layout, count_columns
    from driftline.detectors.features.cells import Result
    from driftline.detectors.features.rate_effect import normal_rates, rate_effect
    from driftline.detectors.grid import choose_grid, count_slots
    from driftline.detectors.quiet import QuietWindow, quiet_share
    from driftline.detectors.reference import OTHER, Reference
    from driftline.detectors.rounding import significant
else:
    _LATER = {
        "baseline": ("Baseline", "Bins", "few_values"),
        "batch": ("FeatureReport", "report"),
        "budget": ("level",),
        "build": ("build_reference",),
        "columns": ("FeatureColumn", "encode"),
        "comparison": ("Comparison", "compare"),
        "counts": ("Columns", "Feature", "Layout", "count_columns"),
        "features.cells": ("Result",),
        "features.rate_effect": ("normal_rates", "rate_effect"),
        "grid": ("choose_grid", "count_slots"),
        "quiet": ("QuietWindow", "quiet_share"),
        "reference": ("OTHER", "Reference"),
        "rounding": ("significant",),
    }
    __getattr__ = later(__name__, _LATER)


__all__ = [
    "DETECTORS",
    "OTHER",
    "RATES",
    "Baseline",
    "Bins",
    "Columns",
    "Comparison",
    "Detector",
    "DriftlineError",
    "Feature",
    "FeatureColumn",
    "FeatureReport",
    "FeatureType",
    "Layout",
    "QuietWindow",
    "Reference",
    "ReferenceError",
    "Result",
    "build_reference",
    "choose_grid",
    "compare",
    "count_columns",
    "count_slots",
    "encode",
    "few_values",
    "level",
    "normal_rates",
    "quiet_share",
    "rate_effect",
    "report",
    "significant",
]
