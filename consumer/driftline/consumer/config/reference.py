"""`models.<name>.reference`: what is normal."""

from __future__ import annotations

from pathlib import PurePath
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from driftline.consumer.config.addresses import Address
from driftline.consumer.config.notation import Section


class ReferenceConfig(Section):
    """What is normal.

    Attributes:
        layout: address of a reference, which says what is counted, and what is normal of it.
    """

    layout: Address


def _address_alone(value: Any) -> Any:
    if value == "":
        raise ValueError("has no value")
    if isinstance(value, str | PurePath):
        return {"layout": str(value)}
    if isinstance(value, ReferenceConfig) or value is None:
        return value
    raise ValueError("must be a path")


def _written(value: ReferenceConfig) -> str:
    return value.layout


Reference = Annotated[
    ReferenceConfig,
    BeforeValidator(_address_alone),
    PlainSerializer(_written, when_used="json"),
    WithJsonSchema({"type": "string"}),
]
"""The address of a reference."""
