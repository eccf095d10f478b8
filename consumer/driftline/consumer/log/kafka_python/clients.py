"""Starting the client's classes: an answer within seconds, the cause in one sentence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import kafka
import kafka.errors

from driftline.consumer.config import KafkaConfig
from driftline.consumer.log.errors import LogError, Unreachable
from driftline.consumer.log.kafka_python.client_log import cap_client_log, quiet_client
from driftline.consumer.log.kafka_python.options import client_options

Client = TypeVar("Client")


def start_admin(config: KafkaConfig) -> Any:
    """Return the client's admin of a broker that the preflight has reached.

    Raises:
        LogError: The broker refuses; the sentence names the cause.
        Unreachable: The client got no answer.
    """
    cap_client_log()
    options = client_options(
        config, kafka.KafkaAdminClient, {"request_timeout_ms": 5_000}, reconnect_backoff_max_ms=500
    )
    return start_client(config, lambda: kafka.KafkaAdminClient(**options))


def start_client(config: KafkaConfig, start: Callable[[], Client]) -> Client:
    """Start a client of a broker that the preflight has reached.

    Raises:
        LogError: The broker refuses, or the options do not fit together.
        Unreachable: The client got no answer.
    """
    where = ", ".join(config.bootstrap_servers)
    try:
        with quiet_client():
            return start()
    except (kafka.errors.KafkaConfigurationError, TypeError, ValueError) as error:
        raise LogError(f"kafka.options do not fit together: {error}") from None
    except (kafka.errors.KafkaError, OSError) as error:
        # The preflight has seen all that a broker refuses at the door, the login included.
        if passing(error):
            raise Unreachable(f"{where}: reached, but it answers no request: {error}") from None
        raise LogError(f"{where}: the broker refuses: {type(error).__name__}: {error}") from None


def passing(error: Exception) -> bool:
    """Whether a failure of the client is one that trying again may cure."""
    # A broker says "unknown" where something went wrong in itself.
    return isinstance(error, OSError | kafka.errors.UnknownError) or bool(
        getattr(error, "retriable", False)
    )
