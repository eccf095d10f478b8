"""`models.<name>.seasons`: whose hours and days features may follow."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, field_validator

from driftline.consumer.config.notation import OFF, Section
from driftline.producer.errors import MappingError
from driftline.producer.records.time_zone import find_zone

UTC = "UTC"


class SeasonsConfig(Section):
    """The time zone whose clocks tell the hour and the day."""

    timezone: str | None = None

    @field_validator("timezone")
    @classmethod
    def _is_one(cls, name: str | None) -> str | None:
        if name is not None:
            try:
                find_zone(name)
            except MappingError as error:
                raise ValueError(str(error)) from None
        return name


def _or_off(value: Any) -> Any:
    return None if value == OFF else value


def _written(value: SeasonsConfig | None) -> Any:
    return OFF if value is None else value.model_dump(mode="json")


SeasonsOrOff = Annotated[
    SeasonsConfig | None,
    BeforeValidator(_or_off),
    PlainSerializer(_written, when_used="json"),
]
