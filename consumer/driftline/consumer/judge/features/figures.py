"""What a record says of one feature: its detectors' figures."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan

import numpy as np

from driftline.consumer.judge.features.rules import Ruling
from driftline.consumer.wire.records import STATES, DetectorValue
from driftline.detectors import DETECTORS, RATES, Comparison, FeatureType

_ORDER = [
    (detector.name, detector.always, detector.types)
    for detector in sorted(
        DETECTORS.values(), key=lambda each: (each.name in RATES, not each.budget)
    )
]


def figures_of(
    found: Comparison,
    f: int,
    kind: FeatureType,
    rulings: Sequence[Ruling],
    wanted: str | None = None,
) -> dict[str, DetectorValue]:
    """Return the figures of feature `f`: what the budget tests, others, rates.

    A rate of 0 is left out unless it is `wanted`, and so is a detector that is not always computed
    unless a rule names it.
    """
    levels: dict[str, int] = {}
    limits: dict[str, float] = {}
    for ruling in rulings:
        looked_at = ruling.rule.detectors[f]
        if looked_at is None:
            continue
        levels[looked_at] = max(levels.get(looked_at, 0), int(ruling.levels[f]))
        limit = ruling.rule.limit
        if limit is not None and limit.on == "value":
            lowest = limit.warning if limit.warning is not None else limit.critical
            if lowest is not None:
                limits[looked_at] = min(limits.get(looked_at, np.inf), lowest)
    figures: dict[str, DetectorValue] = {}
    for name, always, types in _ORDER:
        if not (always or name in levels):
            continue
        result = found.detectors[name]
        value = float(result.value[f])
        if name in RATES and not value > 0 and not levels.get(name) and name != wanted:
            continue
        if isnan(value) and kind not in types:
            continue
        figures[name] = DetectorValue.of(
            value,
            float(result.p_value[f]),
            limits.get(name, float(result.threshold[f])),
            STATES[levels[name]] if name in levels and not isnan(value) else None,
        )
    return figures
