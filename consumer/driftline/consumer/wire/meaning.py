"""What is published under a schema, and what a field of it is: its meaning and its unit."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

Contract = Literal["event", "label", "verdict", "alert", "control", "config"]
"""What has a published schema: records that users write or read, and the configuration."""
Unit = Literal[
    "RFC 3339", "events", "rows", "windows", "nats", "share", "natural logarithm", "as value"
]
"""Units of fields. `as value`: that of the figure of which it is a bound or a comparison."""


def means(meaning: str, unit: Unit | None = None, **schema: Any) -> msgspec.Meta:
    """Return what stands beside a field's type.

    Args:
        meaning: a sentence.
        unit: of its numbers, or how its texts are written; None where there is none.
        **schema: more of its JSON Schema.

    Example:
        >>> from typing import Annotated
        >>> msgspec.json.schema(Annotated[int, means("What was counted.", "events")])
        {'description': 'What was counted.', 'x-unit': 'events', 'type': 'integer'}
    """
    more = dict(schema)
    if unit is not None:
        more["x-unit"] = unit
    if unit == "RFC 3339":
        more["format"] = "date-time"
    return msgspec.Meta(description=meaning, extra_json_schema=more or None)
