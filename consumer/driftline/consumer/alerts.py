"""Alerts for Python programs: what fires now, then every record that comes; handing them on."""

from driftline.consumer.deliver.choice import Choice
from driftline.consumer.deliver.dispatcher import Attempts, Counts, Dispatcher, Failure
from driftline.consumer.deliver.position import (
    FilePosition,
    MemoryPosition,
    Position,
    PositionStore,
)
from driftline.consumer.deliver.subscriber import (
    AlertRecord,
    AlertSubscriber,
    in_order,
    newest,
    subscribe,
)

__all__ = [
    "AlertRecord",
    "AlertSubscriber",
    "Attempts",
    "Choice",
    "Counts",
    "Dispatcher",
    "Failure",
    "FilePosition",
    "MemoryPosition",
    "Position",
    "PositionStore",
    "in_order",
    "newest",
    "subscribe",
]
