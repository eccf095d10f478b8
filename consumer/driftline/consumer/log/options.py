"""From the configuration's `kafka` section to the options of the client's classes."""

from __future__ import annotations

import difflib
import ssl
from collections.abc import Mapping
from typing import Any

import kafka
from kafka.net.sasl import get_sasl_mechanism
from kafka.net.sasl.oauth import AbstractTokenProvider

from driftline.consumer.config import KafkaConfig, SaslConfig, TlsConfig
from driftline.consumer.config.secrets import read_password
from driftline.consumer.log.errors import LogError
from driftline.consumer.log.preflight import Login

BOOTSTRAP_MS = 8_000  # for a client to get its first answer: several attempts to log in
SESSION_MS = 10_000  # silence after which the group gives a worker's partitions to others
POLL_INTERVAL_MS = 300_000  # the same for a worker whose heart beats but that does not poll
SHORTEST_SESSION_MS = 6_000  # a broker's own default

# What Driftline's promises rest on, or what has a key of its own.
FIXED = frozenset(
    {
        "acks",
        "allow_auto_create_topics",
        "api_version",
        "auto_offset_reset",
        "bootstrap_servers",
        "bootstrap_timeout_ms",
        "check_crcs",
        "consumer_timeout_ms",
        "default_offset_commit_callback",
        "delivery_timeout_ms",
        "enable_auto_commit",
        "enable_idempotence",
        "group_id",
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
        "security_protocol",
        "selector",
        "transactional_id",
        "value_deserializer",
        "value_serializer",
    }
)


def check_options(options: Mapping[str, Any]) -> list[str]:
    """Say what is wrong with `kafka.options`, one sentence each.

    >>> check_options({"acks": 1})
    ['kafka.options.acks cannot be changed: what Driftline promises rests on it']
    >>> check_options({"fetch_max_byte": 1})
    ['kafka.options.fetch_max_byte: the client has no such option, did you mean fetch_max_bytes?']
    >>> check_options({"session_timeout_ms": 500})
    ['kafka.options.session_timeout_ms is 500, brokers accept 6000 and more']
    """
    known = {*kafka.KafkaConsumer.DEFAULT_CONFIG, *kafka.KafkaProducer.DEFAULT_CONFIG}
    found = []
    for name in options:
        key = f"kafka.options.{name}"
        if name.startswith(("sasl_", "ssl_")):
            found.append(f"{key} is refused: use kafka.tls and kafka.sasl")
        elif name in FIXED:
            found.append(f"{key} cannot be changed: what Driftline promises rests on it")
        elif name not in known:
            near = difflib.get_close_matches(name, sorted(known), n=1)
            hint = f", did you mean {near[0]}?" if near else ""
            found.append(f"{key}: the client has no such option{hint}")
    session = options.get("session_timeout_ms", SESSION_MS)
    interval = options.get("max_poll_interval_ms", POLL_INTERVAL_MS)
    if session < SHORTEST_SESSION_MS:
        found.append(
            f"kafka.options.session_timeout_ms is {session}, brokers accept"
            f" {SHORTEST_SESSION_MS} and more"
        )
    elif interval < session:
        # Client and broker both accept it, and the worker would leave its group all the time.
        found.append(
            f"kafka.options.max_poll_interval_ms is {interval}, it must not be less than"
            f" session_timeout_ms ({session})"
        )
    return found


def client_options(
    config: KafkaConfig, client: Any, tunable: Mapping[str, Any], **fixed: Any
) -> dict[str, Any]:
    """Put together the options of one client.

    Args:
        config: Where to connect and as whom.
        client: The client's class; options that it does not know are for another one.
        tunable: Driftline's choice where `kafka.options` may say otherwise.
        fixed: What this client needs and nobody may change.

    Raises:
        LogError: A file of `kafka.tls` cannot be used, or the login has no password.
    """
    options = {"client_id": "driftline", "reconnect_backoff_max_ms": 1_000, **tunable}
    known = client.DEFAULT_CONFIG
    options |= {name: value for name, value in config.options.items() if name in known}
    options |= {
        "bootstrap_servers": list(config.bootstrap_servers),
        "bootstrap_timeout_ms": BOOTSTRAP_MS,
        "security_protocol": ("SASL_" if config.sasl else "")
        + ("SSL" if config.tls else "PLAINTEXT"),
        **fixed,
    }
    if config.tls is not None:
        # Ready-made: the client ignores some of its own ssl options without a word.
        options["ssl_context"] = ssl_context(config.tls)
    if config.sasl is not None:
        options |= _sasl_options(config.sasl)
    return options


def login(config: KafkaConfig) -> Login | None:
    """Return how to log in as the client does, None without a login.

    Raises:
        LogError: The login has no password.
    """
    if config.sasl is None:
        return None
    options = _sasl_options(config.sasl)
    mechanism = get_sasl_mechanism(config.sasl.mechanism)
    user = config.sasl.username or "the token"
    return Login(config.sasl.mechanism, user, lambda: mechanism(**options))


def _sasl_options(sasl: SaslConfig) -> dict[str, Any]:
    options: dict[str, Any] = {"sasl_mechanism": sasl.mechanism}
    if sasl.mechanism == "OAUTHBEARER":
        options["sasl_oauth_token_provider"] = _Token(sasl)
    else:
        options["sasl_plain_username"] = sasl.username
        options["sasl_plain_password"] = _secret(sasl)
    return options


def ssl_context(tls: TlsConfig) -> ssl.SSLContext:
    """Build the one TLS context: 1.2 or newer, certificate and host name checked.

    Raises:
        LogError: A file is missing or not in PEM format.
    """
    try:
        context = ssl.create_default_context(cafile=tls.ca_file)
    except (OSError, ValueError) as error:
        raise LogError(f"kafka.tls.ca_file {tls.ca_file} cannot be used: {error}") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # Python 3.13 alone also wants key identifiers, which many private authorities do not write.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if tls.cert_file is not None:
        try:
            # Without a passphrase OpenSSL would ask for one, and wait at the terminal.
            context.load_cert_chain(tls.cert_file, tls.key_file, password="")
        except (OSError, ValueError) as error:
            raise LogError(f"kafka.tls.cert_file {tls.cert_file} cannot be used: {error}") from None
    return context


def _secret(sasl: SaslConfig) -> str:
    if sasl.password is None:
        raise LogError("kafka.sasl has no password: set kafka.sasl.password_file")
    return sasl.password.get_secret_value()


class _Token(AbstractTokenProvider):  # type: ignore[misc]  # the client ships no types
    """The token as its file holds it at each login: whoever writes the file refreshes it."""

    def __init__(self, sasl: SaslConfig) -> None:
        super().__init__()
        self._sasl = sasl

    def token(self) -> str:
        if self._sasl.password_file is None:
            return _secret(self._sasl)
        path = self._sasl.password_file
        try:
            return read_password(path).strip()
        except OSError as error:
            text = f"kafka.sasl.password_file {path} cannot be read: {error.strerror}"
            raise LogError(text) from None
