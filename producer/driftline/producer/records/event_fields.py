"""The fields of an event: their names in a native record, and the parts of an outcome."""

from __future__ import annotations

from collections.abc import Mapping as AnyMapping
from typing import Any

from driftline.producer.records.number_text import plain_number

ALIASES: dict[str, tuple[str, ...]] = {
    "event_id": ("prediction_id",),
    "features": ("inputs",),
    "prediction": ("outputs",),
    "actual": ("target", "label", "ground_truth"),
}
"""Other top-level names that a native record may use; the first name present wins."""

EVENT_FIELDS = (
    "event_id",
    "timestamp",
    "model",
    "model_version",
    "features",
    "prediction",
    "actual",
    "tags",
)


def rename_aliases(record: AnyMapping[str, Any]) -> dict[str, Any]:
    """Return the event fields of a native record under their own names; all others are left out.

    >>> rename_aliases({"inputs": {"amount": 1}, "target": 0, "trace": "x"})
    {'features': {'amount': 1}, 'actual': 0}
    """
    event = {}
    for field in EVENT_FIELDS:
        for name in (field, *ALIASES.get(field, ())):
            if name in record:
                event[field] = record[name]
                break
    return event


def split_outcome(value: object, numbers: bool = False) -> dict[str, Any]:
    """Return a prediction or actual as an object: a bare number is the score, else the label.

    An object is returned as it is; null, a list or anything else is an empty object.

    Args:
        value: as it was decoded.
        numbers: whether a text that is a number is one, and so the score.

    >>> split_outcome(0.93), split_outcome("fraud"), split_outcome({"label": True})
    ({'score': 0.93}, {'label': 'fraud'}, {'label': True})
    >>> split_outcome("0.93"), split_outcome("0.93", numbers=True)
    ({'label': '0.93'}, {'score': '0.93'})
    """
    if isinstance(value, dict):
        return value
    if isinstance(value, str):
        score = numbers and plain_number(value) is not None
        return {"score" if score else "label": value}
    if isinstance(value, bool):
        return {"label": value}
    if isinstance(value, int | float):
        return {"score": value}
    return {}
