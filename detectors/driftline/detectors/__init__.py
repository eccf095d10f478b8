"""Statistics of drift over integer counts: no I/O, no clock, no randomness.

Build a `Reference` once (`build_reference`), count the stream in its layout (`count_columns`), add
counts as needed, and `compare` them with a `Baseline`. `report` does all of it for arrays.
"""

from driftline.detectors.baseline import Baseline, Bins, few_values
from driftline.detectors.budget import level
from driftline.detectors.build import build_reference
from driftline.detectors.columns import FeatureColumn, encode
from driftline.detectors.compare import DETECTORS, RATES, Comparison, compare
from driftline.detectors.counts import Columns, Feature, FeatureType, Layout, count_columns
from driftline.detectors.features.cells import Result
from driftline.detectors.features.psi import quiet_share
from driftline.detectors.features.rate_effect import normal_rates, rate_effect
from driftline.detectors.grid import choose_grid, count_slots
from driftline.detectors.reference import OTHER, Reference
from driftline.detectors.report import FeatureReport, report
from driftline.detectors.rounding import significant
from driftline.errors import (
    DriftlineError,
    ReferenceError,  # noqa: A004 (the operator's word for it)
)

__all__ = [
    "DETECTORS",
    "OTHER",
    "RATES",
    "Baseline",
    "Bins",
    "Columns",
    "Comparison",
    "DriftlineError",
    "Feature",
    "FeatureColumn",
    "FeatureReport",
    "FeatureType",
    "Layout",
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
