"""What is done with alerts: subscribing to them, and the sinks that they can be sent to.

The table of sinks loads nothing of what sends; the other names are imported when they are first
used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from driftline.consumer.deliver.sinks import SINKS, Sink, sinks_of

if TYPE_CHECKING:
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
    from driftline.consumer.deliver.webhook import Webhook
else:
    _NAMES = {
        "choice": ("Choice",),
        "dispatcher": ("Attempts", "Counts", "Dispatcher", "Failure"),
        "position": ("FilePosition", "MemoryPosition", "Position", "PositionStore"),
        "subscriber": ("AlertRecord", "AlertSubscriber", "in_order", "newest", "subscribe"),
        "webhook": ("Webhook",),
    }
    _MODULES = {name: module for module, names in _NAMES.items() for name in names}

    def __getattr__(name: str) -> Any:
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
        globals()[name] = value
        return value


__all__ = [
    "SINKS",
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
    "Sink",
    "Webhook",
    "in_order",
    "newest",
    "sinks_of",
    "subscribe",
]
