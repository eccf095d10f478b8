"""Reaching the broker: the one way to a log, and waiting for one that is away."""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib.util import find_spec
from typing import TYPE_CHECKING, TypeVar

from driftline.consumer.log.errors import LogError, Unreachable
from driftline.consumer.log.protocol import Broker

if TYPE_CHECKING:  # what reads it is large, and a verb that fails may not need it
    from driftline.consumer.config import KafkaConfig

PAUSE = 1.0  # seconds between two attempts to reach a broker
EVERY = 60.0  # seconds between two lines about a broker that is away

Reached = TypeVar("Reached")


def require_client(config: KafkaConfig) -> None:
    """Refuse a client that is not installed; no broker is asked.

    Raises:
        LogError: it is not.
    """
    if config.client == "confluent" and find_spec("confluent_kafka") is None:
        raise LogError(
            'kafka.client: confluent needs the extra confluent: pip install "driftline[confluent]"'
        )


def connect(config: KafkaConfig) -> Broker:
    """Reach the broker and log in.

    Args:
        config: where it is, as whom to log in, and the name of the group.

    Raises:
        LogError: the broker refuses; the sentence names the cause. Or the client is not installed.
        Unreachable: nobody answers as a broker. Both are known within 15 seconds.
    """
    require_client(config)
    # Only here: what asks no broker starts without the client.
    from driftline.consumer.log import confluent, kafka_python

    if config.client == "confluent":
        return confluent.connect(config)
    return kafka_python.connect(config)


def wait_for_broker(
    attempt: Callable[[], Reached],
    longest: float | None,
    report: Callable[[Unreachable, float], object],
    pause: Callable[[float], object],
    clock: Callable[[], float] = time.monotonic,
) -> Reached:
    """Try to reach the broker again and again until it is there.

    Args:
        attempt: one attempt.
        longest: seconds to wait; None waits without end, 0 tries once.
        report: called with the cause and the seconds waited so far: at once, then once a minute.
        pause: waits for a number of seconds; what it raises ends the wait.
        clock: returns seconds, monotonic.

    Raises:
        LogError: a broker was reached, and refuses.
        Unreachable: none was reached in time.
    """
    began = clock()
    reported = began - EVERY
    while True:
        try:
            return attempt()
        except Unreachable as error:
            now = clock()
            if longest is not None and now - began >= longest:
                raise
            if now - reported >= EVERY:
                reported = now
                report(error, now - began)
        pause(PAUSE)
