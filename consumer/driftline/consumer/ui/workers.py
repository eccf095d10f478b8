"""Reading the metrics of the workers: all at once, each within its time, not at every request."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from driftline.consumer.views.flow import Scrape

TIMEOUT = 2.0
"""Seconds that a worker has to answer."""
KEPT = 5.0
"""Seconds that an answer serves all pages."""
_LARGEST = 64_000_000
_AT_ONCE = 16
HINT = (
    "Name the workers, so that their metrics are read: ui.workers in the configuration, or "
    "--worker http://HOST:9108. A host name stands for all its addresses."
)
"""What the view of the pipeline says where no worker is named."""

Scrapes = Callable[[], Sequence[Scrape]]


def no_workers() -> Sequence[Scrape]:
    """Return what is read where no worker is named."""
    return ()


class Workers:
    """The workers of a deployment.

    Args:
        urls: of their HTTP servers, `http://host:port`; a host name that has several addresses is
            that many workers.
        clock: seconds, of a clock that only goes forward.
    """

    def __init__(self, urls: Sequence[str], clock: Callable[[], float] = time.monotonic) -> None:
        self._urls = urls
        self._clock = clock
        self._lock = threading.Lock()
        self._read: tuple[float, Sequence[Scrape]] | None = None

    def __call__(self) -> Sequence[Scrape]:
        """Return what each worker says, as read within the last seconds."""
        with self._lock:
            if self._read is None or self._clock() >= self._read[0] + KEPT:
                self._read = self._clock(), self._scrape()
            return self._read[1]

    def _scrape(self) -> Sequence[Scrape]:
        with ThreadPoolExecutor(_AT_ONCE, "driftline-scrape") as pool:
            places = [place for found in pool.map(_places, self._urls) for place in found]
            return list(pool.map(_scrape, places))


class _Place:
    """One address of a worker, or why there is none."""

    def __init__(self, url: str, address: str, error: str | None = None) -> None:
        parts = urlsplit(url)
        self.name, self.host = parts.hostname or "", address
        self.port = parts.port or (443 if parts.scheme == "https" else 80)
        self.path = f"{parts.path}/metrics"
        self.secure = parts.scheme == "https"
        self.error = error
        shown = f"[{address}]" if ":" in address else address
        self.shown = f"{shown}:{self.port}"


def _places(url: str) -> list[_Place]:
    """Return all addresses of a URL."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    try:
        found = socket.getaddrinfo(host, parts.port or 80, type=socket.SOCK_STREAM)
    except OSError as error:
        return [_Place(url, host, f"{host} has no address: {error.strerror or error}")]
    if parts.scheme == "https":  # certificates are of names
        return [_Place(url, host)]
    return [_Place(url, address) for address in dict.fromkeys(str(each[4][0]) for each in found)]


def _scrape(place: _Place) -> Scrape:
    if place.error is not None:
        return Scrape(place.shown, error=place.error)
    kind = http.client.HTTPSConnection if place.secure else http.client.HTTPConnection
    connection = kind(place.host, place.port, timeout=TIMEOUT)
    try:
        connection.request("GET", place.path, headers={"Host": f"{place.name}:{place.port}"})
        answer = connection.getresponse()
        content = answer.read(_LARGEST)
    except TimeoutError:
        return Scrape(place.shown, error=f"no answer within {TIMEOUT:g} s")
    except (OSError, http.client.HTTPException) as error:
        return Scrape(place.shown, error=f"cannot be read: {error}")
    finally:
        connection.close()
    if answer.status != 200:
        return Scrape(place.shown, error=f"answers {answer.status} {answer.reason}")
    return Scrape(place.shown, content.decode(errors="replace"))
