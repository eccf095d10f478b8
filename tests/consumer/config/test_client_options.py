"""The options of the Kafka client that `kafka.options` may set."""

from __future__ import annotations

from typing import Any

import kafka
import pytest
from pydantic import ValidationError

from driftline.consumer.config import KafkaConfig
from driftline.consumer.config.client_options import (
    FIXED,
    FREE,
    HEARTBEAT_MS,
    POLL_INTERVAL_MS,
    SESSION_MS,
    option_problems,
)

OWN_KEYS = {"bootstrap_servers", "group_id", "security_protocol"}


def test_every_option_of_the_client_is_in_the_list() -> None:
    clients = (kafka.KafkaConsumer, kafka.KafkaProducer, kafka.KafkaAdminClient)
    known = set().union(*(client.DEFAULT_CONFIG for client in clients))
    secured = {name for name in known if name.startswith(("sasl_", "ssl_"))}
    assert known - secured == FREE | FIXED | OWN_KEYS
    assert not FREE & FIXED


def test_the_defaults_of_the_client_are_accepted() -> None:
    for client in (kafka.KafkaConsumer, kafka.KafkaProducer):
        defaults = {name: value for name, value in client.DEFAULT_CONFIG.items() if name in FREE}
        named = {name: value for name, value in defaults.items() if value is not None}
        assert list(option_problems(named)) == []
    assert HEARTBEAT_MS < SESSION_MS < POLL_INTERVAL_MS


@pytest.mark.parametrize(
    ("options", "name", "said"),
    [
        ({"linger": 5}, "linger", "the client has no such option, did you mean linger_ms?"),
        ({"xyzzy": 5}, "xyzzy", "the client has no such option"),
        ({"isolation_level": "x"}, "isolation_level", "is set by Driftline"),
        ({"delivery_timeout_ms": 5}, "delivery_timeout_ms", "is set by Driftline"),
        ({"ssl_ciphers": "x"}, "ssl_ciphers", "is refused: use kafka.tls and kafka.sasl"),
        ({"max_poll_records": "many"}, "max_poll_records", "must be a whole number, 1 or more"),
        ({"max_poll_records": True}, "max_poll_records", "must be a whole number, 1 or more"),
        ({"max_poll_records": 0}, "max_poll_records", "must be a whole number, 1 or more"),
        ({"fetch_max_bytes": None}, "fetch_max_bytes", "must be a whole number, 1 or more"),
        ({"fetch_max_bytes": 1 << 31}, "fetch_max_bytes", "must be at most 2147483647"),
        ({"linger_ms": -1}, "linger_ms", "must be a whole number, 0 or more"),
        ({"metrics_enabled": "yes"}, "metrics_enabled", "must be true or false"),
        ({"client_id": 7}, "client_id", "must be text"),
        ({"compression_type": "zip"}, "compression_type", "must be one of gzip, snappy, lz4, zstd"),
        ({"group_instance_id": "my host"}, "group_instance_id", "not a legal group_instance_id"),
        ({"session_timeout_ms": 5_999}, "session_timeout_ms", "is 5999, brokers accept 6000"),
        (
            {"session_timeout_ms": 60_000, "max_poll_interval_ms": 30_000},
            "max_poll_interval_ms",
            "is 30000, it must be at least session_timeout_ms, 60000",
        ),
        (
            {"heartbeat_interval_ms": 10_000},
            "heartbeat_interval_ms",
            "is 10000, it must be below session_timeout_ms, 10000",
        ),
        (
            {"fetch_max_wait_ms": 40_000},
            "fetch_max_wait_ms",
            "is 40000, it must be below request_timeout_ms, 30000",
        ),
        (
            {"connections_max_idle_ms": 30_000},
            "connections_max_idle_ms",
            "is 30000, it must be above request_timeout_ms, 30000",
        ),
    ],
)
def test_what_cannot_be_used(options: dict[str, Any], name: str, said: str) -> None:
    ((found, text),) = option_problems(options)
    assert found == name
    assert text.startswith(said)


def test_one_id_is_enough() -> None:
    section = {"bootstrap_servers": "k:1", "options": {"group_instance_id": "x"}}
    assert KafkaConfig.model_validate(section).options == {"group_instance_id": "x"}
    with pytest.raises(ValidationError, match=r"and kafka\.static_membership are two ids"):
        KafkaConfig.model_validate({**section, "static_membership": True})


def test_batches_of_driftlines_own_fit_into_any_limit() -> None:
    section = {"bootstrap_servers": "k:1", "max_batch_bytes": 1 << 20}
    assert KafkaConfig.model_validate(section).max_batch_bytes == 1 << 20
    with pytest.raises(ValidationError, match=r"must be 1048576 or more, Driftline's own records"):
        KafkaConfig.model_validate({**section, "max_batch_bytes": (1 << 20) - 1})
