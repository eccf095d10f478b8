"""What writes events: their schema, mappings, the logger, replay, and the reference.

The logger, its senders, mappings and replay need kafka-python and msgspec alone: a model server
carries nothing more. What is about schemas needs pydantic; guessing a mapping, building a reference
and `parse_timestamps` need numpy and scipy. So a name is imported when it is first used.

Reading files is in `driftline.producer.files`, drift scenarios and the generator of streams are in
`driftline.producer.replay`, a module each: their names make sense only under their module's.
"""

from typing import TYPE_CHECKING

from driftline.detectors.lazy import later

# At once: `replay` is the name of a package too, which an import of it would leave here instead.
from driftline.producer.replay.replay import Pace, encode_event, replay

if TYPE_CHECKING:
    from driftline.producer.errors import InputError, MappingError
    from driftline.producer.logger.logger import PredictionLogger
    from driftline.producer.logger.outbox import MemorySender, OutboxCounts, QueueLimits, Sender
    from driftline.producer.logger.sender import KafkaSender
    from driftline.producer.records.category import category_text
    from driftline.producer.records.event import Event, Label, event_schema, label_schema
    from driftline.producer.records.event_fields import ALIASES
    from driftline.producer.records.mapping import Constant, DateAndClock, Mapping
    from driftline.producer.records.time_form import TimeForm
    from driftline.producer.records.timestamp import format_time, parse_timestamp
    from driftline.producer.records.timestamp_column import parse_timestamps
    from driftline.producer.reference.build import (
        BuiltFeature,
        BuiltReference,
        ReferenceSettings,
        reference_from_events,
        reference_from_rows,
        reference_from_tables,
    )
    from driftline.producer.reference.guess import Guess, guess_mapping
else:
    _LATER = {
        "errors": ("InputError", "MappingError"),
        "logger.logger": ("PredictionLogger",),
        "logger.outbox": ("MemorySender", "OutboxCounts", "QueueLimits", "Sender"),
        "logger.sender": ("KafkaSender",),
        "records.category": ("category_text",),
        "records.event": ("Event", "Label", "event_schema", "label_schema"),
        "records.event_fields": ("ALIASES",),
        "records.mapping": ("Constant", "DateAndClock", "Mapping"),
        "records.time_form": ("TimeForm",),
        "records.timestamp": ("format_time", "parse_timestamp"),
        "records.timestamp_column": ("parse_timestamps",),
        "reference.build": (
            "BuiltFeature",
            "BuiltReference",
            "ReferenceSettings",
            "reference_from_events",
            "reference_from_rows",
            "reference_from_tables",
        ),
        "reference.guess": ("Guess", "guess_mapping"),
    }
    __getattr__ = later(__name__, _LATER)


__all__ = [
    "ALIASES",
    "BuiltFeature",
    "BuiltReference",
    "Constant",
    "DateAndClock",
    "Event",
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
    "TimeForm",
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
    "reference_from_tables",
    "replay",
]
