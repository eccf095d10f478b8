"""From the configuration's `kafka` section to the options of the client's classes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kafka.net.sasl import get_sasl_mechanism
from kafka.net.sasl.oauth import AbstractTokenProvider

from driftline.consumer.config import KafkaConfig, SaslConfig
from driftline.consumer.config.client_options import INSTANCE_ID
from driftline.consumer.log.kafka_python.identity import instance_id, secret, ssl_context, token

BOOTSTRAP_MS = 8_000  # for a client to get its first answer


def client_options(
    config: KafkaConfig, client: Any, tunable: Mapping[str, Any], **fixed: Any
) -> dict[str, Any]:
    """Put together the options of one client.

    Args:
        config: Where to connect and as whom.
        client: The client's class; options that it does not know are for another one.
        tunable: Driftline's choice, which `kafka.options` may replace.
        fixed: What this client needs and nobody may change.

    Raises:
        LogError: A file of `kafka.tls` cannot be used, the login has no password, or the host's
            name cannot be the id of a member.
    """
    options = {"client_id": "driftline", "reconnect_backoff_max_ms": 1_000, **tunable}
    known = client.DEFAULT_CONFIG
    options |= {name: value for name, value in config.options.items() if name in known}
    if fixed.get("group_id") is None:
        options.pop(INSTANCE_ID, None)  # a reader outside the group is no member of it
    else:
        options[INSTANCE_ID] = instance_id(config)
    options |= {
        "bootstrap_servers": list(config.bootstrap_servers),
        "bootstrap_timeout_ms": BOOTSTRAP_MS,
        "security_protocol": ("SASL_" if config.sasl else "")
        + ("SSL" if config.tls else "PLAINTEXT"),
        **fixed,
    }
    if config.tls is not None:
        # Ready-made: the client ignores some of its own ssl options silently.
        options["ssl_context"] = ssl_context(config.tls)
    if config.sasl is not None:
        options |= _sasl_options(config.sasl)
    return options


def start_login(sasl: SaslConfig) -> Any:
    """Begin a login as the client does: its object for the mechanism.

    Raises:
        LogError: The login has no password.
    """
    return get_sasl_mechanism(sasl.mechanism)(**_sasl_options(sasl))


def _sasl_options(sasl: SaslConfig) -> dict[str, Any]:
    options: dict[str, Any] = {"sasl_mechanism": sasl.mechanism}
    if sasl.mechanism == "OAUTHBEARER":
        options["sasl_oauth_token_provider"] = _Token(sasl)
    else:
        options["sasl_plain_username"] = sasl.username
        options["sasl_plain_password"] = secret(sasl)
    return options


class _Token(AbstractTokenProvider):  # type: ignore[misc]  # the client ships no types
    """The token as its file holds it at each login."""

    def __init__(self, sasl: SaslConfig) -> None:
        super().__init__()
        self._sasl = sasl

    def token(self) -> str:
        return token(self._sasl)
