"""The types of single keys: what a user may write, what the code gets, how it is shown.

Every type has three parts in one place: the reader (text of the file or the environment to a
value), the writer (for `config show`) and the JSON Schema (for editors). Code that builds a
configuration in Python passes the values themselves: durations as int milliseconds.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationInfo,
    WithJsonSchema,
)

from driftline.consumer.config.names import STAGES, check_name
from driftline.consumer.config.values import (
    BUDGET_PATTERN,
    FOR_PATTERN,
    Budget,
    For,
    Start,
    parse_number,
)
from driftline.producer.records.durations import PATTERN, format_duration, parse_duration

AS_WRITTEN: Final = "as written"
"""Validation context of values that a user wrote: there a duration must have its unit."""

OFF: Final = "off"

_DURATION_PATTERN = f"^(?=[0-9]){PATTERN}$"
_PERCENT = {"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?%$"}


class Section(BaseModel):
    """One map of the configuration: unknown keys are errors, nothing changes after reading."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", validate_by_name=True, validate_by_alias=True
    )


class Located(ValueError):  # noqa: N818 (never leaves this package)
    """A rule over several keys is broken: each entry is a path below the section and a sentence."""

    def __init__(self, *problems: tuple[tuple[str, ...], str]) -> None:
        """Keep the problems for the list of all errors."""
        super().__init__("; ".join(message for _, message in problems))
        self.problems = problems


def _duration(value: Any, info: ValidationInfo) -> int:
    if isinstance(value, str):
        return parse_duration(value)
    if isinstance(value, int) and not isinstance(value, bool) and info.context != AS_WRITTEN:
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise ValueError(f"a duration needs its unit, for example {value}s or {value}m")
    return parse_duration("")


def _duration_or_rows(value: Any, info: ValidationInfo) -> Any:
    """Read a duration; beside `rows` a number of rows."""
    return _duration(value, info) if info.data.get("rows") is None else _whole(value)


def _duration_or_off(value: Any, info: ValidationInfo) -> int | None:
    return None if value in (None, OFF) else _positive(_duration(value, info))


def _positive(value: int) -> int:
    if value <= 0:
        raise ValueError("must be above 0")
    return value


def _whole(value: Any) -> Any:
    if isinstance(value, str) and value.removeprefix("-").isdecimal():
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError("must be a whole number")
    return value


def _number(value: Any) -> float:
    if isinstance(value, str):
        return parse_number(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return parse_number("")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ValueError("must be a finite number")
    return number


def _share(value: float) -> float:
    if 0 <= value <= 1:
        return value
    raise ValueError(f"not a share of 0 to 1; write for example {_share_hint(value)}")


def _share_hint(value: float) -> str:
    return f"{value:g}%" if 0 <= value <= 100 else "0.05 or 5%"


def _texts(value: Any) -> Any:
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


def _topics(value: tuple[str, ...]) -> tuple[str, ...]:
    if not value:
        raise ValueError("name at least one topic")
    for name in value:
        check_name(name, "topic")
    if len(set(value)) < len(value):
        raise ValueError("the same topic is named twice")
    return value


def _stages(value: tuple[str, ...]) -> tuple[str, ...]:
    unknown = next((name for name in value if name not in STAGES), None)
    if unknown is not None:
        raise ValueError(f"{unknown} is no stage, they are {', '.join(STAGES)}")
    if not value:
        raise ValueError(f"name at least one of {', '.join(STAGES)}")
    return tuple(name for name in STAGES if name in value)


def _topic(value: str) -> str:
    return check_name(value, "topic")


def _budget(value: Any) -> Budget | None:
    if value is None or value == OFF:
        return None
    return value if isinstance(value, Budget) else Budget.parse(str(value))


def _start(value: Any) -> Start:
    return value if isinstance(value, Start) else Start.parse(str(value))


def _for(value: Any) -> For:
    return value if isinstance(value, For) else For.parse(str(value))


def _class_name(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else value


def _path(value: Any) -> Any:
    if value == "":
        raise ValueError("has no value")
    return value


def _or_off(value: object) -> str:
    return OFF if value is None else str(value)


def _duration_text(value: int | None) -> str:
    return OFF if value is None else format_duration(value)


Duration = Annotated[
    int,
    BeforeValidator(_duration),
    PlainSerializer(_duration_text, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": _DURATION_PATTERN}),
]
"""Milliseconds; written `1h30m`."""

PositiveDuration = Annotated[Duration, AfterValidator(_positive)]

DurationOrRows = Annotated[
    int,
    BeforeValidator(_duration_or_rows),
    AfterValidator(_positive),
    PlainSerializer(_duration_text, return_type=str, when_used="json"),
    WithJsonSchema(
        {"anyOf": [{"type": "string", "pattern": _DURATION_PATTERN}, {"type": "integer"}]}
    ),
]
"""Milliseconds; in a section with `rows` a number of rows."""

DurationOrOff = Annotated[
    int | None,
    BeforeValidator(_duration_or_off),
    PlainSerializer(_duration_text, return_type=str, when_used="json"),
    WithJsonSchema(
        {"anyOf": [{"const": OFF}, {"type": "string", "pattern": _DURATION_PATTERN}]},
    ),
]

Whole = Annotated[int, BeforeValidator(_whole), WithJsonSchema({"type": "integer"})]
Count = Annotated[
    int,
    BeforeValidator(_whole),
    AfterValidator(_positive),
    WithJsonSchema({"type": "integer", "minimum": 1}),
]

Number = Annotated[
    float,
    BeforeValidator(_number),
    WithJsonSchema({"anyOf": [{"type": "number"}, _PERCENT]}),
]
"""A number; `5%` is 0.05."""

Share = Annotated[
    float,
    BeforeValidator(_number),
    AfterValidator(_share),
    WithJsonSchema({"anyOf": [{"type": "number", "minimum": 0, "maximum": 1}, _PERCENT]}),
]

_TEXT_OR_LIST: dict[str, Any] = {
    "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]
}
Texts = Annotated[tuple[str, ...], BeforeValidator(_texts), WithJsonSchema(_TEXT_OR_LIST)]
"""A list of texts, or one text with commas."""

Stages = Annotated[
    tuple[str, ...],
    BeforeValidator(_texts),
    AfterValidator(_stages),
    WithJsonSchema(_TEXT_OR_LIST),
]
"""Some of the stages, in the order in which data flows."""

Topic = Annotated[str, AfterValidator(_topic)]
Topics = Annotated[
    tuple[str, ...],
    BeforeValidator(_texts),
    AfterValidator(_topics),
    WithJsonSchema(_TEXT_OR_LIST),
]

FilePath = Annotated[
    Path,
    BeforeValidator(_path),
    PlainSerializer(str, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string"}),
]
"""Relative to the file that names it; to the working directory from elsewhere."""

BudgetOrOff = Annotated[
    Budget | None,
    BeforeValidator(_budget),
    PlainSerializer(_or_off, return_type=str, when_used="json"),
    WithJsonSchema({"anyOf": [{"const": OFF}, {"type": "string", "pattern": BUDGET_PATTERN}]}),
]

StartPoint = Annotated[
    Start,
    BeforeValidator(_start),
    PlainSerializer(str, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string"}),
]

KOfN = Annotated[
    For,
    BeforeValidator(_for),
    PlainSerializer(str, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": FOR_PATTERN}),
]

ClassName = Annotated[
    str,
    BeforeValidator(_class_name),
    WithJsonSchema({"type": ["string", "integer", "boolean"]}),
]
"""A class of a classifier, as text."""

Port = Annotated[Whole, Field(ge=0, le=65535)]
"""0 is any free port."""
