"""From the configuration's `kafka` section to the options of librdkafka's classes."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import confluent_kafka

from driftline.consumer.config import KafkaConfig, SaslConfig
from driftline.consumer.config.client_options import LIBRDKAFKA
from driftline.consumer.log.confluent.client_log import client_logger
from driftline.consumer.log.errors import LogError
from driftline.consumer.log.kafka_python.identity import secret, token

Client = TypeVar("Client")

_TOKEN_LASTS = 300.0  # seconds after which the file of a token is read again
# librdkafka's own: bytes asked for, bytes taken, ms.
_FETCH, _ANSWER, _BACKOFF = 50 * 1024 * 1024, 100_000_000, 100
_ROOM = 512  # bytes of an answer beside the records; librdkafka insists on them


def client_options(
    config: KafkaConfig, client: str, tunable: Mapping[str, Any], **fixed: Any
) -> dict[str, Any]:
    """Put together the options of one client, by librdkafka's names.

    Args:
        config: Where to connect and as whom.
        client: `consumer` or `producer`; options of the other one are left out.
        tunable: Driftline's choice, which `kafka.options` may replace.
        fixed: What this client needs and nobody may change.

    Raises:
        LogError: The login has no password.
    """
    options: dict[str, Any] = {
        "client.id": "driftline",
        "reconnect.backoff.max.ms": 1_000,
        "socket.timeout.ms": 30_000,
        "log_level": 4,  # warnings
        **tunable,
    }
    for name, value in config.options.items():
        known = LIBRDKAFKA.get(name)
        if known is None or known.client not in ("", client):
            continue
        if value is not None:
            options[known.name] = value
        elif name == "compression_type":  # to kafka-python, null is without
            options[known.name] = "none"
    options |= {
        "bootstrap.servers": ",".join(config.bootstrap_servers),
        "security.protocol": ("SASL_" if config.sasl else "")
        + ("SSL" if config.tls else "PLAINTEXT"),
        "logger": client_logger(),
        **fixed,
    }
    _fit(options, client)
    if config.tls is not None:
        files = {
            "ssl.ca.location": config.tls.ca_file,
            "ssl.certificate.location": config.tls.cert_file,
            "ssl.key.location": config.tls.key_file or config.tls.cert_file,
        }
        options |= {name: str(path) for name, path in files.items() if path is not None}
    if config.sasl is not None:
        options |= _sasl_options(config.sasl)
    return options


def _fit(options: dict[str, Any], client: str) -> None:
    """Move what was not set to where librdkafka takes it beside what was."""
    longest = options["reconnect.backoff.max.ms"]
    first = options.setdefault("reconnect.backoff.ms", min(_BACKOFF, longest))
    options["reconnect.backoff.max.ms"] = max(longest, first)
    options["retry.backoff.max.ms"] = max(1_000, options.get("retry.backoff.ms", 0))
    if client == "consumer":
        largest = options.get("fetch.max.bytes", _FETCH)
        options["message.max.bytes"] = min(1_000_000, largest)
        # An answer above this bound is asked for again and again; of zstd, it also bounds what a
        # batch unpacks to.
        options["receive.message.max.bytes"] = max(
            options.get("receive.message.max.bytes", _ANSWER), largest + _ROOM
        )


def start_client(start: Callable[[], Client]) -> Client:
    """Start a client of a broker that the preflight has reached.

    Raises:
        LogError: The options do not fit together.
    """
    try:
        return start()
    except (confluent_kafka.KafkaException, TypeError, ValueError) as error:
        raise LogError(f"kafka.options do not fit together: {reason(error)}") from None


def reason(error: Exception) -> str:
    """Return what librdkafka says, as a sentence."""
    inner = error.args[0] if error.args else error
    return inner.str() if isinstance(inner, confluent_kafka.KafkaError) else str(error)


def _sasl_options(sasl: SaslConfig) -> dict[str, Any]:
    options: dict[str, Any] = {"sasl.mechanism": sasl.mechanism}
    if sasl.mechanism == "OAUTHBEARER":
        # Asked again when the time is nearly over: whoever writes the file refreshes the token.
        options["oauth_cb"] = lambda _: (token(sasl), time.time() + _TOKEN_LASTS)
    else:
        options |= {"sasl.username": sasl.username, "sasl.password": secret(sasl)}
    return options
