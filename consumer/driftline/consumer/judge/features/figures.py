"""What a record says of one feature: its detectors' figures, and its events by kind."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan

import numpy as np

from driftline.consumer.judge.features.rules import STATES, Ruling
from driftline.consumer.wire.records import DetectorValue, number
from driftline.detectors import RATES, Comparison

_SHOWN = {
    "numeric": ("ks", "chi_square", "psi", "jensen_shannon", "wasserstein"),
    "categorical": ("chi_square", "psi", "jensen_shannon"),
    "boolean": ("chi_square", "psi", "jensen_shannon"),
}
_COUNTS = ("valid", "missing", "absent", "invalid", "unseen", "out_of_range")


def event_counts(found: Comparison, f: int) -> dict[str, int]:
    """Return the events of feature `f` by kind."""
    return {name: int(getattr(found, name)[f]) for name in _COUNTS}


def figures_of(
    found: Comparison, f: int, kind: str, rulings: Sequence[Ruling], wanted: str | None = None
) -> dict[str, DetectorValue]:
    """Return the figures of feature `f`; a rate of 0 is left out unless it is `wanted`."""
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
    for name in (*_SHOWN[kind], *RATES):
        result = found.detectors[name]
        value = float(result.value[f])
        if name in RATES and not value > 0 and not levels.get(name) and name != wanted:
            continue
        if isnan(value) and (name == "chi_square" and kind == "numeric"):
            continue  # it has many values in this stream
        figures[name] = DetectorValue(
            value=number(value),
            p_value=number(float(result.p_value[f])),
            threshold=number(limits.get(name, float(result.threshold[f]))),
            state=STATES[levels[name]] if name in levels and not isnan(value) else None,
        )
    return figures
