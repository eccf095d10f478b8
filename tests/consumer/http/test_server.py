"""The pages over a real socket."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from http import HTTPStatus
from http.client import HTTPConnection, HTTPResponse

import pytest
from prometheus_client.parser import text_string_to_metric_families

from driftline.consumer.http import Server, serve
from driftline.consumer.http.server import Answer, Listener
from driftline.consumer.service.plan import Plan
from driftline.consumer.service.status import Status
from driftline.detectors import DriftlineError
from driftline.errors import HttpError

from .conftest import SECOND, START, Site


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def status(plan: Plan) -> Status:
    return Status(plan)


@pytest.fixture
def server(plan: Plan, status: Status, clock: Clock) -> Iterator[Server]:
    server = serve(plan.config, status, clock)
    yield server
    server.close()


def ask(server: Server, path: str, method: str = "GET") -> tuple[HTTPResponse, bytes]:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=10)
    try:
        connection.request(method, path)
        response = connection.getresponse()
        return response, response.read()
    finally:
        connection.close()


def raw(port: int, sent: bytes) -> bytes:
    """Send bytes; return all that comes until the server closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(sent)
        came = b""
        try:
            while some := connection.recv(65_536):
                came += some
        except ConnectionResetError:  # it closed with bytes of ours unread
            pass
        return came


def test_metrics(server: Server) -> None:
    response, body = ask(server, "/metrics")
    assert response.status == 200
    assert response.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    names = {family.name for family in text_string_to_metric_families(body.decode())}
    assert "driftline_build_info" in names
    assert {name.split("_")[0] for name in names} == {"driftline", "process"}


def test_live_and_ready(server: Server, status: Status, clock: Clock) -> None:
    for path in ("/livez", "/healthz"):
        response, body = ask(server, path)
        assert (response.status, json.loads(body)["ok"]) == (200, True)
    response, body = ask(server, "/readyz")
    assert response.status == 503
    assert response.headers["Content-Type"] == "application/json"
    assert "waiting for the group" in json.loads(body)["checks"][1]["says"]
    clock.now += 61 * SECOND
    assert ask(server, "/livez?verbose")[0].status == 503
    status.polled = clock.now
    assert ask(server, "/livez")[0].status == 200


def test_ready_of_a_worker_that_works(site: Site) -> None:
    worker = site.worker()
    server = serve(site.plan.config, worker.status, lambda: site.broker.now)
    try:
        assert ask(server, "/readyz")[0].status == 503
        worker.step()
        assert ask(server, "/readyz")[0].status == 200
    finally:
        server.close()


def test_other_paths_are_not_found(server: Server) -> None:
    for path in ("/", "/metrics/", "/../etc/passwd", "/%2e%2e"):
        response, body = ask(server, path)
        assert response.status == 404
        assert body == b"there are /metrics, /livez, /healthz, /readyz\n"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "BREW"])
def test_other_methods_are_refused(server: Server, method: str) -> None:
    response, _ = ask(server, "/metrics", method)
    assert response.status == 405
    assert response.headers["Allow"] == "GET, HEAD"


def test_head_is_get_without_the_body(server: Server) -> None:
    response, body = ask(server, "/livez", "HEAD")
    assert (response.status, body) == (200, b"")
    assert int(response.headers["Content-Length"]) == len(ask(server, "/livez")[1])


def test_a_large_request_is_refused(server: Server) -> None:
    came = raw(server.port, b"GET /livez HTTP/1.1\r\nX: " + b"x" * 20_000)
    assert came.startswith(b"HTTP/1.0 431 ") or came == b""
    assert ask(server, "/livez")[0].status == 200


@pytest.mark.parametrize(
    "sent", [b"\r\n\r\n", b"\0\xff\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n"]
)
def test_what_is_no_request_is_answered_or_closed(server: Server, sent: bytes) -> None:
    assert b" 200 " not in raw(server.port, sent)
    assert ask(server, "/livez")[0].status == 200


def test_a_request_that_does_not_arrive_in_time_is_closed() -> None:
    server = Server(Listener("127.0.0.1", 0, {}, seconds=0.05))
    try:
        assert raw(server.port, b"") == b""
        assert raw(server.port, b"GET /nothing HTTP/1.1\r\n") == b""
    finally:
        server.close()


BEGUN = b"GET /here HTTP/1.1\r\nX-Slow: "
SLOW = {"silent": b"", "begun": BEGUN, "takes no answer": b"GET /large HTTP/1.1\r\n\r\n"}


def _broken(accept: str) -> Answer:
    raise ValueError(accept)


@pytest.fixture
def crowded() -> Iterator[Server]:
    """A server that gives a request longer than this test has."""
    pages = {
        "/here": lambda _: Answer(HTTPStatus.OK, "text/plain", b"here"),
        "/large": lambda _: Answer(HTTPStatus.OK, "text/plain", b"x" * 12_000_000),
        "/broken": _broken,
    }
    server = Server(Listener("127.0.0.1", 0, pages, seconds=600))
    yield server
    server.close()


@pytest.mark.parametrize("sent", SLOW.values(), ids=list(SLOW))
def test_slow_connections_keep_nobody_out(crowded: Server, sent: bytes) -> None:
    """However many there are; those that wait longest make room."""
    address = ("127.0.0.1", crowded.port)
    with ExitStack() as open_ones:
        slow = []
        for _ in range(100):
            connection = open_ones.enter_context(socket.create_connection(address, timeout=10))
            connection.sendall(sent)
            slow.append(connection)
        assert raw(crowded.port, b"GET /here HTTP/1.1\r\n\r\n").endswith(b"\r\n\r\nhere")
        came = b"more"
        with suppress(ConnectionError):
            while came:
                came = slow[0].recv(1_000_000)  # ends: this one was cut
        assert raw(crowded.port, b"GET /here HTTP/1.1\r\n\r\n").endswith(b"\r\n\r\nhere")


def test_a_slow_connection_is_answered_while_there_is_room(crowded: Server) -> None:
    address = ("127.0.0.1", crowded.port)
    with ExitStack() as open_ones:
        slow = [
            open_ones.enter_context(socket.create_connection(address, timeout=10))
            for _ in range(16)
        ]
        for connection in slow:
            connection.sendall(BEGUN)
        assert raw(crowded.port, b"GET /here HTTP/1.1\r\n\r\n").endswith(b"here")
        for connection in slow:
            connection.sendall(b"yes\r\n\r\n")
            assert connection.recv(12) == b"HTTP/1.0 200"


def test_a_page_that_fails_is_a_500_and_is_logged(
    crowded: Server, caplog: pytest.LogCaptureFixture
) -> None:
    came = raw(crowded.port, b"GET /broken HTTP/1.1\r\nAccept: a-secret\r\n\r\n")
    assert came.startswith(b"HTTP/1.0 500 ")
    assert b"secret" not in came
    assert [record.getMessage() for record in caplog.records] == ["the page /broken failed"]


def test_it_does_not_close_later_for_a_connection_that_is_open(crowded: Server) -> None:
    """Its request has ten minutes, which the limit of a test's time is less than."""
    with socket.create_connection(("127.0.0.1", crowded.port), timeout=10):
        crowded.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", crowded.port), timeout=10)


def config_of(plan: Plan, **http: object) -> Plan:
    settings = plan.config.http.model_copy(update=http)
    return Plan(plan.config.model_copy(update={"http": settings}), plan.references)


def test_a_port_in_use_is_one_sentence(plan: Plan, status: Status, server: Server) -> None:
    taken = config_of(plan, port=server.port).config
    with pytest.raises(DriftlineError) as caught:
        serve(taken, status, lambda: START)
    assert str(caught.value) == (
        f"port {server.port} on 127.0.0.1 is in use by another program: "
        "stop that, or set http.port to a free port"
    )


@pytest.mark.parametrize("host", ["192.0.2.1", "a..b"])
def test_a_host_that_is_not_here_is_one_sentence(plan: Plan, status: Status, host: str) -> None:
    with pytest.raises(HttpError, match=rf"^port 0 on {host} cannot be listened on .*http\.host"):
        serve(config_of(plan, host=host).config, status, lambda: START)


def test_it_listens_on_loopback_unless_told_otherwise(plan: Plan, server: Server) -> None:
    assert plan.config.http.host == "127.0.0.1"
    assert server._listener.server_address[0] == "127.0.0.1"
