"""The page's server: uvicorn on a thread of its own, so that whoever starts it goes on."""

from __future__ import annotations

import logging
import socket
import threading

import uvicorn
from starlette.types import ASGIApp

from driftline.consumer.http.server import why_not_listening
from driftline.consumer.ui.listeners import Listeners
from driftline.consumer.ui.stream import QuietAboutSlowBrowsers
from driftline.errors import HttpError

_SECONDS_TO_END = 2  # for answers that are under way
_LARGEST_HEAD = 16_384  # bytes of request line and headers
_MOST_CONNECTIONS = 900  # a process has 1,024 files unless it is given more
_QUIET = QuietAboutSlowBrowsers()
_QUEUE = 256  # connections that wait to be accepted


class PageServer:
    """Serves an application until it is closed.

    Args:
        app: the application.
        listeners: which end with it.
        host: address or name to listen on.
        port: 0 takes a free one.

    Attributes:
        port: the one it listens on.

    Raises:
        HttpError: the port or the address cannot be used.
    """

    def __init__(self, app: ASGIApp, listeners: Listeners, host: str, port: int) -> None:
        self._listeners = listeners
        self._socket = _listening(host, port)
        self.port = int(self._socket.getsockname()[1])
        self._host = host
        logging.getLogger("uvicorn.error").addFilter(_QUIET)
        config = uvicorn.Config(
            app,
            interface="asgi3",
            loop="asyncio",
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            log_level=logging.WARNING,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=_MOST_CONNECTIONS,
            timeout_graceful_shutdown=_SECONDS_TO_END,
            h11_max_incomplete_event_size=_LARGEST_HEAD,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run,
            kwargs={"sockets": [self._socket]},
            name="driftline-ui",
            daemon=True,
        )
        self._thread.start()

    @property
    def url(self) -> str:
        """Where a browser of this machine finds it."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        named = {"0.0.0.0": "localhost", "[::]": "localhost", "127.0.0.1": "localhost"}  # noqa: S104
        return f"http://{named.get(host, host)}:{self.port}"

    def close(self) -> None:
        """Stop listening, end all streams, give answers under way two seconds."""
        self._listeners.end()
        self._server.should_exit = True
        self._thread.join(2 * _SECONDS_TO_END)
        self._socket.close()


def _listening(host: str, port: int) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((host, port))
            listener.listen(_QUEUE)  # a browser that comes before the thread does is not refused
        except BaseException:
            listener.close()
            raise
    except (OSError, UnicodeError) as error:
        raise HttpError(why_not_listening(error, host, port, "ui")) from None
    return listener
