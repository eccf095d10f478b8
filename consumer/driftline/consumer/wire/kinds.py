"""The kinds of alerts."""

from __future__ import annotations

from typing import Literal

Kind = Literal[
    "feature_drift", "prediction_drift", "data_quality", "performance", "labels", "stale",
    "data_loss",
]  # fmt: skip
# Kinds that speak of a whole model, not of one feature.
ON_THE_WHOLE_MODEL: frozenset[Kind] = frozenset({"labels", "stale", "data_loss"})
