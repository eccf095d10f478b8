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
with a decoder compiled from the reference. Both accept the same records: the schema those that
become no dead letter and hold no value that is invalid for every type of field, such as an object.
What the schema cannot say is in `BEYOND`.
"""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    WithJsonSchema,
    model_validator,
)

from driftline.producer.records.event_fields import ALIASES, rename_aliases
from driftline.producer.records.timestamp import EARLIEST, LATEST, parse_timestamp

SCHEMA_VERSION = 1

BEYOND = (
    "that a text is a time (the forms are listed in docs/files.md), and is not too far ahead of"
    " its record",
    "that a text which looks like an object is JSON, and what such an object holds",
    "numbers beyond the range of doubles, and times less than a microsecond beyond the years that"
    " are read",
    "the size of a record and the depth of its nesting",
    "what the configuration and the reference say: the model that the record is of, the type and"
    " the name of each feature, the classes that labels may have",
)
"""What decides about a record too, and no JSON Schema can say."""

Number = Annotated[StrictInt | StrictFloat, WithJsonSchema({"type": "number"})]
Scalar = Annotated[
    StrictBool | StrictInt | StrictFloat | StrictStr,
    WithJsonSchema({"type": ["boolean", "number", "string"]}),
]

_PER_MS = {"seconds": 0.001, "milliseconds": 1, "microseconds": 1_000, "nanoseconds": 1_000_000}
_TIMES = [
    {"type": "string", "pattern": "[0-9]"},
    *(
        {
            "type": "number",
            "minimum": int(EARLIEST * per_ms),
            "exclusiveMaximum": int(LATEST * per_ms),
            "description": f"{unit} since 1970",
        }
        for unit, per_ms in _PER_MS.items()
    ),
]


def _readable(value: str | float) -> str | float:
    if parse_timestamp(value) is None:
        raise ValueError("no time from 1678 to 2261, or a number before 2000")
    return value


Time = Annotated[StrictStr | Number, AfterValidator(_readable), WithJsonSchema({"anyOf": _TIMES})]
Written = Annotated[StrictStr, Field(pattern=r"^\{[\s\S]*\}\s*$")]
"""An object as a text that holds it as JSON."""
Named = dict[str, Scalar | None]
Vector = Annotated[list[Number], Field(min_length=1)]
"""An array of numbers, of which features can be derived."""


def _tidy(schema: dict[str, Any]) -> None:
    """Leave out titles that only repeat the name, and defaults that only say `not given`."""
    for field in schema["properties"].values():
        field.pop("title", None)
        field.pop("default", None)


_CONFIG = ConfigDict(extra="ignore", allow_inf_nan=False, json_schema_extra=_tidy)


class Prediction(BaseModel):
    """What a model said: a class, a number, or both."""

    model_config = _CONFIG

    label: Scalar | None = Field(None, description="The class.")
    score: Number | None = Field(
        None, description="A number: the score of the positive class, or a regression's value."
    )
    probabilities: Any = Field(
        None, description="Probability of each class, 0 to 1; it is not monitored."
    )


class Truth(BaseModel):
    """What really happened: a class, or a number."""

    model_config = _CONFIG

    label: Scalar | None = Field(None, description="The class.")
    score: Scalar | None = Field(
        None, description="A regression's value, or a class that is a number. `label` goes first."
    )


class _Record(BaseModel):
    model_config = _CONFIG

    event_id: Scalar | None = Field(
        None,
        description="A text or a whole number, unique among the model's events; labels name it.",
    )
    timestamp: Time | None = Field(
        None,
        description="RFC 3339, or a number of s, ms, us or ns since 1970. That of the Kafka record"
        " unless given.",
    )
    model: StrictStr | None = Field(
        None, description="Name of the model; the topic's only one unless given."
    )
    model_version: Scalar | None = Field(
        None, description="A tag of every event; of a label it is not used."
    )
    actual: Truth | Scalar | None = Field(
        None, description="Ground truth. A bare number is a score, text or a boolean a label."
    )

    @model_validator(mode="before")
    @classmethod
    def _accept_aliases(cls, record: Any) -> Any:
        return rename_aliases(record) if isinstance(record, dict) else record


class Event(_Record):
    """One prediction of one model."""

    features: dict[str, Scalar | Vector | None] | Written | None = Field(
        None,
        description="Named inputs: name to number, text, boolean or null, or to an array of"
        " numbers, such as an embedding.",
    )
    prediction: Prediction | Scalar | None = Field(
        None, description="The output. A bare number is a score, text or a boolean a label."
    )
    tags: Named | Written | None = Field(
        None, description="For slicing; never monitored unless listed as segments."
    )

    @model_validator(mode="after")
    def _has_content(self) -> Self:
        if self.features is None and self.prediction is None:
            raise ValueError("an event needs features or prediction")
        return self


class Label(_Record):
    """The ground truth of one event, known later."""

    event_id: Annotated[StrictStr, Field(min_length=1)] | Number | StrictBool = Field(
        description="The event that this is the truth of."
    )
    actual: Truth | Scalar = Field(
        description="Ground truth. A bare number is a score, text or a boolean a label."
    )

    @model_validator(mode="after")
    def _has_truth(self) -> Self:
        if isinstance(self.actual, Truth) and self.actual.label is self.actual.score is None:
            raise ValueError("a label needs an actual label or score")
        return self


def event_schema() -> dict[str, Any]:
    """Return the JSON Schema of an event.

    >>> event_schema()["$id"]
    'urn:driftline:event:v1'
    """
    schema = _schema(Event, "event")
    schema["anyOf"] = [_given("features"), _given("prediction")]
    return schema


def label_schema() -> dict[str, Any]:
    """Return the JSON Schema of a label.

    >>> label_schema()["$id"]
    'urn:driftline:label:v1'
    """
    schema = _schema(Label, "label")
    del schema["required"]  # `_given` below says under which names
    truth = schema["$defs"]["Truth"]
    truth["anyOf"] = [_with(part, _NOT_NULL) for part in ("label", "score")]
    schema["allOf"] += [_given("event_id"), _given("actual")]
    return schema


_NOT_NULL = {"not": {"type": "null"}}


def _schema(model: type[BaseModel], name: str) -> dict[str, Any]:
    """Return the schema of a model: each field by its own name, or else by the first other one."""
    schema = model.model_json_schema()
    fields = [field for field in ALIASES if field in schema["properties"]]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:driftline:{name}:v{SCHEMA_VERSION}",
        "version": SCHEMA_VERSION,
        "$comment": f"No JSON Schema can say: {'; '.join(BEYOND)}.",
        **schema,
        "allOf": [
            {
                "if": _none_of((field, *ALIASES[field][:i])),
                "then": {"properties": {alias: {"$ref": f"#/properties/{field}"}}},
            }
            for field in fields
            for i, alias in enumerate(ALIASES[field])
        ],
    }


def _given(field: str) -> dict[str, Any]:
    """Say that a field has a value, under the first of its names that there is."""
    names = (field, *ALIASES.get(field, ()))
    return {
        "anyOf": [
            {**_with(name, _NOT_NULL), **(_none_of(names[:i]) if i else {})}
            for i, name in enumerate(names)
        ]
    }


def _none_of(names: tuple[str, ...]) -> dict[str, Any]:
    return {"not": {"anyOf": [{"required": [name]} for name in names]}}


def _with(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"required": [name], "properties": {name: schema}}
