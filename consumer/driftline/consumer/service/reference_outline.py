"""Reading references fast: what is counted alone, or the whole.

The file is hashed as it stands. Of an outline the counts, which are most of it, are passed over
without a number of them being made.
"""

from __future__ import annotations

from typing import Any

import msgspec

from driftline.detectors.reference import Reference


class _Stream(msgspec.Struct):
    segment: str | None
    events: int


class _Baseline(msgspec.Struct):
    streams: list[_Stream]
    outcome: dict[str, Any] | None
    dispersion: dict[str, Any] | None
    versions: dict[str, Any] = {}
    joint: dict[str, Any] | None = None


class _Document(msgspec.Struct):
    """What is read of a reference's file; the rest is passed over."""

    id: str
    schema: str
    model: str
    layout: dict[str, Any]
    baseline: _Baseline


def parse_reference(data: bytes) -> Reference:
    """Read a reference from its file's content.

    Raises:
        ReferenceError: see `Reference.from_json`.
    """
    try:
        document = msgspec.json.decode(data)
    except (msgspec.DecodeError, RecursionError):
        return Reference.from_json(data)  # it says why not
    return Reference.from_document(document, data)


def parse_outline(data: bytes) -> Reference:
    """Read the outline of a reference from its file's content, which is hashed all the same.

    Raises:
        ReferenceError: see `Reference.from_json`. Counts that do not fit the layout, though the
            file is as it was written, are found when it is read whole.
    """
    try:
        document = msgspec.json.decode(data, type=_Document)
    except (msgspec.DecodeError, RecursionError):
        return parse_reference(data).outline()
    found = Reference.outline_from(msgspec.to_builtins(document), data)
    return parse_reference(data).outline() if found is None else found
