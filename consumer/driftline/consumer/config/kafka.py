"""`kafka` and `output`: the cluster, the login, and Driftline's own topics."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)
from pydantic.json_schema import SkipJsonSchema

from driftline.consumer.config.client_options import (
    INSTANCE_ID,
    librdkafka_problems,
    option_problems,
)
from driftline.consumer.config.names import OUTPUT_TOPICS, check_name
from driftline.consumer.config.notation import (
    Count,
    FilePath,
    Located,
    Section,
    StartPoint,
    Texts,
)
from driftline.consumer.config.values import Start

DAY = 86_400_000
_SMALLEST_LIMIT = 1 << 20  # bytes; what Driftline writes itself is smaller, and read by it too
_ADDRESS = re.compile(r"(\[[0-9a-fA-F:.]+\]|[a-zA-Z0-9._-]+):([0-9]{1,5})")


def _addresses(servers: tuple[str, ...]) -> tuple[str, ...]:
    if not servers:
        raise ValueError("name at least one broker as host:port")
    for server in servers:
        # The text is not repeated: it may hold a password before the host.
        match = _ADDRESS.fullmatch(server)
        if not match or not 1 <= int(match[2]) <= 65535:
            raise ValueError("write each broker as host:port, for example kafka-1:9092")
    return servers


def _holds_our_own(limit: int) -> int:
    if limit < _SMALLEST_LIMIT:
        raise ValueError(f"must be {_SMALLEST_LIMIT} or more, Driftline's own records need it")
    return limit


class TlsConfig(Section):
    """TLS 1.2 or newer; without `ca_file` the system's certificate authorities hold."""

    ca_file: FilePath | None = None
    cert_file: FilePath | None = None
    key_file: FilePath | None = None

    @field_validator("key_file")
    @classmethod
    def _key_has_certificate(cls, value: object, info: ValidationInfo) -> object:
        if value is not None and info.data.get("cert_file", ...) is None:
            raise ValueError("a key needs its certificate: set cert_file too")
        return value


class SaslConfig(Section):
    """The login. `password` is filled from `password_file` or the environment, never the file."""

    mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"]
    username: Annotated[str | None, Field(validate_default=True)] = None
    password_file: FilePath | None = None
    password: SkipJsonSchema[SecretStr | None] = None

    @field_validator("username")
    @classmethod
    def _has_username(cls, value: str | None, info: ValidationInfo) -> str | None:
        mechanism = info.data.get("mechanism", "OAUTHBEARER")
        if not value and mechanism != "OAUTHBEARER":
            raise ValueError(f"{mechanism} needs a user name")
        return value


def _not_empty(value: Any) -> Any:
    if value is None:
        raise ValueError("has no value: write {} for TLS with the system's authorities")
    return value


class KafkaConfig(Section):
    """Where the topics are. `group` defaults to `output.prefix`."""

    bootstrap_servers: Annotated[Texts, AfterValidator(_addresses)]
    group: str = ""
    start: StartPoint = Start("ago", DAY)
    tls: Annotated[TlsConfig | None, BeforeValidator(_not_empty)] = None
    sasl: SaslConfig | None = None
    max_batch_bytes: Annotated[
        Count,
        AfterValidator(_holds_our_own),
        WithJsonSchema({"type": "integer", "minimum": _SMALLEST_LIMIT}),
    ] = 64 * 1024 * 1024
    static_membership: bool = False
    client: Literal["kafka-python", "confluent"] = "kafka-python"
    options: Annotated[
        dict[str, Any],
        WithJsonSchema(
            {
                "type": "object",
                "additionalProperties": {"type": ["string", "number", "boolean", "null"]},
            }
        ),
    ] = Field(default_factory=dict)

    @field_validator("sasl")
    @classmethod
    def _login_is_protected(
        cls, value: SaslConfig | None, info: ValidationInfo
    ) -> SaslConfig | None:
        servers = info.data.get("bootstrap_servers", ())
        if value and info.data.get("tls", ...) is None and not all(map(is_loopback, servers)):
            raise ValueError(
                "refused without TLS, because anybody on the way could read the login:"
                " add `tls: {}` to kafka"
            )
        return value

    @field_validator("options")
    @classmethod
    def _options_are_free(cls, options: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        found = dict(option_problems(options))
        if info.data.get("client") == "confluent":
            sound = {name: value for name, value in options.items() if name not in found}
            found |= dict(librdkafka_problems(sound))
        problems = [((name,), text) for name, text in found.items()]
        if info.data.get("static_membership") and INSTANCE_ID in options:
            problems.append(((INSTANCE_ID,), "and kafka.static_membership are two ids: remove one"))
        if problems:
            raise Located(*problems)
        return options


def is_loopback(server: str) -> bool:
    """Tell whether `host:port` never leaves this machine.

    >>> is_loopback("localhost:9092"), is_loopback("[::1]:9092"), is_loopback("kafka-1:9092")
    (True, True, False)
    """
    host = server.rpartition(":")[0].strip("[]")
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _prefix(value: str) -> str:
    longest = max(map(len, OUTPUT_TOPICS)) + 1
    check_name(value + "." * longest, "topic")
    return check_name(value, "topic")


class OutputConfig(Section):
    """Driftline's own topics: `<prefix>.alerts` and so on."""

    prefix: Annotated[str, AfterValidator(_prefix)] = "driftline"
    create_topics: bool = False
    partitions: Count | None = None
    replication_factor: Count | None = None
    merge_panes: bool = False

    def topic(self, name: str) -> str:
        """Return the full name of an output topic.

        >>> OutputConfig().topic("alerts")
        'driftline.alerts'
        """
        return f"{self.prefix}.{name}"
