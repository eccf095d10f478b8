"""`models.<name>.reference`: what is normal, a file or what the stream itself was before."""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema, model_validator

from driftline.consumer.config.addresses import Address
from driftline.consumer.config.notation import Located, PositiveDuration, Section

WINDOWS_PATTERN = r"^([1-9][0-9]*) windows?$"


def _windows(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    found = re.match(WINDOWS_PATTERN, value) if isinstance(value, str) else None
    if found is None:
        raise ValueError("write a number of windows, for example 1 window")
    return int(found[1])


def _windows_text(value: int | None) -> str | None:
    return None if value is None else f"{value} {'window' if value == 1 else 'windows'}"


Windows = Annotated[
    int,
    BeforeValidator(_windows),
    PlainSerializer(_windows_text, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": WINDOWS_PATTERN}),
]
"""A number of windows; written `1 window`."""


class ReferenceConfig(Section):
    """What is normal: the reference of a file alone, or the stream's own past.

    Attributes:
        layout: address of a reference. Alone it is what is normal; else it says what is counted,
            and is normal until enough of the stream is known.
        rolling: how much of the stream, before each window, is normal, ms.
        previous: how many windows before each are normal.
    """

    layout: Address | None = None
    rolling: PositiveDuration | None = None
    previous: Windows | None = None

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if self.rolling is not None and self.previous is not None:
            raise Located((("previous",), "give rolling or previous, not both"))
        if self.layout is None and not self.moves:
            raise Located(((), "give a file, or a map with rolling or previous"))
        return self

    @property
    def moves(self) -> bool:
        """Whether what is normal moves with the stream."""
        return self.rolling is not None or self.previous is not None


def _address_alone(value: Any) -> Any:
    if value == "":
        raise ValueError("has no value")
    if isinstance(value, str | PurePath):
        return {"layout": str(value)}
    if isinstance(value, dict | ReferenceConfig) or value is None:
        return value
    raise ValueError("must be a path")


def _written(value: ReferenceConfig) -> Any:
    shown = value.model_dump(mode="json", exclude_none=True)
    return shown if value.moves else shown["layout"]


Reference = Annotated[
    ReferenceConfig,
    BeforeValidator(_address_alone),
    PlainSerializer(_written, when_used="json"),
]
"""A file's address alone stands for `{layout: ADDRESS}`."""
