"""Alerts for Python programs: what fires now, then every record that comes."""

from driftline.consumer.deliver.choice import Choice
from driftline.consumer.deliver.position import (
    FilePosition,
    MemoryPosition,
    Position,
    PositionStore,
)
from driftline.consumer.deliver.subscriber import AlertRecord, AlertSubscriber, subscribe

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
