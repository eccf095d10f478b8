"""Reading workers over a real socket: all addresses, errors as sentences, not at every request."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing
from http import HTTPStatus
from typing import Any

import pytest

from driftline.consumer.http.server import Answer, Listener, Server
from driftline.consumer.ui import workers as reading
from driftline.consumer.ui.workers import Workers, no_workers
from driftline.consumer.views.flow import Scrape

TEXT = b"driftline_worker_ready 1\n"


class Worker:
    def __init__(self) -> None:
        self.status, self.scrapes = HTTPStatus.OK, 0
        self.server = Server(Listener("127.0.0.1", 0, {"/metrics": self.metrics}))
        self.port = self.server.port

    def metrics(self, accept: str) -> Answer:
        self.scrapes += 1
        return Answer(self.status, "text/plain", TEXT)


@pytest.fixture
def worker() -> Iterator[Worker]:
    worker = Worker()
    yield worker
    worker.server.close()


def test_all_addresses_of_a_name_are_workers(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def addresses(host: str, port: int, *_: Any, **__: Any) -> list[tuple[Any, ...]]:
        found = ["127.0.0.1", "127.0.0.2", "127.0.0.1"] if host == "driftline" else [host]
        inet, stream = socket.AF_INET, socket.SOCK_STREAM
        return [(inet, stream, 0, "", (each, port)) for each in found]

    monkeypatch.setattr(socket, "getaddrinfo", addresses)
    first, second = Workers([f"http://driftline:{worker.port}"])()
    assert first == Scrape(f"127.0.0.1:{worker.port}", TEXT.decode())
    assert second.address == f"127.0.0.2:{worker.port}"
    assert second.error is not None
    assert second.error.startswith("cannot be read: ")


def test_it_is_read_again_after_some_seconds(worker: Worker) -> None:
    now = [0.0]
    workers = Workers([f"http://127.0.0.1:{worker.port}/"], lambda: now[0])
    for moment in (0.0, reading.KEPT - 1, reading.KEPT, reading.KEPT + 1):
        now[0] = moment
        assert [scrape.error for scrape in workers()] == [None]
    assert worker.scrapes == 2


def test_why_there_are_no_metrics(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "TIMEOUT", 0.05)
    worker.status = HTTPStatus.NOT_FOUND
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        port = silent.getsockname()[1]
        urls = [f"http://127.0.0.1:{each}" for each in (worker.port, port)]
        found = Workers([*urls, "http://nowhere.invalid:1"])()
    assert [scrape.error for scrape in found[:2]] == [
        "answers 404 Not Found",
        "no answer within 0.05 s",
    ]
    assert (found[2].error or "").startswith("nowhere.invalid has no address: ")
    assert (found[2].address, no_workers()) == ("nowhere.invalid:1", ())


def test_tls_is_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [(0, 0, 0, "", ("127.0.0.1", 1))])
    monkeypatch.setattr(socket, "create_connection", _refuse)
    (found,) = Workers(["https://drift.example"])()
    assert found == Scrape("drift.example:443", error="cannot be read: refused")


def _refuse(*_: Any, **__: Any) -> socket.socket:
    raise ConnectionRefusedError("refused")
