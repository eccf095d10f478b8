"""What writes events: their schema, mappings, the logger, replay, and the reference.

Importing this needs kafka-python and msgspec alone, and so do the logger, its senders, mappings and
replay: a model server carries nothing more. What is about schemas needs pydantic; guessing a
mapping, building a reference and `parse_timestamps` need numpy and scipy. These names are imported
when they are first used.

Reading files is in `driftline.producer.files`. Drift scenarios have names that make sense only
under their module's: `driftline.producer.scenarios`, and `driftline.producer.generator`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from driftline.producer.category import category_text
from driftline.producer.errors import InputError, MappingError
from driftline.producer.event_fields import ALIASES
from driftline.producer.kafka_sender import KafkaSender
from driftline.producer.logger import PredictionLogger
from driftline.producer.mapping import Constant, Mapping
from driftline.producer.outbox import MemorySender, OutboxCounts, QueueLimits, Sender
from driftline.producer.replay import Pace, encode_event, replay
from driftline.producer.timestamp import format_time, parse_timestamp

if TYPE_CHECKING:
    from driftline.producer.event import Event, Label, event_schema, label_schema
    from driftline.producer.guess import Guess, guess_mapping
    from driftline.producer.reference import (
        BuiltReference,
        FeatureReport,
        ReferenceSettings,
        reference_from_events,
        reference_from_rows,
    )
    from driftline.producer.timestamp_column import parse_timestamps
else:
    _LATER = {
        "event": ("Event", "Label", "event_schema", "label_schema"),
        "guess": ("Guess", "guess_mapping"),
        "reference": (
            "BuiltReference",
            "FeatureReport",
            "ReferenceSettings",
            "reference_from_events",
            "reference_from_rows",
        ),
        "timestamp_column": ("parse_timestamps",),
    }
    _MODULES = {name: module for module, names in _LATER.items() for name in names}

    def __getattr__(name: str) -> Any:
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
        globals()[name] = value
        return value


__all__ = [
    "ALIASES",
    "BuiltReference",
    "Constant",
    "Event",
    "FeatureReport",
    "Guess",
    "InputError",
    "KafkaSender",
    "Label",
    "Mapping",
    "MappingError",
    "MemorySender",
    "OutboxCounts",
    "Pace",
    "PredictionLogger",
    "QueueLimits",
    "ReferenceSettings",
    "Sender",
    "category_text",
    "encode_event",
    "event_schema",
    "format_time",
    "guess_mapping",
    "label_schema",
    "parse_timestamp",
    "parse_timestamps",
    "reference_from_events",
    "reference_from_rows",
    "replay",
]
