"""Types of fields that verdicts and alerts share, or whose meaning takes several lines."""

from __future__ import annotations

from typing import Annotated, Any

from driftline.consumer.wire.meaning import means

Number = float | int | None

_COUNTS = {"type": "array", "items": {"type": "integer"}}
_NAMES = {"type": "array", "items": {"type": "string"}}
_MATRIX = {"type": "array", "items": _COUNTS}
_BINS: dict[str, Any] = {
    "properties": {
        "upper": {"type": "array", "items": {"type": "number"}},
        "categories": _NAMES,
        "reference": _COUNTS,
        "window": _COUNTS,
    },
    "required": ["reference", "window"],
}
_CONFUSION: dict[str, Any] = {
    "properties": {"classes": _NAMES, "reference": _MATRIX, "window": _MATRIX},
    "required": ["classes", "reference", "window"],
}

Stream = Annotated[str, means("The model, or `model/tag=value` for one segment of it.")]
Model = Annotated[str, means("Name of the model.")]
Segment = Annotated[str | None, means("`tag=value`; null for the whole model.")]
Feature = Annotated[
    str | None,
    means(
        "A feature, `prediction.score`, `prediction.label` or `performance.<metric>`; null where it"
        " is about the whole model, or about many features."
    ),
]
ValueType = Annotated[
    str,
    means(
        "Of its values: `numeric`, `categorical` or `boolean`; `performance`; `events`; or `joint`."
    ),
]
AlertedType = Annotated[
    str | None, means("As in a verdict; null where it is about the whole model.")
]
Versions = Annotated[
    dict[str, int],
    means("Events by model version: the five most frequent, the rest as `__other__`.", "events"),
]
Counts = Annotated[
    dict[str, int] | None,
    means(
        "Events by what their value was (`valid`, `missing`, `absent`, `invalid`, `unseen`,"
        " `out_of_range`); of performance, predictions by their label (`labelled`, `waiting`,"
        " `expired`, `unused`). Null where nothing was counted.",
        "events",
    ),
]
Effect = Annotated[
    Number,
    means(
        "How large the change is: PSI less its bias; of how many events came, the share that is"
        " missing or too much. Null of performance.",
        "nats",
    ),
]
PValue = Annotated[Number, means("Its p-value; null where it has no law.", "share")]
Threshold = Annotated[
    Number, means("What the value is compared with; null where no rule looks at it.", "as value")
]
Interval = Annotated[
    tuple[Number, Number] | None,
    means("Of a metric of performance: its 95 % interval.", "as value"),
]
Normal = Annotated[
    Number,
    means(
        "Of a metric of performance: its value in the reference; of how many events came: the"
        " number that is normal.",
        "as value",
    ),
]
Rows = Annotated[
    tuple[int, int] | None,
    means("Numbers of the first and the last row, of a file without times.", "rows"),
]
Bins = Annotated[
    dict[str, Any] | None,
    means(
        "`upper` ends of bins, or `categories`, and the events of each in the `reference` and the"
        " `window`. Null where nothing was counted.",
        "events",
        **_BINS,
    ),
]
Confusion = Annotated[
    dict[str, Any] | None,
    means(
        "Of accuracy: `classes`, and predictions [actual][predicted] in the `reference` and the"
        " `window`. The last column is another class, or none.",
        "events",
        **_CONFUSION,
    ),
]
