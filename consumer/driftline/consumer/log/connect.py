"""Reaching the broker and logging in: refused within 15 seconds, with the cause in one sentence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import kafka
import kafka.errors

from driftline.consumer.config import KafkaConfig
from driftline.consumer.log.client_log import cap_client_log, quiet_client
from driftline.consumer.log.errors import LogError
from driftline.consumer.log.options import check_options, client_options, ssl_context
from driftline.consumer.log.preflight import preflight

PREFLIGHT = 4.0  # seconds for the bootstrap addresses, all at once

Client = TypeVar("Client")


def connect(config: KafkaConfig) -> Any:
    """Reach the broker, log in, and return the client's admin.

    Raises:
        LogError: Not reached or refused within 15 seconds; the sentence names the cause.
    """
    cap_client_log()
    wrong = check_options(config.options)
    if wrong:
        raise LogError("; ".join(wrong))
    context = ssl_context(config.tls) if config.tls else None
    mechanism = config.sasl.mechanism if config.sasl else None
    preflight(config.bootstrap_servers, context, mechanism, PREFLIGHT)
    options = client_options(
        config, kafka.KafkaAdminClient, {"request_timeout_ms": 5_000}, reconnect_backoff_max_ms=500
    )
    return start_client(config, lambda: kafka.KafkaAdminClient(**options))


def start_client(config: KafkaConfig, start: Callable[[], Client]) -> Client:
    """Start a client of a broker that the preflight has reached.

    Raises:
        LogError: The client got no answer, most likely because the login was refused.
    """
    try:
        with quiet_client():
            return start()
    except kafka.errors.KafkaConfigurationError as error:
        raise LogError(f"kafka.options do not fit together: {error}") from None
    except kafka.errors.KafkaError as error:
        where = ", ".join(config.bootstrap_servers)
        if config.sasl is None:
            raise LogError(f"{where}: reached, but it answers no request: {error}") from None
        # The client does not say that the login failed: the broker's answer and the end of the
        # connection arrive together, and it mostly drops the answer. The preflight has seen all
        # that comes before a login, so it is the password, or what the broker knows of the user.
        raise LogError(
            f"{where}: the broker refused the login of {config.sasl.username or 'the token'}:"
            " check kafka.sasl.username and the password"
        ) from None


def passing(error: Exception) -> bool:
    """Whether a failure of the client is one that trying again may cure."""
    return isinstance(error, OSError) or bool(getattr(error, "retriable", False))
