"""Alerts for Python programs: what fires now, then every record that comes."""

from driftline.consumer.deliver import (
    AlertRecord,
    AlertSubscriber,
    Choice,
    FilePosition,
    MemoryPosition,
    Position,
    PositionStore,
    subscribe,
)

__all__ = [
    "AlertRecord",
    "AlertSubscriber",
    "Choice",
    "FilePosition",
    "MemoryPosition",
    "Position",
    "PositionStore",
    "subscribe",
]
