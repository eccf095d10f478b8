"""The schema of events and labels, its aliases, and its JSON Schema.

An event is one prediction; a label is the ground truth of an event, sent later:

    {"event_id": "a1", "timestamp": "2026-11-23T03:10:15.010Z", "model": "fraud-scorer",
     "model_version": "3.2", "features": {"amount": 12.5, "country": "DE", "age": null},
     "prediction": {"label": "fraud", "score": 0.93}, "actual": null, "tags": {"channel": "web"}}
    {"event_id": "a1", "timestamp": "2026-12-01T00:00:00Z", "actual": {"label": "ok"}}

Of an event only `features` or `prediction` is required. A missing `timestamp` is the Kafka
record's, a missing `model` the source's only model. `null`, an absent key and a value that is not
finite are three different things and are counted apart. Unknown top-level fields are ignored.

These models are the published schema and validate single records; the monitor itself reads events
with a decoder compiled from the reference, which accepts the same records.
"""

from __future__ import annotations

from collections.abc import Mapping as AnyMapping
from typing import Any, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    model_validator,
)

SCHEMA_VERSION = 1

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

Number = StrictInt | StrictFloat
Scalar = StrictBool | StrictInt | StrictFloat | StrictStr


class Outcome(BaseModel):
    """A prediction, or what really happened: a class, a number, or both."""

    model_config = ConfigDict(extra="ignore", allow_inf_nan=False)

    label: Scalar | None = Field(None, description="The class.")
    score: Number | None = Field(
        None, description="A number: the score of the positive class, or a regression's value."
    )
    probabilities: dict[str, Number | None] | None = Field(
        None, description="Probability of each class, 0 to 1."
    )


class _Record(BaseModel):
    model_config = ConfigDict(extra="ignore", allow_inf_nan=False)

    event_id: StrictStr | StrictInt | None = Field(
        None, description="Unique among the model's events; labels name it."
    )
    timestamp: StrictStr | Number | None = Field(
        None, description="RFC 3339, or a number of s, ms, us or ns since 1970."
    )
    model: StrictStr | None = Field(None, description="Name of the model.")
    actual: Outcome | Scalar | None = Field(
        None, description="Ground truth. A bare number is a score, text or a boolean a label."
    )

    @model_validator(mode="before")
    @classmethod
    def _accept_aliases(cls, record: Any) -> Any:
        return rename_aliases(record) if isinstance(record, dict) else record


class Event(_Record):
    """One prediction of one model."""

    model_config = ConfigDict(
        json_schema_extra={"anyOf": [{"required": ["features"]}, {"required": ["prediction"]}]}
    )

    model_version: StrictStr | Number | None = Field(None, description="A tag of every event.")
    features: dict[str, Scalar | None] | None = Field(None, description="Named inputs.")
    prediction: Outcome | Scalar | None = Field(
        None, description="The output. A bare number is a score, text or a boolean a label."
    )
    tags: dict[str, Scalar | None] | None = Field(
        None, description="For slicing; never monitored unless listed as segments."
    )

    @model_validator(mode="after")
    def _has_content(self) -> Self:
        if not {"features", "prediction"} & self.model_fields_set:
            raise ValueError("an event needs features or prediction")
        return self


class Label(_Record):
    """The ground truth of one event, known later."""

    event_id: StrictStr | StrictInt = Field(description="The event that this is the truth of.")
    actual: Outcome | Scalar = Field(
        description="Ground truth. A bare number is a score, text or a boolean a label."
    )


def event_schema() -> dict[str, Any]:
    """Return the JSON Schema of an event.

    >>> event_schema()["$id"]
    'urn:driftline:event:v1'
    """
    return _schema(Event, "event")


def label_schema() -> dict[str, Any]:
    """Return the JSON Schema of a label.

    >>> label_schema()["required"]
    ['event_id', 'actual']
    """
    return _schema(Label, "label")


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


def split_outcome(value: object) -> dict[str, Any]:
    """Return a prediction or actual as an object: a bare number is the score, else the label.

    An object is returned as it is; null, a list or anything else is an empty object.

    >>> split_outcome(0.93), split_outcome("fraud"), split_outcome({"label": True})
    ({'score': 0.93}, {'label': 'fraud'}, {'label': True})
    """
    if isinstance(value, dict):
        return value
    if isinstance(value, bool | str):
        return {"label": value}
    if isinstance(value, int | float):
        return {"score": value}
    return {}


def _schema(model: type[BaseModel], name: str) -> dict[str, Any]:
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:driftline:{name}:v{SCHEMA_VERSION}",
        "version": SCHEMA_VERSION,
        **model.model_json_schema(),
    }
