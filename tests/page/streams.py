"""Streams of the page's API, as open pages hold them."""

from __future__ import annotations

import http.client
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from urllib.parse import urlsplit

_TABS = 50


@contextmanager
def streams(url: str) -> Iterator[list[http.client.HTTPResponse]]:
    """Open as many as fifty pages would, until the block ends."""
    with ExitStack() as opened:
        found = []
        for _ in range(_TABS):
            connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
            opened.enter_context(closing(connection))
            connection.request("GET", "/api/v1/stream")
            found.append(opened.enter_context(closing(connection.getresponse())))
        yield found


def event(stream: http.client.HTTPResponse) -> bytes:
    """Return the name of the next event; wait for it."""
    lines = iter(stream.readline, b"")
    return next(line for line in lines if line.startswith(b"event: ")).split()[1]


def alive(url: str) -> float:
    """Ask `/livez`, which must answer 200; return the seconds that it took."""
    begin = time.perf_counter()
    with closing(http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)) as probe:
        probe.request("GET", "/livez")
        assert probe.getresponse().status == 200
    return time.perf_counter() - begin
