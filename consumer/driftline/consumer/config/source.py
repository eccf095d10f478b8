"""`sources`: topics whose records are not native events."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainSerializer,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from driftline.consumer.config.names import hint
from driftline.consumer.config.notation import FilePath, Located, Section, Texts
from driftline.producer.errors import MappingError
from driftline.producer.records.formats.presets import PRESETS
from driftline.producer.records.formats.reader import Format
from driftline.producer.records.mapping import Constant, DateAndClock, Mapping, Source
from driftline.producer.records.text_form import TextForm
from driftline.producer.records.time_form import TimeForm, TimestampUnit


def _fields(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    problems = []
    fields: dict[str, Source] = {}
    for name, source in value.items():
        try:
            fields |= Mapping.from_config({name: source}).fields
        except MappingError as error:
            problems.append(((name,), error.problem))
    if problems:
        raise Located(*problems)
    return fields


def _plain(fields: dict[str, Source]) -> dict[str, Any]:
    return {name: _plain_source(source) for name, source in fields.items()}


def _plain_source(source: Source) -> Any:
    if isinstance(source, Constant):
        return {"value": source.value}
    return [source.date, source.clock] if isinstance(source, DateAndClock) else source


def _preset(value: str | None) -> str | None:
    if value is not None and value not in PRESETS:
        raise ValueError(f"unknown preset, {hint(value, PRESETS)}")
    return value


def _names(value: tuple[str, ...]) -> tuple[str, ...]:
    twice = next((name for name in value if value.count(name) > 1), None)
    if twice is not None:
        raise ValueError(f"{twice} is named twice")
    return value


def _missing(value: tuple[str, ...]) -> tuple[str, ...]:
    try:
        return TextForm(_names(value)).missing
    except MappingError as error:
        raise ValueError(str(error).removeprefix("missing: ")) from None


_CONSTANT = {
    "type": "object",
    "required": ["value"],
    "additionalProperties": False,
    "properties": {"value": {"type": ["string", "number", "boolean", "null"]}},
}
_TWO_PATHS = {"type": "array", "items": {"type": "string"}}


class SourceConfig(Section):
    """How the records of one topic are read as events."""

    fields: Annotated[
        dict[str, Source],
        BeforeValidator(_fields),
        PlainSerializer(_plain, return_type=dict[str, Any], when_used="json"),
        WithJsonSchema(
            {
                "type": "object",
                "additionalProperties": {"anyOf": [{"type": "string"}, _CONSTANT, _TWO_PATHS]},
            }
        ),
    ] = Field(default_factory=dict)
    timestamp_unit: TimestampUnit = "auto"
    time_format: str | None = None
    timezone: str | None = None
    missing: Annotated[Texts, AfterValidator(_missing)] = ()
    coerce: bool = False
    format: Format = "auto"
    schema_: Annotated[
        FilePath | None, Field(validation_alias="schema", serialization_alias="schema")
    ] = None
    message: str | None = None
    preset: Annotated[
        str | None,
        AfterValidator(_preset),
        WithJsonSchema({"anyOf": [{"enum": list(PRESETS)}, {"type": "null"}]}),
    ] = None
    names: Annotated[
        tuple[str, ...],
        AfterValidator(_names),
        WithJsonSchema({"type": "array", "items": {"type": "string"}}),
    ] = ()

    @field_validator("time_format", "timezone")
    @classmethod
    def _is_one(cls, text: str | None, info: ValidationInfo) -> str | None:
        try:
            _ = (
                TimeForm(format=text)
                if info.field_name == "time_format"
                else TimeForm(timezone=text)
            )
        except MappingError as error:
            raise ValueError(str(error).removeprefix("time_format ")) from None
        return text

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
        times = TimeForm(self.timestamp_unit, self.time_format, self.timezone)
        texts = TextForm(self.missing, self.coerce)
        return Mapping(self._of_the_preset() | self.fields, times, texts)

    @classmethod
    def of(cls, mapping: Mapping) -> SourceConfig:
        """Return the keys that say what a mapping is."""
        times = mapping.times
        return cls(
            fields=mapping.fields,
            timestamp_unit=times.unit,
            time_format=times.format,
            timezone=times.timezone,
            missing=mapping.texts.missing,
            coerce=mapping.texts.coerce,
        )

    def _of_the_preset(self) -> dict[str, Source]:
        """Return the fields that the preset maps, without those that `fields` maps."""
        preset = PRESETS.get(self.preset or "")
        if preset is None or (preset.events is not None and not self.fields):
            return {}  # events are native
        own = {name.partition(".")[0] for name in self.fields if not name.startswith("features.")}
        return {name: path for name, path in preset.fields.items() if name not in own}
