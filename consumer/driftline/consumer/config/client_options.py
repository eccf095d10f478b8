"""The one list of options of the Kafka client that `kafka.options` may set, and how.

It is checked wherever a configuration is read, so that what `driftline check` accepts,
`driftline run` accepts as well. The client itself is not asked: it takes wrong types, and several
of its options without any effect.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from driftline.consumer.config.names import check_name
from driftline.producer.records.names import nearest

# What Driftline sets where `kafka.options` does not; ms.
SESSION_MS = 10_000  # silence after which the group gives a worker's partitions to others
HEARTBEAT_MS = 2_000
POLL_INTERVAL_MS = 300_000  # as the session, for a worker whose heart beats but that does not poll
SHORTEST_SESSION_MS = 6_000  # a broker's own default
_LARGEST = 2**31 - 1  # the client sends these as 32 bits, and tries again for ever when it cannot
PASSWORD_ADVICE = "set kafka.sasl.password_file or DRIFTLINE__KAFKA__SASL__PASSWORD"  # noqa: S105 (advice)

_SECRET = re.compile(r"passw|secret|token|credential|private|jaas|api_?key|oauth", re.IGNORECASE)

_POSITIVE = frozenset(
    {
        "auto_commit_interval_ms",
        "batch_size",
        "connections_max_idle_ms",
        "fetch_max_bytes",
        "heartbeat_interval_ms",
        "max_partition_fetch_bytes",
        "max_poll_interval_ms",
        "max_poll_records",
        "max_request_size",
        "metadata_max_age_ms",
        "metrics_num_samples",
        "metrics_sample_window_ms",
        "receive_buffer_bytes",
        "receive_message_max_bytes",
        "reconnect_backoff_max_ms",
        "request_timeout_ms",
        "send_buffer_bytes",
        "session_timeout_ms",
        "transaction_timeout_ms",
    }
)
_NOT_NEGATIVE = frozenset(
    {
        "fetch_max_wait_ms",
        "fetch_min_bytes",
        "linger_ms",
        "reconnect_backoff_ms",
        "retry_backoff_ms",
    }
)
_SWITCHES = frozenset(
    {"enable_incremental_fetch_sessions", "exclude_internal_topics", "metrics_enabled"}
)
_TEXTS = frozenset({"client_id", "client_rack", "metric_group_prefix", "proxy_url", "socks5_proxy"})
_CHOICES = {
    "client_dns_lookup": ("use_all_dns_ips", "resolve_canonical_bootstrap_servers_only"),
    "compression_type": ("gzip", "snappy", "lz4", "zstd"),
}
INSTANCE_ID = "group_instance_id"
FREE = _POSITIVE | _NOT_NEGATIVE | _SWITCHES | _TEXTS | _CHOICES.keys() | {INSTANCE_ID}

_OWN_KEYS = {
    "bootstrap_servers": "kafka.bootstrap_servers",
    "group_id": "kafka.group",
    "sasl_mechanism": "kafka.sasl.mechanism",
    "sasl_plain_username": "kafka.sasl.username",
    "security_protocol": "kafka.tls and kafka.sasl",
    "ssl_cafile": "kafka.tls.ca_file",
    "ssl_certfile": "kafka.tls.cert_file",
    "ssl_keyfile": "kafka.tls.key_file",
}
FIXED = frozenset(
    {
        "acks",
        "allow_auto_create_topics",
        "api_version",
        "auto_offset_reset",
        "bootstrap_timeout_ms",
        "check_crcs",
        "consumer_timeout_ms",
        "default_offset_commit_callback",
        "delivery_timeout_ms",
        "enable_auto_commit",
        "enable_idempotence",
        "isolation_level",
        "kafka_client",
        "key_deserializer",
        "key_serializer",
        "max_block_ms",
        "max_in_flight_requests_per_connection",
        "metric_reporters",
        "partition_assignment_strategy",
        "partitioner",
        "retries",
        "selector",
        "socket_options",
        "transactional_id",
        "value_deserializer",
        "value_serializer",
    }
)


class Librdkafka(NamedTuple):
    """How librdkafka has an option of kafka-python's.

    Attributes:
        name: Its name for it.
        client: Which of its classes knows it: `consumer`, `producer`, or both when empty.
        least, most: The whole numbers that it takes, narrower than kafka-python's.
    """

    name: str
    client: str = ""
    least: int = 0
    most: int = _LARGEST


# `kafka.options` is written in the names of kafka-python whichever client there is.
LIBRDKAFKA = {
    "batch_size": Librdkafka("batch.size", "producer", 1),
    "client_dns_lookup": Librdkafka("client.dns.lookup"),
    "client_id": Librdkafka("client.id"),
    "client_rack": Librdkafka("client.rack", "consumer"),
    "compression_type": Librdkafka("compression.type", "producer"),
    "connections_max_idle_ms": Librdkafka("connections.max.idle.ms", "", 1),
    "fetch_max_bytes": Librdkafka("fetch.max.bytes", "consumer", 1_000, _LARGEST - 512),
    "fetch_max_wait_ms": Librdkafka("fetch.wait.max.ms", "consumer", most=300_000),
    "fetch_min_bytes": Librdkafka("fetch.min.bytes", "consumer", 1, 100_000_000),
    "linger_ms": Librdkafka("linger.ms", "producer", most=900_000),
    "max_partition_fetch_bytes": Librdkafka(
        "max.partition.fetch.bytes", "consumer", 1, 1_000_000_000
    ),
    "max_request_size": Librdkafka("message.max.bytes", "producer", 1_000, 1_000_000_000),
    "metadata_max_age_ms": Librdkafka("metadata.max.age.ms", "", 1, 86_400_000),
    "receive_buffer_bytes": Librdkafka("socket.receive.buffer.bytes", "", 1, 100_000_000),
    "receive_message_max_bytes": Librdkafka("receive.message.max.bytes", "", 1_000),
    "reconnect_backoff_max_ms": Librdkafka("reconnect.backoff.max.ms", "", 1, 3_600_000),
    "reconnect_backoff_ms": Librdkafka("reconnect.backoff.ms", most=3_600_000),
    "request_timeout_ms": Librdkafka("socket.timeout.ms", "", 10, 300_000),
    "retry_backoff_ms": Librdkafka("retry.backoff.ms", "", 1, 300_000),
    "transaction_timeout_ms": Librdkafka("transaction.timeout.ms", "producer", 1_000),
    "send_buffer_bytes": Librdkafka("socket.send.buffer.bytes", "", 1, 100_000_000),
}
# With it too, kafka-python is the member of the group, and these are the member's.
OF_THE_MEMBER = frozenset(
    {
        INSTANCE_ID,
        "auto_commit_interval_ms",
        "exclude_internal_topics",
        "heartbeat_interval_ms",
        "max_poll_interval_ms",
        "max_poll_records",
        "session_timeout_ms",
    }
)


def librdkafka_problems(options: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield each option that librdkafka has not, or not with this value, and why.

    >>> dict(librdkafka_problems({"socks5_proxy": "a:1", "linger_ms": 5}))
    {'socks5_proxy': 'kafka.client confluent has no such option, remove it'}
    >>> dict(librdkafka_problems({"fetch_min_bytes": 0}))
    {'fetch_min_bytes': 'kafka.client confluent takes 1 to 100000000'}
    """
    for name, value in options.items():
        if name in OF_THE_MEMBER:
            continue
        known = LIBRDKAFKA.get(name)
        if known is None:
            near = nearest(name, sorted(LIBRDKAFKA.keys() | OF_THE_MEMBER))
            yield name, f"kafka.client confluent has no such option, {near or 'remove it'}"
        elif isinstance(value, int) and not known.least <= value <= known.most:
            yield name, f"kafka.client confluent takes {known.least} to {known.most}"


def option_problems(options: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield each option that cannot be used, and why.

    >>> dict(option_problems({"acks": 1, "fetch_max_byte": 1}))["fetch_max_byte"]
    'the client has no such option, did you mean fetch_max_bytes?'
    >>> list(option_problems({"session_timeout_ms": 500}))
    [('session_timeout_ms', 'is 500, brokers accept 6000 and more')]
    """
    found = {name: text for name in options if (text := _problem(name, options[name]))}
    yield from found.items()
    sound = {name: value for name, value in options.items() if name not in found}
    yield from _misfits({name: value for name, value in sound.items() if value is not None})


def _problem(name: str, value: object) -> str | None:
    if name not in FREE:
        return _refusal(name)
    if not isinstance(value, str | int | float | None):
        return "must be text, a number, true or false"
    if name in _SWITCHES:
        return None if isinstance(value, bool) else "must be true or false"
    if name in _POSITIVE | _NOT_NEGATIVE:
        least = 1 if name in _POSITIVE else 0
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            return f"must be a whole number, {least} or more"
        return f"must be at most {_LARGEST}" if value > _LARGEST else None
    if value is None:
        return None
    if name in _CHOICES:
        known = _CHOICES[name]
        return None if value in known else f"must be one of {', '.join(known)}"
    if not isinstance(value, str):
        return "must be text"
    try:
        check_name(value if name == INSTANCE_ID else "any", INSTANCE_ID)
    except ValueError as error:
        return str(error)
    return None


def _refusal(name: str) -> str:
    if name in _OWN_KEYS:
        return f"has its own key, use {_OWN_KEYS[name]}"
    if name in ("sasl_plain_password", "sasl_password"):
        return f"a secret does not belong here, {PASSWORD_ADVICE}"
    if name == "ssl_password":
        return "a secret does not belong here, use a key_file that needs no passphrase"
    if _SECRET.search(name):
        return f"looks like a secret, which does not belong here: {PASSWORD_ADVICE}"
    if name in FIXED:
        return "is set by Driftline, whose promises rest on it: remove it"
    if name.startswith(("sasl_", "ssl_")):
        return "is refused: use kafka.tls and kafka.sasl"
    return ", ".join(filter(None, ("the client has no such option", nearest(name, sorted(FREE)))))


def _misfits(options: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what does not fit to another option, or to what that is by default."""
    session = options.get("session_timeout_ms", SESSION_MS)
    if session < SHORTEST_SESSION_MS:
        yield "session_timeout_ms", f"is {session}, brokers accept {SHORTEST_SESSION_MS} and more"
        return
    # Of poll interval and session, client and broker accept any two, and the worker would leave
    # its group all the time.
    for lower, upper, room in (
        ("session_timeout_ms", "max_poll_interval_ms", 0),
        ("heartbeat_interval_ms", "session_timeout_ms", 1),
        ("fetch_max_wait_ms", "request_timeout_ms", 1),
        ("request_timeout_ms", "connections_max_idle_ms", 1),
    ):
        low, high = (options.get(name, _DEFAULTS[name]) for name in (lower, upper))
        if high < low + room and upper in options:
            yield upper, f"is {high}, it must be {'above' if room else 'at least'} {lower}, {low}"
        elif high < low + room:
            yield lower, f"is {low}, it must be {'below' if room else 'at most'} {upper}, {high}"


_DEFAULTS = {
    "session_timeout_ms": SESSION_MS,
    "heartbeat_interval_ms": HEARTBEAT_MS,
    "max_poll_interval_ms": POLL_INTERVAL_MS,
    # The client's own.
    "fetch_max_wait_ms": 500,
    "request_timeout_ms": 30_000,
    "connections_max_idle_ms": 540_000,
}


def poll_interval(options: Mapping[str, Any]) -> tuple[str, int]:
    """Return the option that says how long a worker may be without a poll, and what it is, ms.

    >>> poll_interval({})
    ('max_poll_interval_ms', 300000)
    """
    name = "max_poll_interval_ms"
    return name, int(options.get(name, _DEFAULTS[name]))
