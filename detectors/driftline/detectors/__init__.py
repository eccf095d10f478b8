"""Statistics of drift over integer counts: no I/O, no clock, no randomness.

Build a `Reference` once (`build_reference`), count the stream in its layout (`count_columns`), add
counts as needed, and `compare` them with a `Baseline`. `report` does all of it for arrays.
"""

from driftline.errors import DriftlineError

from .baseline import Baseline, Bins, few_values
from .budget import level
from .build import build_reference
from .cells import Result
from .columns import FeatureColumn, encode
from .compare import DETECTORS, RATES, Comparison, compare
from .counts import Columns, Feature, FeatureType, Layout, count_columns
from .grid import choose_grid, count_slots
from .psi import quiet_share
from .rate_effect import normal_rates, rate_effect
from .reference import OTHER, Reference, ReferenceError  # noqa: A004 - the operator's word for it
from .report import FeatureReport, report
from .rounding import significant

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
