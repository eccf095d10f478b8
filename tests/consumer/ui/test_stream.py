"""Who is told of changes; and a real server with fifty of them."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import threading
from collections.abc import Iterator, MutableMapping
from contextlib import ExitStack, closing, suppress
from http.client import HTTPConnection
from typing import Any

import pytest
from sse_starlette.sse import SendTimeoutError
from starlette.applications import Starlette
from starlette.testclient import TestClient

from driftline.consumer.ui import api
from driftline.consumer.ui import listeners as listening
from driftline.consumer.ui import stream as streaming
from driftline.consumer.ui.access import Access
from driftline.consumer.ui.app import application
from driftline.consumer.ui.files import PageFiles
from driftline.consumer.ui.listeners import Changed, Listener, Listeners
from driftline.consumer.ui.server import PageServer
from driftline.consumer.ui.stream import QuietAboutSlowBrowsers
from driftline.errors import HttpError

from .double import FEATURE, MODEL, Literal

STREAM = f"{api.PREFIX}/stream"


def taken(listener: Listener) -> list[Changed]:
    """What a listener is told until it ends; it ends when all has come."""

    async def take() -> list[Changed]:
        found = []
        async for changed in listener.changes(0.0):
            found.append(changed)
            if listener.quiet:
                listener.end()
        return found

    return asyncio.run(take())


def test_a_model_that_changed_twice_is_named_once() -> None:
    listener = Listener()
    for changed in (
        Changed("a", False),
        Changed("b", False),
        Changed("a", True),
        Changed("a", False),
    ):
        listener.note(changed)
    assert taken(listener) == [Changed("a", True), Changed("b", False)]


def test_of_very_many_none_is_named() -> None:
    listener = Listener()
    for number in range(listening.MOST_MODELS + 5):
        listener.note(Changed(str(number), number == 3))
    assert taken(listener)[0] == Changed(None, True)


def test_an_ended_listener_says_nothing() -> None:
    listener = Listener()
    listener.note(Changed("a", False))
    listener.end()
    assert taken(listener) == []


def test_too_many_pages_are_refused(
    client: TestClient, listeners: Listeners, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "MOST_LISTENERS", 0)
    answer = client.get(STREAM)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")


def test_a_slow_browser_is_a_line_and_no_traceback(caplog: pytest.LogCaptureFixture) -> None:
    quiet = QuietAboutSlowBrowsers()

    def passes(error: BaseException | None) -> bool:
        info = None if error is None else (type(error), error, None)
        return quiet.filter(logging.LogRecord("uvicorn", logging.ERROR, "", 0, "x", (), info))

    with caplog.at_level(logging.INFO):
        assert not passes(SendTimeoutError())
        assert not passes(ExceptionGroup("x", [SendTimeoutError()]))
    assert caplog.messages == ["a browser that took nothing for 10 s was dropped"] * 2
    assert passes(ValueError())
    assert passes(None)


def test_a_browser_that_takes_nothing_is_dropped(
    listeners: Listeners, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "PATIENCE", 0.01)

    async def receive() -> dict[str, Any]:
        await asyncio.Event().wait()  # it does not go by itself
        return {}

    async def send(message: MutableMapping[str, Any]) -> None:
        if b"changed" in message.get("body", b""):
            await asyncio.Event().wait()

    async def follow() -> None:
        listener = listeners.listen()
        assert listener is not None
        answer = streaming.stream(listeners, listener, pause=0.0)
        listeners.publish(MODEL)
        await answer({"type": "http", "method": "GET"}, receive, send)

    with pytest.raises(SendTimeoutError):
        asyncio.run(follow())
    assert listeners.open == 0


# A real server.


@pytest.fixture
def server(source: Literal, listeners: Listeners, files: PageFiles) -> Iterator[PageServer]:
    app = application(source, listeners, Access(), files)
    server = PageServer(app, listeners, "127.0.0.1", 0)
    yield server
    server.close()


def ask(server: PageServer, path: str) -> tuple[int, bytes]:
    with closing(HTTPConnection("127.0.0.1", server.port, timeout=30)) as connection:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()


class Tab:
    """An open page, as far as the stream goes."""

    def __init__(self, port: int) -> None:
        self.connection = socket.create_connection(("127.0.0.1", port), 30)
        self.connection.sendall(f"GET {STREAM} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        self.text = b""

    def until(self, wanted: bytes) -> str:
        while wanted not in self.text:
            some = self.connection.recv(4_096)
            assert some, self.text
            self.text += some
        return self.text.decode()

    def ends(self) -> bool:
        with suppress(ConnectionError):
            while self.connection.recv(4_096):
                pass
        return True


def test_fifty_open_pages_are_told_while_all_else_answers(
    server: PageServer, source: Literal, listeners: Listeners
) -> None:
    source.waits = threading.Event()  # a verdict that a broker does not give
    slow = threading.Thread(
        target=ask, args=(server, f"{api.PREFIX}/models/x/features/{FEATURE[0]}")
    )
    slow.start()
    with ExitStack() as opened:
        tabs = [Tab(server.port) for _ in range(50)]
        for tab in tabs:
            opened.callback(tab.connection.close)
            assert "content-type: text/event-stream" in tab.until(b": open")
        assert listeners.open == 50
        assert ask(server, "/livez") == (200, b'{"ok":true}\n')
        listeners.publish(MODEL, alerts=True)
        for tab in tabs:
            text = tab.until(b"}\n\n")
            (line,) = [line for line in text.splitlines() if line.startswith("data: ")]
            assert "event: changed" in text
            assert json.loads(line.removeprefix("data: ")) == {"model": MODEL, "alerts": True}
        assert ask(server, "/livez")[0] == 200
        assert json.loads(ask(server, f"{api.PREFIX}/models")[1])["models"][0]["model"] == MODEL
        source.waits.set()
        slow.join()
        server.close()
        assert all(tab.ends() for tab in tabs)
    assert listeners.open == 0
    with pytest.raises(ConnectionRefusedError):
        ask(server, "/livez")


def test_where_it_is(server: PageServer) -> None:
    assert server.url == f"http://localhost:{server.port}"


def test_a_port_that_is_taken(server: PageServer, listeners: Listeners) -> None:
    with pytest.raises(HttpError, match=r"is in use by another program: .*set ui\.port to a free"):
        PageServer(Starlette(), listeners, "127.0.0.1", server.port)
    with pytest.raises(HttpError, match=r"cannot be listened on \("):
        PageServer(Starlette(), listeners, "192.0.2.1", 0)


def test_an_address_of_ipv6(listeners: Listeners) -> None:
    if not socket.has_dualstack_ipv6():
        pytest.skip("this machine has no IPv6")
    server = PageServer(Starlette(), listeners, "::1", 0)
    assert server.url == f"http://[::1]:{server.port}"
    server.close()
