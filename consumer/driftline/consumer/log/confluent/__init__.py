"""The log on a real Kafka, fetched and written by librdkafka (`kafka.client: confluent`).

The group stays kafka-python's: who owns which partitions, in which generation, and what is
committed. librdkafka shares partitions by its own assignors only and tells Python no generation,
and a worker's claims rest on both. So does what is asked of the broker once in a while: topics,
offsets, the login at the door. What costs CPU per record is librdkafka's: fetching, unpacking,
checking, and writing.

`driftline.consumer.log.broker.connect` is the way in; nobody else imports anything from here.
"""

from __future__ import annotations

from driftline.consumer.config import KafkaConfig
from driftline.consumer.log import kafka_python
from driftline.consumer.log.protocol import Broker


def connect(config: KafkaConfig) -> Broker:
    """Reach the broker and log in; see `driftline.consumer.log.broker.connect`."""
    # Only here: it needs the extra, without which the other client works.
    from driftline.consumer.log.confluent.broker import ConfluentBroker

    kafka_python.reach(config)
    return ConfluentBroker(config)
