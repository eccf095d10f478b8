"""A registry's answers: schemas, that there is none, a refusal, or none at all."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from pydantic import SecretStr

from driftline.consumer.config import SchemaRegistryConfig
from driftline.consumer.log.errors import LogError, Unreachable
from driftline.consumer.log.schema_registry import SchemaRegistry
from driftline.producer.records.formats.schemas import Schema

GUID = "0d1b1f9c-6b5e-4d2a-9c55-0f0e1d2c3b4a"
MISSING = (404, {"error_code": 40403, "message": "Schema not found"})


class Server(ThreadingHTTPServer):
    """Answers with what it was given, in turn; else as the last time."""

    answers: dict[str, list[tuple[int, Any]]]
    asked: list[tuple[str, str | None]]


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.asked.append((self.path, self.headers.get("Authorization")))
        answers = self.server.answers.get(self.path, [MISSING])
        code, body = answers.pop(0) if len(answers) > 1 else answers[0]
        text = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(code)
        if code == 302:
            self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the base's name)
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server(("127.0.0.1", 0), Handler)
    server.answers, server.asked = {}, []
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def registry(server: Server, patience: float = 0, **more: Any) -> SchemaRegistry:
    url = f"http://127.0.0.1:{server.server_port}/"
    clock = iter(range(1_000))
    return SchemaRegistry(
        SchemaRegistryConfig(url=url, **more),
        patience,
        lambda: float(next(clock)),
        lambda seconds: None,
    )


def test_schemas_by_id_and_guid(server: Server) -> None:
    server.answers = {
        "/schemas/ids/7": [(200, {"schema": '"string"'})],
        f"/schemas/guids/{GUID}": [(200, {"schema": "{}", "schemaType": "JSON"})],
    }
    found = registry(server)
    assert found.find(7) == Schema("AVRO", '"string"')
    assert found.find(GUID) == Schema("JSON", "{}")
    assert found.find(8) is None


def test_what_a_schema_refers_to_comes_first(server: Server) -> None:
    def refers(*names: str) -> list[dict[str, Any]]:
        return [{"name": name, "subject": f"s/{name}", "version": 2} for name in names]

    server.answers = {
        "/schemas/ids/7": [(200, {"schema": "top", "references": refers("a", "b")})],
        "/subjects/s%2Fa/versions/2": [(200, {"schema": "A", "references": refers("b", "a")})],
        "/subjects/s%2Fb/versions/2": [(200, {"schema": "B"})],
    }
    assert registry(server).find(7) == Schema("AVRO", "top", (("b", "B"), ("a", "A")))
    server.answers["/subjects/s%2Fb/versions/2"] = [MISSING]
    with pytest.raises(LogError, match="refers to b"):
        registry(server).find(7)


def test_a_login_is_sent(server: Server) -> None:
    registry(server, basic_auth=SecretStr("me:word")).find(7)
    login = base64.b64encode(b"me:word").decode()
    assert server.asked == [("/schemas/ids/7", f"Basic {login}")]


def test_a_registry_that_is_away_is_asked_again(server: Server) -> None:
    busy = (503, b"not now")
    server.answers = {"/schemas/ids/7": [busy, (429, b""), (200, {"schema": "x"})]}
    assert registry(server, patience=9).find(7) == Schema("AVRO", "x")
    server.answers = {"/schemas/ids/7": [busy]}
    with pytest.raises(Unreachable, match="503"):
        registry(server, patience=3).find(7)
    assert len(server.asked) > 4


def test_nobody_answers() -> None:
    closed = SchemaRegistryConfig(url="http://127.0.0.1:9")
    with pytest.raises(Unreachable, match="gives no answer"):
        SchemaRegistry(closed, 0).check()


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ((401, b"no"), "basic_auth_file"),
        ((403, b"no"), "basic_auth_file"),
        ((404, b"<html>"), "not as a Schema Registry"),
        ((302, b""), "not as a Schema Registry"),
        ((200, b"<html>"), "not as a Schema Registry"),
        ((200, {"schema": "x", "schemaType": "XSD"}), "the type XSD"),
        ((400, {"error_code": 1}), "400"),
    ],
)
def test_a_refusal_asks_for_an_operator(
    server: Server, answer: tuple[int, Any], sentence: str
) -> None:
    server.answers = {"/schemas/ids/7": [answer]}
    with pytest.raises(LogError, match=sentence) as caught:
        registry(server).find(7)
    assert not isinstance(caught.value, Unreachable)


def test_it_can_be_checked(server: Server) -> None:
    server.answers = {"/schemas/types": [(200, ["AVRO"])]}
    registry(server).check()
