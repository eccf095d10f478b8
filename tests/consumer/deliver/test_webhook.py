"""Webhooks: what is posted, to whom, and what an answer means."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from email.message import Message
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import msgspec
import pytest
from tests.consumer.deliver.conftest import alert, first_update, resolved

from driftline.consumer.deliver import record, slack
from driftline.consumer.deliver.errors import AlertsError, DeliveryError
from driftline.consumer.deliver.slack import slack_message
from driftline.consumer.deliver.subscriber import AlertRecord
from driftline.consumer.deliver.target import Access
from driftline.consumer.deliver.webhook import Webhook, read_header

NOW = 1_562_000_000.0  # 2019-07-01T16:53:20Z


class Server:
    """Answers with the codes that the test gives, then with 200."""

    def __init__(self) -> None:
        self.codes: list[int] = []
        self.paths: list[str] = []
        self.bodies: list[Any] = []
        self.headers: list[Message] = []
        self.retry_after: str | None = None
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.paths.append(self.path)
                outer.bodies.append(json.loads(body))
                outer.headers.append(self.headers)
                self.send_response(outer.codes.pop(0) if outer.codes else 200)
                self.send_header("Location", "/elsewhere")
                if outer.retry_after is not None:
                    self.send_header("Retry-After", outer.retry_after)
                self.end_headers()

            def do_GET(self) -> None:
                outer.paths.append(f"GET {self.path}")
                self.send_response(200)
                self.end_headers()

            def log_message(self, *args: object) -> None: ...

        self.http = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}/services/secret"


@contextmanager
def answering() -> Iterator[Server]:
    """A server that answers on a thread of its own until the end of the block."""
    server = Server()
    thread = threading.Thread(target=server.http.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.http.shutdown()
        thread.join()
        server.http.server_close()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with answering() as started:
        yield started


def test_a_document_is_posted_as_json(server: Server) -> None:
    Webhook(server.url)({"text": "é"})
    assert server.bodies == [{"text": "é"}]
    assert server.headers[0]["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    ("code", "again"),
    [
        (400, False), (403, False), (404, False), (301, False), (302, False), (307, False),
        (408, True), (429, True), (500, True), (503, True),
    ],
)  # fmt: skip
def test_an_answer_says_whether_to_try_again(code: int, again: bool, server: Server) -> None:
    server.codes = [code]
    with pytest.raises(DeliveryError, match=f"^127.0.0.1 answered {code}$") as error:
        Webhook(server.url)({})
    assert error.value.again == again
    assert server.paths == ["/services/secret"]  # a redirect is not followed


def test_a_server_that_is_away_or_silent_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/secret"
        with pytest.raises(DeliveryError, match=r"cannot be reached: .*refused") as error:
            Webhook(url)({})
        listening.listen()
        with pytest.raises(DeliveryError, match=r"cannot be reached: timed out"):
            Webhook(url, timeout=0.1)({})
    assert error.value.again
    assert "secret" not in str(error.value)


@pytest.mark.parametrize(
    "url", ["", "hooks.slack.com/x", "ftp://host/x", "file:///etc/passwd", "http:///x", "http://[x",
            "http://host:port/x"],
)  # fmt: skip
def test_only_http_is_posted_to(url: str) -> None:
    with pytest.raises(AlertsError, match=r"^the webhook's URL "):
        Webhook(url)


@pytest.mark.parametrize(
    ("host", "path"),
    [
        *(("127.0.0.1:9", f"/{before}s3cret{char}B7")
          for char in " \n\r\t\x1b\x00\x7f\x9b\u00a0\u00e9\u202e" for before in ("", "?key=")),
        ("127.0.0.1:9", "/s3cret\n"), ("127.0.0.1:9", " /s3cret"),
        (" 127.0.0.1:9", "/s3cret"), ("me:s3cret@127.0.0.1:9", "/"), ("s3cret@127.0.0.1:9", "/"),
        ("127.0.0.1:9s3cret", "/"), ("127.0.0.1:99999", "/s3cret"), ("ex%0d%0aample", "/s3cret"),
        ("a..b", "/s3cret"), ("x" * 64, "/s3cret"), (".".join(["abc"] * 80), "/s3cret"),
        ("[::1", "/s3cret"), ("", "/s3cret"), ("%73", "/s3cret"),
    ],
)  # fmt: skip
def test_a_url_that_cannot_be_posted_to_is_refused_unseen(host: str, path: str) -> None:
    with pytest.raises(AlertsError, match=r"\Athe webhook's URL [ -~]+\Z") as error:
        Webhook(f"https://{host}{path}")
    assert "s3cr" not in str(error.value)


@pytest.mark.parametrize(
    "url",
    ["https://hooks.example/T0/B7?k=v&w=%20#x", "http://[::1]:9093/x", "http://my_host.local./x",
     "https://xn--bcher-kva.example", "http://localhost:9093/api/v2/alerts"],
)  # fmt: skip
def test_a_url_as_people_have_it_is_fine(url: str) -> None:
    Webhook(url)


def test_what_is_no_http_answer_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may hold anything: what the server wrote, or the URL."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            with listening.accept()[0] as connection:
                connection.recv(65_536)
                connection.sendall(b"\x1b[31mowned\x07\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/s3cret"
        with pytest.raises(DeliveryError) as error:
            Webhook(url)({})
        thread.join()
    assert str(error.value) == "127.0.0.1 did not answer as an HTTP server does"
    assert error.value.again


# Slack.


def test_a_message_for_slack() -> None:
    linked = alert(summary="m: a<b & c rose", links={"page": "https://drift.example/alerts/a"})
    assert slack_message(first_update(linked)) == {
        "text": "*car-loan: FIRING warning*\nm: a&lt;b &amp; c rose\nowner credit\n"
        "incident bcd3f6b39202dc4d\n<https://drift.example/alerts/a|page>\n"
        "<https://wiki.example/car-loan|runbook>"
    }
    bare = first_update(resolved(owner=None, runbook="https://wiki/a|b"))
    assert slack_message(bare)["text"].splitlines() == [
        "*car-loan: RESOLVED*",
        alert().summary,
        "incident bcd3f6b39202dc4d",
        "<https://wiki/a%7Cb|runbook>",
    ]


def test_a_chat_gets_a_message_for_each_update(server: Server) -> None:
    target = slack.open_target(server.url, Access({"Authorization": "Bearer t"}))
    (delivery,) = target.deliveries(first_update(alert("a"), alert("b")))
    assert delivery.name == "127.0.0.1: incident bcd3f6b39202dc4d (car-loan)"
    delivery.attempt()
    assert server.bodies[0]["text"].startswith("*car-loan: FIRING warning, 2 alerts*\n")
    assert server.headers[0]["Authorization"] == "Bearer t"


# Records.


def test_a_record_is_posted_as_it_was_published(server: Server) -> None:
    said = msgspec.json.encode(alert("a")) + b" "
    headers = (("ce_id", "a.1"), ("ce_subject", 'é "x" 5%'), ("content-type", "text/html"))
    published = AlertRecord(alert("a"), said, 0, 0, 0, headers)
    update = replace(first_update(alert("a")), records=[published, published])
    target = record.open_target(server.url, Access({"X-Api-Key": "s3cret"}))
    deliveries = target.deliveries(update)
    assert [each.name for each in deliveries] == ["127.0.0.1: alert a, revision 1 (car-loan)"] * 2
    deliveries[0].attempt()
    assert server.bodies == [msgspec.json.decode(said)]
    got = server.headers[0]
    assert got["Content-Type"] == "application/json"
    assert (got["Ce-Id"], got["X-Api-Key"]) == ("a.1", "s3cret")
    assert got["Ce-Subject"] == "%C3%A9%20%22x%22%205%25"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        *((text, "a header is written 'Name: value', in ASCII and on one line")
          for text in ("s3cret", ": s3cret", "a b: s3cret", "A: s3cret\r\nB: c", "A: s3crét")),
        ("Host: s3cret", "the header Host is set by what sends: leave it out"),
    ],
)  # fmt: skip
def test_what_is_no_header(text: str, said: str) -> None:
    with pytest.raises(AlertsError) as error:
        read_header(text)
    assert str(error.value) == said


@pytest.mark.parametrize(
    ("code", "given", "after"),
    [(429, "120", 120.0), (503, "soon", 0.0), (503, "999999", 3600.0), (500, None, 0.0),
     (400, "120", 0.0), (503, "Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
     (503, "Fri, 31 Dec 9999 00:00:00 GMT", 3600.0)],
)  # fmt: skip
def test_a_server_says_when_to_come_again(
    code: int, given: str | None, after: float, server: Server
) -> None:
    server.codes, server.retry_after = [code], given
    with pytest.raises(DeliveryError) as error:
        Webhook(server.url)({})
    assert error.value.after == after
