"""Schemas from a Schema Registry, by its HTTP interface, which others answer too.

Source: the API of Confluent's Schema Registry, `/schemas` and `/subjects`.
"""

from __future__ import annotations

import base64
import json
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from driftline.consumer.config import SchemaRegistryConfig
from driftline.consumer.log.errors import LogError, Unreachable
from driftline.producer.records.formats.framing import SchemaId
from driftline.producer.records.formats.schemas import Schema, SchemaType

PATIENCE = 20.0  # seconds that an answer is waited for before the worker is started anew
_TIMEOUT = 5.0  # of one attempt
_PAUSE = 1.0
_LARGEST = 10_000_000  # bytes of an answer
_MOST_REFERENCES = 200
_TYPES: dict[str, SchemaType] = {"AVRO": "AVRO", "PROTOBUF": "PROTOBUF", "JSON": "JSON"}


class SchemaRegistry:
    """Finds schemas; see `SchemaSource`.

    Args:
        config: where it is, and as whom to ask.
        patience: seconds to ask again while it is away.
        clock: returns seconds, monotonic.
        pause: waits for a number of seconds.

    Attributes:
        url: where it is.
    """

    def __init__(
        self,
        config: SchemaRegistryConfig,
        patience: float = PATIENCE,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], object] = time.sleep,
    ) -> None:
        self.url = config.url
        self._patience, self._clock, self._pause = patience, clock, pause
        self._headers = {"Accept": "application/vnd.schemaregistry.v1+json, application/json"}
        if config.basic_auth is not None:
            login = base64.b64encode(config.basic_auth.get_secret_value().encode()).decode()
            self._headers["Authorization"] = f"Basic {login}"
        context = ssl.create_default_context(cafile=config.ca_file)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        # A login is not handed on to where an answer points to.
        https = urllib.request.HTTPSHandler(context=context)
        self._open = urllib.request.build_opener(https, _NoRedirect).open

    def find(self, schema: SchemaId) -> Schema | None:
        """Return a schema with what it refers to; None where the registry says there is none.

        Raises:
            LogError: it refuses, or is no Schema Registry.
            Unreachable: nobody answers.
        """
        kind = "guids" if isinstance(schema, str) else "ids"
        found = self._get(f"/schemas/{kind}/{schema}")
        if found is None:
            return None
        references: dict[str, str] = {}
        self._add_references(found, references)
        name = str(found.get("schemaType") or "AVRO")
        if name not in _TYPES:
            raise LogError(f"{self.url}: schema {schema} is of the type {name}, which is not read")
        return Schema(_TYPES[name], str(found["schema"]), tuple(references.items()))

    def check(self) -> None:
        """See that it answers as a registry.

        Raises:
            LogError, Unreachable: it does not.
        """
        self._get("/schemas/types")

    def _add_references(self, found: dict[str, Any], known: dict[str, str]) -> None:
        """Add what a schema refers to: what others need comes before them."""
        for reference in found.get("references") or ():
            name = str(reference["name"])
            if name in known:
                continue
            if len(known) >= _MOST_REFERENCES:
                text = f"{self.url}: a schema refers to more than {_MOST_REFERENCES} others"
                raise LogError(text)
            subject = quote(str(reference["subject"]), safe="")
            other = self._get(f"/subjects/{subject}/versions/{int(reference['version'])}")
            if other is None:
                raise LogError(f"{self.url}: a schema refers to {name}, which is not there")
            known[name] = ""  # a circle ends here
            self._add_references(other, known)
            del known[name]
            known[name] = str(other["schema"])

    def _get(self, path: str) -> Any:
        """Return an answer; None where there is no such thing.

        Raises:
            LogError, Unreachable: see `find`.
        """
        began = self._clock()
        while True:
            try:
                return self._ask(path)
            except (OSError, TimeoutError, _Busy) as error:
                reason = getattr(error, "reason", None) or str(error) or type(error).__name__
                if isinstance(reason, ssl.SSLCertVerificationError):
                    raise LogError(
                        f"schema_registry.url {self.url}: its certificate is not trusted"
                        f" ({reason.verify_message}): set schema_registry.ca_file"
                    ) from None
                if self._clock() - began >= self._patience:
                    raise Unreachable(
                        f"the Schema Registry {self.url} gives no answer: {reason}"
                    ) from None
            self._pause(_PAUSE)

    def _ask(self, path: str) -> Any:
        request = urllib.request.Request(self.url + path, headers=self._headers)  # noqa: S310 (http)
        try:
            with self._open(request, timeout=_TIMEOUT) as answer:
                text = answer.read(_LARGEST + 1)
        except urllib.error.HTTPError as error:
            with error:
                return self._refused(error, error.read(_LARGEST))
        try:
            found = json.loads(text)
        except ValueError:
            found = None
        if found is None or len(text) > _LARGEST:
            raise LogError(f"schema_registry.url {self.url} answers, but not as a Schema Registry")
        return found

    def _refused(self, error: urllib.error.HTTPError, text: bytes) -> None:
        """Say what an error means; return where it means that there is no such thing."""
        if error.code >= HTTPStatus.INTERNAL_SERVER_ERROR or error.code in (
            HTTPStatus.TOO_MANY_REQUESTS,
            HTTPStatus.REQUEST_TIMEOUT,
        ):
            raise _Busy(f"{error.code} {error.reason}")
        if error.code in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            raise LogError(
                f"the Schema Registry {self.url} refuses: {error.code} {error.reason}:"
                " check schema_registry.basic_auth_file"
            )
        try:
            code = json.loads(text)["error_code"]
        except (ValueError, TypeError, KeyError):
            code = None
        if error.code == HTTPStatus.NOT_FOUND and code is not None:
            return
        raise LogError(
            f"schema_registry.url {self.url} answers {error.code} {error.reason}, not as a Schema"
            " Registry: check the address and its path"
        )


class _Busy(Exception):  # noqa: N818 (asked again, like a connection that fails)
    """It answers that it cannot now."""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any) -> None:
        """Follow none: the answer then is an error that names the code."""
