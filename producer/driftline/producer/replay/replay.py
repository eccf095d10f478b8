"""Send rows as native events, at full speed, at a rate, or in step with their event times.

The bytes are JSON as `records/event.py` describes; the key is the event id. Numbers that JSON does
not have (NaN, infinity) are sent as the texts "NaN", "Infinity", "-Infinity", so that the monitor
counts them as invalid: null would make them missing, which is something else. The records'
timestamps are the sender's: it leaves them to the present, as for any live producer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from collections.abc import Mapping as AnyMapping
from typing import Any

import msgspec

from driftline.producer.errors import InputError
from driftline.producer.records.mapping import Mapping
from driftline.producer.records.timestamp import parse_timestamp

Send = Callable[[bytes | None, bytes], object]

_SHORTEST_SLEEP = 0.001
"""Seconds. Shorter waits add up until they are worth a call; the average pace stays."""


class Pace:
    """When each event is due.

    Args:
        clock: returns seconds, monotonic.
        sleep: waits for a number of seconds.
        rate: events per second; None: no limit.
        speed: how many times faster than their event times events are sent; None: not tied to
            them. 60 sends an hour's events in a minute.

    Raises:
        InputError: both are given, or one is not positive.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        sleep: Callable[[float], object],
        rate: float | None = None,
        speed: float | None = None,
    ) -> None:
        if rate is not None and speed is not None:
            raise InputError("rate and speed exclude each other; give one of them")
        for name, value in (("rate", rate), ("speed", speed)):
            if value is not None and not value > 0:
                raise InputError(f"{name} {value:g}: has to be above 0")
        self._clock, self._sleep = clock, sleep
        self._rate, self._speed = rate, speed
        self._start = clock()
        self._sent = 0
        self._first_time: int | None = None

    def wait(self, timestamp: object) -> bool:
        """Return when the next event is due; True if that needed a sleep.

        Args:
            timestamp: the event's own; without a readable one, or if it is earlier than one
                before it, the event is due at once.
        """
        due = self._due(timestamp)
        self._sent += 1
        if due is None:
            return False
        ahead = self._start + due - self._clock()
        if ahead < _SHORTEST_SLEEP:
            return False
        self._sleep(ahead)
        return True

    def _due(self, timestamp: object) -> float | None:
        """Seconds after the start."""
        if self._rate is not None:
            return self._sent / self._rate
        if self._speed is None:
            return None
        time = parse_timestamp(timestamp)
        if time is None:
            return None
        if self._first_time is None:
            self._first_time = time
        return (time - self._first_time) / 1000 / self._speed


def encode_event(event: AnyMapping[str, Any]) -> tuple[bytes | None, bytes]:
    """Return a native event's key (its id, None without one) and JSON value.

    >>> encode_event({"event_id": 7, "features": {"km": 12.5}})
    (b'7', b'{"event_id":7,"features":{"km":12.5}}')
    """
    event_id = event.get("event_id")
    key = None if event_id is None else str(event_id).encode()
    return key, msgspec.json.encode(event)


def replay(
    chunks: Iterable[Sequence[AnyMapping[str, Any]]],
    mapping: Mapping,
    send: Send,
    pace: Pace | None = None,
    progress: Callable[[int], object] | None = None,
) -> int:
    """Send every row as a native event.

    Args:
        chunks: rows, as `files.rows.read_rows` gives them.
        mapping: how a row becomes an event.
        send: called with key and value of each event, in the rows' order.
        pace: when; None: as fast as `send` takes them.
        progress: called with the number of events sent so far, after each chunk and each sleep.

    Returns:
        The number of events sent.

    >>> rows = [{"id": "a", "km": 12.5}]
    >>> replay([rows], Mapping({"event_id": "id", "features": "*"}), print)
    b'a' b'{"event_id":"a","features":{"km":12.5}}'
    1
    """
    sent = 0
    for chunk in chunks:
        for row in chunk:
            event = mapping.to_event(row)
            slept = pace is not None and pace.wait(event.get("timestamp"))
            if slept and progress is not None:
                progress(sent)
            send(*encode_event(event))
            sent += 1
        if progress is not None:
            progress(sent)
    return sent
