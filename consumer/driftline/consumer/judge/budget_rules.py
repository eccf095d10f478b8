"""The keys of the budget's rules, by which a life knows which rule fired."""

from __future__ import annotations

from driftline.consumer.wire.records import EVENTS
from driftline.detectors.registry import DETECTORS, RATES

VALUES = "budget"
FEW_VALUES = "budget: few values"
SEQUENTIAL = "sequential"
"""Of the evidence; also the name of its detector in records."""
RATE_RULES = {rate: f"budget: {rate}" for rate in RATES if DETECTORS[rate].budget}
"""Of each rate that the budget tests."""
BUDGET_RULES = frozenset({VALUES, FEW_VALUES, SEQUENTIAL, EVENTS, *RATE_RULES.values()})
"""All of them; every other rule is a limit of the user's, or speaks of the run."""
