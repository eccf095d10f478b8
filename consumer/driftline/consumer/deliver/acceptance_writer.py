"""Writing that the present of a model is accepted as normal: a record in `<prefix>.panes`.

    writer = AcceptanceWriter(connect(kafka), "driftline.panes", now)
    writer.accept("car-loan", AcceptanceRequest("income", "ada", "a new market"))

The judge of the model reads it there, between panes, so what it makes of it depends on the log.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b

import msgspec

from driftline.consumer.deliver.confirmed import ConfirmedWriter
from driftline.consumer.deliver.errors import AlertsError
from driftline.consumer.deliver.mark_writer import LONGEST_NAME, LONGEST_REASON, checked_text
from driftline.consumer.log.protocol import Broker
from driftline.consumer.wire.codec import CONTROL_VERSION, encode
from driftline.consumer.wire.messages import Acceptance, partition_of
from driftline.producer.records.names import is_metric
from driftline.producer.records.timestamp import parse_timestamp


class AcceptanceRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is accepted as normal from now on, by whom and why.

    Attributes:
        feature: whose present; left out: that of every feature.
        who: accepts it.
        why: the reason.
        since: from when on events are the new normal, RFC 3339; left out: since the alert on the
            feature began, without one those of the last window.
        start: from when on events are compared with them, RFC 3339; left out, or past: the next.
    """

    feature: str = ""
    who: str = ""
    why: str = ""
    since: str | None = None
    start: str | None = None


class AcceptanceWriter(ConfirmedWriter):
    """Writes acceptances; threads may share it.

    Args:
        broker: a connection that nobody else uses; `close` gives it up.
        topic: `<prefix>.panes`.
        now: returns ms since 1970.
    """

    def __init__(self, broker: Broker, topic: str, now: Callable[[], int]) -> None:
        super().__init__(broker, topic)
        self._now = now

    def accept(self, model: str, request: AcceptanceRequest) -> Acceptance:
        """Write one; return it once the broker has it.

        Args:
            model: its name; whether there is such a model is not looked up.
            request: what is accepted.

        Raises:
            AlertsError: an argument is not as it must be, or the topic does not exist.
            LogError: the broker refuses.
            WorkerLost: the broker has given no answer for a minute.
        """
        made = acceptance(model, request, self._now())
        with self._lock:
            info = self._broker.log.topics(frozenset([self._topic])).get(self._topic)
            if info is None:
                raise AlertsError(
                    f"{self._topic} does not exist, so no worker judges the model: run  driftline"
                    " topics create"
                )
            place = partition_of(model, info.partitions)
            self._send(place, model, encode(made, CONTROL_VERSION))
        return made


def acceptance(model: str, request: AcceptanceRequest, now: int) -> Acceptance:
    """Return the record of an acceptance, written at a time (ms).

    Raises:
        AlertsError: an argument is not as it must be.

    Example:
        >>> made = acceptance("m", AcceptanceRequest("x", "ada", "a new market"), 0)
        >>> made.feature, made.who, made.since, len(made.id)
        ('x', 'ada', None, 16)
    """
    if is_metric(request.feature):
        raise AlertsError(
            f"{request.feature}: the present of features can be accepted, not that of metrics:"
            " build a reference of predictions that are good enough"
        )
    who = checked_text(request.who, "who", LONGEST_NAME)
    why = checked_text(request.why, "why", LONGEST_REASON)
    since, start = _time(request.since, "since"), _time(request.start, "start")
    if since is not None and start is not None and since >= start:
        raise AlertsError("since: write a time before start")
    parts = [model, request.feature, who, why, str(since), str(start), str(now)]
    digest = blake2b("\0".join(parts).encode(), digest_size=8).hexdigest()
    return Acceptance(digest, model, request.feature, who, why, since, start)


def _time(text: str | None, name: str) -> int | None:
    time = None if text is None else parse_timestamp(text)
    if text is not None and time is None:
        raise AlertsError(f"{name}: write a time in RFC 3339, such as 2026-03-27T08:00:00Z")
    return time
