"""Answers as bytes: made once, compressed once, sent to whoever does not have them yet."""

from __future__ import annotations

import gzip
import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import Response

_SMALL = 1_000  # bytes that are not worth compressing
_LEVEL = 5
_KEPT = 64
_SECONDS = 10.0


class Body:
    """The content of an answer.

    Args:
        content: its bytes.
        media_type: what they are.
        headers: more of them.
        compressible: whether compressing makes it smaller.
    """

    def __init__(
        self,
        content: bytes,
        media_type: str,
        headers: dict[str, str] | None = None,
        *,
        compressible: bool = True,
    ) -> None:
        self.content = content
        self._media_type = media_type
        self._headers = headers or {}
        self._compressible = compressible and len(content) >= _SMALL
        self._packed: bytes | None = None
        # Weak: the compressed bytes are not the plain ones.
        self._tag = f'W/"{hashlib.blake2b(content, digest_size=12).hexdigest()}"'

    def _compressed(self) -> bytes:
        # Without a lock: two may do it at once, and nobody waits for another's.
        if self._packed is None:
            self._packed = gzip.compress(self.content, _LEVEL, mtime=0)
        return self._packed

    def response(self, request: Request, status: int = 200) -> Response:
        """Return the answer to a request: nothing but 304 where it has these bytes already."""
        headers = {"Cache-Control": "no-cache", "ETag": self._tag, **self._headers}
        if self._compressible:
            headers["Vary"] = "Accept-Encoding"
        known = [tag.strip() for tag in request.headers.get("if-none-match", "").split(",")]
        if status == 200 and (self._tag in known or "*" in known):
            return Response(None, 304, headers)
        content = self.content
        if self._compressible and _takes_gzip(request.headers.get("accept-encoding", "")):
            content = self._compressed()
            headers["Content-Encoding"] = "gzip"
        return Response(content, status, headers, self._media_type)


def _takes_gzip(accepted: str) -> bool:
    """Tell whether a request takes compressed answers.

    >>> _takes_gzip("br, gzip;q=0.5"), _takes_gzip("gzip;q=0, *"), _takes_gzip("")
    (True, False, False)
    """
    for part in accepted.lower().split(","):
        name, _, quality = part.partition(";")
        if name.strip() == "gzip":
            return quality.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


@dataclass
class _Making:
    """An answer that is being made, and how many ask for it."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    asking: int = 0


class Kept:
    """The newest answers. Those of an older version, or of some seconds ago, are made anew.

    Fifty pages that ask for the same after a change let it be made once; what waits for a broker
    keeps no other answer waiting.

    Args:
        clock: seconds, of a clock that only goes forward.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()  # guards `_bodies` and `_making`
        self._bodies: OrderedDict[Hashable, tuple[int, float, Body]] = OrderedDict()
        self._making: dict[Hashable, _Making] = {}

    def body(self, key: Hashable, version: Callable[[], int], make: Callable[[], Body]) -> Body:
        """Return the answer of a key.

        Args:
            key: what was asked for.
            version: returns another number after something changed.
            make: makes the answer; what it raises comes out here, and nothing is kept.
        """
        with self._alone(key):
            now, present = self._clock(), version()
            with self._lock:
                kept = self._bodies.get(key)
            if kept is not None and kept[0] == present and now < kept[1] + _SECONDS:
                return kept[2]
            body = make()
            with self._lock:
                self._bodies[key] = present, now, body
                self._bodies.move_to_end(key)
                if len(self._bodies) > _KEPT:
                    self._bodies.popitem(last=False)
            return body

    @contextmanager
    def _alone(self, key: Hashable) -> Iterator[None]:
        """Let one at a time make the answer of a key."""
        with self._lock:
            making = self._making.setdefault(key, _Making())
            making.asking += 1
        try:
            with making.lock:
                yield
        finally:
            with self._lock:
                making.asking -= 1
                if not making.asking:
                    del self._making[key]
