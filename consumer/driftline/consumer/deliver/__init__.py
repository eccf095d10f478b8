"""What is done with alerts: subscribing to them, a command for each, webhooks."""

from driftline.consumer.deliver.alertmanager import feed_alertmanager
from driftline.consumer.deliver.choice import Choice
from driftline.consumer.deliver.commands import run_commands
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
from driftline.consumer.deliver.webhook import Webhook, post_to_slack

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
    "Webhook",
    "feed_alertmanager",
    "in_order",
    "newest",
    "post_to_slack",
    "run_commands",
    "subscribe",
]
