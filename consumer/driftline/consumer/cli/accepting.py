"""Writing an acceptance from the command line."""

from __future__ import annotations

import time
from contextlib import closing

from driftline.consumer.cli.output_log import OutputLog
from driftline.consumer.config import Config
from driftline.consumer.deliver.acceptance_writer import AcceptanceRequest, AcceptanceWriter
from driftline.consumer.log.protocol import Broker
from driftline.consumer.wire.messages import Acceptance


def write(
    broker: Broker,
    config: Config | None,
    model: str,
    given: tuple[str, str, str, str | None, str | None],
) -> Acceptance:
    """Write that what a model shows is normal; return the record.

    Args:
        broker: where the topics are; it is given up.
        config: names the topics; without one they are `driftline.*`.
        model: its name.
        given: the feature, who accepts it, why, since when and from when on.

    Raises:
        AlertsError: it cannot be accepted, or the topic does not exist.
    """
    topic = OutputLog.of(broker, config).topic("panes")
    with closing(AcceptanceWriter(broker, topic, lambda: time.time_ns() // 1_000_000)) as writer:
        return writer.accept(model, AcceptanceRequest(*given))
