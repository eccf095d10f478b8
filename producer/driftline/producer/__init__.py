"""What writes events: their schema, mappings, the logger, replay, and the reference.

Reading files is in `driftline.producer.files`, which alone knows pyarrow; it is not imported here,
so that a service which uses mappings never loads it. Drift scenarios have names that make sense
only under their module's: `driftline.producer.scenarios`, and `driftline.producer.generator`.
"""

from driftline.producer.category import category_text
from driftline.producer.errors import InputError, MappingError
from driftline.producer.event import ALIASES, Event, Label, event_schema, label_schema
from driftline.producer.guess import Guess, guess_mapping
from driftline.producer.kafka_sender import KafkaSender
from driftline.producer.logger import PredictionLogger
from driftline.producer.mapping import Constant, Mapping
from driftline.producer.outbox import MemorySender, OutboxCounts, QueueLimits, Sender
from driftline.producer.reference import (
    BuiltReference,
    FeatureReport,
    ReferenceSettings,
    reference_from_events,
    reference_from_rows,
)
from driftline.producer.replay import Pace, encode_event, replay
from driftline.producer.timestamp import format_time, parse_timestamp, parse_timestamps

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
