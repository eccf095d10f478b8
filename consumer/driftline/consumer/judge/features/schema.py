"""What a rate of a feature says of its schema: it disappeared, changed type, has new values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from driftline.consumer.judge.sentence import Wording, disappeared, new_value, type_change
from driftline.consumer.wire.records import Contribution, number
from driftline.consumer.wire.samples import WindowSample, short
from driftline.detectors import Baseline, Comparison
from driftline.detectors.registry import BOOLEANS

_NORMALLY = {"numeric": "a number", "boolean": "a boolean", "categorical": "text"}
_LISTED = 5
_ALL = ("valid", "missing", "absent", "invalid")


@dataclass(frozen=True)
class SchemaChange:
    """How an alert on a rate is worded, and what it lists.

    Attributes:
        wording: the sentence.
        top: new values with their shares.
    """

    wording: Wording
    top: list[Contribution] = field(default_factory=list)


def schema_change(
    baseline: Baseline,
    normal: Mapping[str, NDArray[np.float64]],
    found: Comparison,
    f: int,
    rate: str,
    sample: WindowSample | None,
) -> SchemaChange | None:
    """Return what explains that a `rate` of feature `f` rose; None where the rate says it all.

    Args:
        baseline: the reference's counts.
        normal: its rates.
        found: the window's results.
        f: the feature.
        rate: missing, invalid, unseen or another.
        sample: of the window's events.
    """
    feature = baseline.layout.features[f]
    if rate == "missing":
        usual = 1 - float(normal[rate][f])
        return SchemaChange(disappeared(usual)) if usual > 0 and is_gone(found, f) else None
    if sample is None or rate not in ("invalid", "unseen"):
        return None
    now, before = float(found.detectors[rate].value[f]), float(normal[rate][f])
    name = short(feature.name)
    derivation = baseline.layout.derivations.get(feature.name)
    normally = _NORMALLY[feature.type] if derivation is None else derivation.holds
    if rate == "invalid":
        types = [seen.note.type for seen in sample.sightings("type", name)]
        if not types or types[0].endswith("not finite"):
            return None
        return _of_type(types[0], normally, now, before)
    seen = sample.sightings("value", name)
    if not seen:
        return None
    kinds = {each.note.type for each in seen}
    if len(kinds) == 1 and _is_foreign(kinds, feature.categories):
        return _of_type(kinds.pop(), normally, now, before)
    values = [each for each in seen if each.note.value]
    if not values:
        return None
    first = values[0]
    return SchemaChange(
        new_value(first.note.value, first.share, now, before, about=not first.exact),
        top=[
            Contribution(each.note.value, 0.0, number(each.share), None)
            for each in values[:_LISTED]
        ],
    )


def is_gone(found: Comparison, f: int) -> bool:
    """Return whether no event of a window has a feature."""
    counts = found.counts(f)
    return counts["absent"] == sum(counts[name] for name in _ALL)


def _of_type(now: str, normally: str, share: float, before: float) -> SchemaChange:
    wording = type_change(now, normally, share, before)
    return SchemaChange(wording)


def _is_foreign(kinds: set[str], categories: tuple[str, ...]) -> bool:
    """Return whether values are of a type that none of the listed categories could be of."""
    if kinds == {"a number"}:
        return not any(map(_is_number, categories))
    return kinds == {"a boolean"} and not {*BOOLEANS} & {*categories}


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
