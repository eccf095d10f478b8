"""`schema_registry`: where the schemas of records are kept."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, SecretStr, model_validator
from pydantic.json_schema import SkipJsonSchema

from driftline.consumer.config.kafka import is_loopback
from driftline.consumer.config.notation import FilePath, Located, Section


def _url(value: str) -> str:
    parts = urlsplit(value)
    if parts.username or parts.password:
        raise ValueError("a secret does not belong here, set schema_registry.basic_auth_file")
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("write it as https://host:port, with a path where it has one")
    return value.rstrip("/")


class SchemaRegistryConfig(Section):
    """A Schema Registry, or what answers like one. `basic_auth_file` holds `user:password`.

    `basic_auth` is filled from the file or the environment, never the configuration.
    """

    url: Annotated[str, AfterValidator(_url)]
    basic_auth_file: FilePath | None = None
    ca_file: FilePath | None = None
    basic_auth: SkipJsonSchema[SecretStr | None] = None

    @model_validator(mode="after")
    def _login_is_protected(self) -> SchemaRegistryConfig:
        parts = urlsplit(self.url)
        login = self.basic_auth_file or self.basic_auth
        if login and parts.scheme == "http" and not is_loopback(f"{parts.hostname}:0"):
            raise Located(
                (("url",), "refused with a login, anybody on the way could read it: use https")
            )
        return self
