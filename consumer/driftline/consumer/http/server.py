"""The HTTP server of a worker: a few pages to be read, on a thread of its own.

Requests are GET or HEAD without a body, small, and have to arrive in time; one that does not is
closed, and a bounded number is served at once: nobody who can reach the port can stop the worker.
When all places are taken, a new connection gets that of the one that has kept the server waiting
longest, so slow ones never keep out one whose head comes at once.
"""

from __future__ import annotations

import contextlib
import errno
import io
import logging
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import Any, NamedTuple

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.exposition import choose_encoder

from driftline.consumer.config import Config
from driftline.consumer.http.health import Health, Report
from driftline.consumer.http.metrics import StatusCollector
from driftline.consumer.service.status import Status
from driftline.errors import HttpError

logger = logging.getLogger(__name__)

_LARGEST_HEAD = 16_384  # bytes of request line and headers
_SECONDS_A_REQUEST = 5.0  # to send the head, and again to take the answer
_SECONDS_TO_END = 1.0  # for the thread of a connection that was cut
_MOST_AT_ONCE = 64
_TEXT = "text/plain; charset=utf-8"


class Answer(NamedTuple):
    """The content of a page."""

    status: HTTPStatus
    content_type: str
    body: bytes


Page = Callable[[str], Answer]
"""From the request's Accept header to the answer."""


class Server:
    """Serves until it is closed.

    Args:
        listener: bound to its port.
    """

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._thread = threading.Thread(
            target=listener.serve_forever, args=(0.1,), name="driftline-http", daemon=True
        )
        self._thread.start()

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._listener.server_address[1])

    def close(self) -> None:
        """Stop listening; a request that is being answered is not waited for."""
        self._listener.shutdown()
        self._listener.server_close()
        self._thread.join()


def serve(config: Config, status: Status, clock: Callable[[], int]) -> Server:
    """Serve /metrics, /livez (also as /healthz) and /readyz on `http.host`, `http.port`.

    Args:
        config: port 0 takes a free one.
        status: what the worker knows of itself.
        clock: the wall clock, ms; the one the worker reads.

    Raises:
        HttpError: the port or the address cannot be used.
    """
    health = Health(status, clock)
    registry = metrics_registry(config, status, health)

    def metrics(accept: str) -> Answer:
        encode, content_type = choose_encoder(accept)
        return Answer(HTTPStatus.OK, content_type, encode(registry))

    pages: dict[str, Page] = {
        "/metrics": metrics,
        "/livez": lambda _: _answer(health.live()),
        "/healthz": lambda _: _answer(health.live()),
        "/readyz": lambda _: _answer(health.ready()),
    }
    return Server(_listen(config.http.host, config.http.port, pages))


def metrics_registry(config: Config, status: Status, health: Health) -> CollectorRegistry:
    """Return the metrics of a worker and of its process, read anew at each scrape."""
    registry = CollectorRegistry()
    registry.register(StatusCollector(config, status, health))
    ProcessCollector(registry=registry)
    return registry


def _answer(report: Report) -> Answer:
    status = HTTPStatus.OK if report.ok else HTTPStatus.SERVICE_UNAVAILABLE
    return Answer(status, "application/json", report.to_json() + b"\n")


def _listen(host: str, port: int, pages: Mapping[str, Page]) -> Listener:
    try:
        return Listener(host, port, pages)
    except (OSError, UnicodeError) as error:
        raise HttpError(why_not_listening(error, host, port, "http")) from None


def why_not_listening(error: Exception, host: str, port: int, section: str) -> str:
    """Return why a port cannot be listened on, and which key of a section to change.

    Example:
        >>> why_not_listening(OSError(errno.EADDRINUSE, ""), "::1", 80, "http")
        'port 80 on ::1 is in use by another program: stop that, or set http.port to a free port'
    """
    if isinstance(error, UnicodeError):
        cause = f"cannot be listened on (no host name): set {section}.host to an address of this "
        cause += "machine"
    elif isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        cause = f"is in use by another program: stop that, or set {section}.port to a free port"
    elif isinstance(error, OSError) and error.errno == errno.EACCES:
        cause = f"needs rights that this user does not have: set {section}.port to 1024 or above"
    else:
        cause = f"cannot be listened on ({getattr(error, 'strerror', None) or error}): set "
        cause += f"{section}.host to an address of this machine"
    return f"port {port} on {host} {cause}"


class Listener(socketserver.ThreadingTCPServer):
    """Accepts connections, a bounded number at once, each on a thread.

    Args:
        host: address or name to listen on.
        port: 0 takes a free one.
        pages: what to answer, by path.
        seconds: how long a request may take to arrive.
    """

    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 4 * _MOST_AT_ONCE

    def __init__(
        self,
        host: str,
        port: int,
        pages: Mapping[str, Page],
        seconds: float = _SECONDS_A_REQUEST,
    ) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.pages = pages
        self.seconds = seconds
        self._free = threading.BoundedSemaphore(_MOST_AT_ONCE)
        self._lock = threading.Lock()  # guards what follows
        self._slow: dict[socket.socket, None] = {}  # those that we wait for; the first longest
        super().__init__((host, port), _Request)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection on a thread; while all are taken, cut the slowest for it."""
        if not self._free.acquire(blocking=False):
            self._cut_slowest()
            if not self._free.acquire(timeout=_SECONDS_TO_END):
                self.shutdown_request(request)
                return
        with self._lock:
            self._slow[request] = None
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve a connection."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    @contextlib.contextmanager
    def waiting_for(self, connection: socket.socket) -> Iterator[None]:
        """Mark a connection as one that may be cut, while its client has to send or to take."""
        with self._lock:
            self._slow[connection] = None
        try:
            yield
        finally:
            with self._lock:
                self._slow.pop(connection, None)

    def _cut_slowest(self) -> None:
        with self._lock:
            for connection in self._slow:
                del self._slow[connection]
                with contextlib.suppress(OSError):  # its client has gone
                    connection.shutdown(socket.SHUT_RDWR)  # ends the wait of its thread
                return

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Note what nobody expected; the worker goes on."""
        logger.exception("a request failed")


class _Request(BaseHTTPRequestHandler):
    """One request; HTTP/1.0, so the connection ends with the answer."""

    server: Listener

    def handle(self) -> None:
        """Read the request and answer it, both within their time."""
        with contextlib.suppress(TimeoutError, ConnectionError):
            with self.server.waiting_for(self.connection):
                head = self._head()
            self.connection.settimeout(self.server.seconds)
            self._respond(head)

    def version_string(self) -> str:
        """Name no versions."""
        return "driftline"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the base's name)
        """Say nothing: a scrape every few seconds is no news."""

    def _head(self) -> bytes:
        """Return what came up to the end of the headers, or up to the limit of size."""
        deadline = time.monotonic() + self.server.seconds
        head = b""
        while b"\r\n\r\n" not in head and len(head) <= _LARGEST_HEAD:
            self.connection.settimeout(max(deadline - time.monotonic(), 1e-3))
            some = self.connection.recv(4_096)
            if not some:
                break
            head += some
        return head

    def _respond(self, head: bytes) -> None:
        if b"\r\n\r\n" not in head:
            if len(head) > _LARGEST_HEAD:
                self.requestline, self.request_version, self.command = "", "HTTP/1.0", ""
                self._send(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, _TEXT, b"too large\n")
            return
        self.rfile = io.BytesIO(head)
        self.raw_requestline = self.rfile.readline()
        if not self.parse_request():
            return  # it has been answered
        if self.command not in ("GET", "HEAD"):
            self._send(HTTPStatus.METHOD_NOT_ALLOWED, _TEXT, b"use GET or HEAD\n")
            return
        path = self.path.partition("?")[0]
        page = self.server.pages.get(path)
        if page is None:
            known = f"there are {', '.join(self.server.pages)}\n"
            self._send(HTTPStatus.NOT_FOUND, _TEXT, known.encode())
        else:
            self._send(*self._read(path, page))

    def _read(self, path: str, page: Page) -> Answer:
        try:
            return page(self.headers.get("Accept", ""))
        except Exception:
            logger.exception("the page %s failed", path)
            return Answer(HTTPStatus.INTERNAL_SERVER_ERROR, _TEXT, b"failed; see the log\n")

    def _send(self, status: HTTPStatus, content_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        if status == HTTPStatus.METHOD_NOT_ALLOWED:
            self.send_header("Allow", "GET, HEAD")
        self.end_headers()
        if self.command != "HEAD":
            with self.server.waiting_for(self.connection):
                self.wfile.write(body)
