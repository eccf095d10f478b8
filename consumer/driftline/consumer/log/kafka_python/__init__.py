"""The log on a real Kafka, by way of kafka-python, which nothing else in the monitor knows.

`driftline.consumer.log.broker.connect` is the way in; nobody else imports anything from here but
`log.confluent`, which leaves to it what is not done for each record.
"""

from __future__ import annotations

from driftline.consumer.config import KafkaConfig
from driftline.consumer.log.kafka_python.identity import instance_id, ssl_context
from driftline.consumer.log.kafka_python.preflight import login, preflight
from driftline.consumer.log.protocol import Broker

PREFLIGHT = 4.0  # seconds for the bootstrap addresses, all at once


def connect(config: KafkaConfig) -> Broker:
    """Reach the broker and log in; see `driftline.consumer.log.broker.connect`."""
    reach(config)
    # Only now: the client is large, and of no use where no broker is.
    from driftline.consumer.log.kafka_python.broker import KafkaBroker

    return KafkaBroker(config)


def reach(config: KafkaConfig) -> None:
    """Return when a broker has answered that lets us in, whichever client comes then.

    Raises:
        LogError, Unreachable: See `driftline.consumer.log.broker.connect`.
    """
    instance_id(config)  # refused here too: what `check` accepts, `run` accepts
    context = ssl_context(config.tls) if config.tls else None
    preflight(config.bootstrap_servers, context, login(config), PREFLIGHT)
