"""The published schemas, in JSON Schema 2020-12: made of the types that write and read them.

Within `v1` a field may be added; none is renamed, made required or given another unit.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import msgspec

from driftline.consumer import config
from driftline.consumer.wire.control import Marks
from driftline.consumer.wire.meaning import Contract
from driftline.consumer.wire.records import EVENTS, JOINT, Alert, DetectorValue, Verdict
from driftline.detectors.outcomes.metrics import METRICS
from driftline.detectors.registry import DETECTORS
from driftline.producer.records.event import event_schema, label_schema

Schema = dict[str, Any]


def schema_of(name: Contract) -> Schema:
    """Return one of the published schemas.

    >>> schema_of("alert")["$id"], schema_of("alert")["properties"]["effect"]["x-unit"]
    ('urn:driftline:alert:v1', 'nats')
    """
    return SCHEMAS[name]()


def _record(struct: type[msgspec.Struct], name: str) -> Schema:
    """Return the schema of the records that a struct is."""
    _, found = msgspec.json.schema_components([struct], ref_template="#/$defs/{name}")
    parts: dict[str, Schema] = dict(found)
    for part in parts.values():
        part["description"] = inspect.cleandoc(part["description"])
    own = parts.pop(struct.__name__)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:driftline:{name}:v1",
        "version": 1,
        **own,
        "$defs": parts,
    }


def _verdict() -> Schema:
    """Return the schema of verdicts, in which each detector and metric has its unit."""
    schema = _record(Verdict, "verdict")
    figure = {"allOf": [{"$ref": f"#/$defs/{DetectorValue.__name__}"}]}
    units = {name: (each.when, each.scale.unit) for name, each in DETECTORS.items()}
    units |= {name: (each.words, each.scale.unit) for name, each in METRICS.items()}
    units[EVENTS] = ("how many events came", "events")
    units[JOINT] = ("evidence of what changed most between features", "natural logarithm")
    schema["properties"]["detectors"]["properties"] = {
        name: {**figure, "description": meaning, "x-unit": unit}
        for name, (meaning, unit) in units.items()
    }
    return schema


SCHEMAS: Mapping[Contract, Callable[[], Schema]] = {
    "event": event_schema,
    "label": label_schema,
    "verdict": _verdict,
    "alert": partial(_record, Alert, "alert"),
    "control": partial(_record, Marks, "control"),
    "config": lambda: config.schema(),
}
