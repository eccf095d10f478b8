"""CloudEvents 1.0: the envelope around an event, in headers (binary) or in the value (structured).

Source: CloudEvents 1.0.2, its JSON format and its Kafka protocol binding.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from driftline.producer.errors import FormatError
from driftline.producer.records.formats.json_text import parse_json
from driftline.producer.records.formats.rows import Events

_PREFIXES = ("ce_", "ce-")

RecordHeaders = Mapping[str, bytes | None]


def unwrap(record: Any, headers: RecordHeaders) -> tuple[dict[str, Any], Any]:
    """Return the attributes of an envelope, and what is in it; none and the record without one.

    Raises:
        FormatError: what is in it cannot be read.

    >>> unwrap({"a": 1}, {"ce_specversion": b"1.0", "ce_id": b"7"})
    ({'specversion': '1.0', 'id': '7'}, {'a': 1})
    >>> unwrap({"specversion": "1.0", "id": "7", "data": {"a": 1}}, {})
    ({'specversion': '1.0', 'id': '7'}, {'a': 1})
    """
    attributes: dict[str, Any] = {
        name[3:].lower(): (value or b"").decode(errors="replace")
        for name, value in headers.items()
        if name.lower().startswith(_PREFIXES)
    }
    if attributes or not isinstance(record, dict) or "specversion" not in record:
        return attributes, record
    attributes = {name: value for name, value in record.items() if name not in _DATA}
    if "data_base64" in record:
        try:
            return attributes, parse_json(base64.b64decode(record["data_base64"], validate=True))
        except (binascii.Error, TypeError, ValueError):
            raise FormatError("malformed", "data_base64 of the CloudEvent is no base64") from None
    data = record.get("data")
    if isinstance(data, str) and data.lstrip()[:1] in ("{", "["):
        data = parse_json(data.encode())
    return attributes, data


_DATA = ("data", "data_base64")


def facts(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an envelope says of the event in it."""
    return {"event_id": attributes.get("id"), "timestamp": attributes.get("time")}


def events(record: Any, headers: RecordHeaders, names: Any) -> Events:
    """Return the events in a CloudEvent: its data, with its id and time where it has none.

    Of several the id is not theirs.

    Raises:
        FormatError: it has no data.
    """
    attributes, data = unwrap(record, headers)
    found = data if isinstance(data, list) else [data]
    known = {name: fact for name, fact in facts(attributes).items() if fact is not None}
    if len(found) > 1:
        known.pop("event_id", None)
    made: Events = []
    for event in found:
        if isinstance(event, dict):
            made.append({**known, **event})
        else:
            made.append(FormatError("schema", "the data of the CloudEvent is not an object"))
    return made
