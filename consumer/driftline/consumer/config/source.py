"""`sources`: topics whose records are not native events."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema, model_validator

from driftline.consumer.config.notation import Located, Section
from driftline.producer.errors import MappingError
from driftline.producer.records.mapping import Constant, Mapping
from driftline.producer.records.timestamp import TimestampUnit


def _fields(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    problems = []
    fields: dict[str, str | Constant] = {}
    for name, source in value.items():
        try:
            fields |= Mapping.from_config({name: source}).fields
        except MappingError as error:
            problems.append(((name,), error.problem))
    if problems:
        raise Located(*problems)
    return fields


def _plain(fields: dict[str, str | Constant]) -> dict[str, Any]:
    return {
        name: {"value": source.value} if isinstance(source, Constant) else source
        for name, source in fields.items()
    }


_CONSTANT = {
    "type": "object",
    "required": ["value"],
    "additionalProperties": False,
    "properties": {"value": {"type": ["string", "number", "boolean", "null"]}},
}


class SourceConfig(Section):
    """How the records of one topic are read as events."""

    fields: Annotated[
        dict[str, str | Constant],
        BeforeValidator(_fields),
        PlainSerializer(_plain, return_type=dict[str, Any], when_used="json"),
        WithJsonSchema(
            {"type": "object", "additionalProperties": {"anyOf": [{"type": "string"}, _CONSTANT]}}
        ),
    ] = Field(default_factory=dict)
    timestamp_unit: TimestampUnit = "auto"

    @model_validator(mode="after")
    def _fields_fit_together(self) -> SourceConfig:
        try:
            _ = self.mapping
        except MappingError as error:
            raise Located((("fields",), str(error))) from None
        return self

    @cached_property
    def mapping(self) -> Mapping:
        """The mapping of this topic's records (`driftline.producer.records.mapping`)."""
        return Mapping(self.fields, self.timestamp_unit)
