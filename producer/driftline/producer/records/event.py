"""The schema of events and labels, and its JSON Schema.

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

from driftline.producer.records.event_fields import rename_aliases

SCHEMA_VERSION = 1

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


def _schema(model: type[BaseModel], name: str) -> dict[str, Any]:
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:driftline:{name}:v{SCHEMA_VERSION}",
        "version": SCHEMA_VERSION,
        **model.model_json_schema(),
    }
