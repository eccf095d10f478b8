"""What stages make known as records: of which topic, under which key, with which headers."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from functools import partial
from operator import attrgetter
from typing import Any

import msgspec
from msgspec import UNSET

from driftline.consumer.log.protocol import Headers, Message, Record, TopicInfo, UnreadBatch
from driftline.consumer.service.plan import Plan
from driftline.consumer.sketch.event_record import EventRecord
from driftline.consumer.sketch.totals import DeadLetter
from driftline.consumer.wire.codec import (
    CONTROL_VERSION,
    MERGED_VERSION,
    TOGETHER_VERSION,
    encode,
)
from driftline.consumer.wire.messages import (
    Acceptance,
    Block,
    Horizon,
    Horizons,
    Loss,
    ModelChange,
    Pane,
    partition_of,
)
from driftline.consumer.wire.records import Alert, Verdict

# Of a record that is too large only so much is kept, with its length and SHA-256.
_KEPT_OF_TOO_LARGE = 4096
# A broker takes 1 MiB by default, and a letter it refuses would end every worker.
_LARGEST_LETTER = 900_000
_LONGEST_DETAIL = 256


def dead_letter_message(letter: DeadLetter, topic: str, partitions: int) -> Message:
    """Return `letter` as a record of the dead-letter `topic`.

    Key, value and headers are the original's; text headers ``driftline.error.*`` hold where it
    stood and what was wrong. Of one of several events of a record the value is the event alone, as
    JSON, and ``driftline.error.index`` its place.
    """
    record, value, several = _written(letter.record)
    facts = {
        "topic": record.topic,
        "partition": str(record.partition),
        "offset": str(record.offset),
        "timestamp": str(record.timestamp),
        "reason": letter.reason,
        "detail": letter.detail[:_LONGEST_DETAIL],
        **several,
    }
    if isinstance(value, UnreadBatch):
        facts |= {"offset": str(value.first), "last_offset": str(value.last)}
    key = record.key
    headers = [(name, content or b"") for name, content in record.headers]  # null is legal there
    around = len(key or b"") + sum(len(name) + len(content) for name, content in headers)
    if around > _LARGEST_LETTER // 2:
        facts["dropped"] = "key and headers"
        key, headers, around = None, [], 0
    if value is not None and (
        letter.reason == "too_large" or around + len(value) > _LARGEST_LETTER
    ):
        facts["length"] = str(len(value))
        facts["sha256"] = hashlib.sha256(value).hexdigest()
        value = value[:_KEPT_OF_TOO_LARGE]
    headers += [(f"driftline.error.{name}", text.encode()) for name, text in facts.items()]
    return Message(topic, record.partition % partitions, key, value, headers)


def _written(record: Record) -> tuple[Record, bytes | None, dict[str, str]]:
    """Return a record as it was written, what a dead letter keeps of it, and which event it is."""
    if not isinstance(record, EventRecord):
        return record, record.value, {}
    if record.index is None:
        return record.record, record.record.value, {}
    return record.record, record.value, {"index": str(record.index)}


def cloud_event(alert: Alert, plan: Plan) -> Headers:
    """Return an alert's headers: CloudEvents 1.0, binary mode."""
    subject = alert.stream if alert.feature is None else f"{alert.stream}/{alert.feature}"
    _, end = alert.window.times
    headers = {
        "ce_specversion": "1.0",
        "ce_id": f"{alert.alert_id}.{alert.revision}",
        "ce_source": f"/driftline/{plan.config.kafka.group}",
        "ce_type": "io.driftline.alert.v1",
        "ce_subject": subject,
        "ce_time": end,
        "content-type": "application/json",
    }
    return [(name, value.encode()) for name, value in headers.items()]


Write = Callable[[Any, str, int, Plan], Message]
"""From an output, its topic and how many partitions that has to a record."""


def _keyed(
    key: str,
    value: Callable[[Any], bytes],
    headers: Callable[[Any, Plan], Headers] = lambda output, plan: (),
) -> Write:
    """Return what writes outputs by a key, one of their fields, which chooses the partition."""
    key_of = attrgetter(key)

    def write(output: Any, topic: str, partitions: int, plan: Plan) -> Message:
        own = key_of(output)
        place = partition_of(own, partitions)
        return Message(topic, place, own.encode(), value(output), headers(output, plan))

    return write


_counts = _keyed("model", encode)
_panes = _keyed(
    "model", lambda pane: encode(pane) if pane.parts is UNSET else encode(pane, MERGED_VERSION)
)
_control = _keyed("model", partial(encode, version=CONTROL_VERSION))

OUTPUTS: dict[type, tuple[str, Write]] = {
    Pane: ("panes", _panes),
    Horizon: ("panes", _counts),
    Horizons: (
        "panes",
        lambda found, topic, *_: Message(
            topic, found.target, None, encode(found, TOGETHER_VERSION)
        ),
    ),
    Loss: ("panes", _counts),
    ModelChange: ("panes", _control),
    Acceptance: ("panes", _control),
    Block: ("joins", lambda block, topic, *_: Message(topic, block.target, None, encode(block))),
    DeadLetter: (
        "dead-letter",
        lambda letter, topic, partitions, _: dead_letter_message(letter, topic, partitions),
    ),
    Verdict: ("verdicts", _keyed("stream", msgspec.json.encode)),
    Alert: (
        "alerts",
        _keyed("alert_id", msgspec.json.encode, lambda alert, plan: cloud_event(alert, plan)),
    ),
}
"""Type of an output to its topic's short name, and what writes it as a record."""


class Outputs:
    """The output topics of a deployment.

    Args:
        plan: names them.
        topics: what the broker says of the topics; kept up to date by the caller.
    """

    def __init__(self, plan: Plan, topics: Mapping[str, TopicInfo]) -> None:
        self._plan = plan
        self._topics = topics

    def partitions(self, name: str) -> int:
        """Return how many partitions an output topic has."""
        return self._topics[self._plan.output(name)].partitions

    def message(self, output: object) -> Message:
        """Return an output as a record of its topic."""
        name, write = OUTPUTS[type(output)]
        topic = self._plan.output(name)
        return write(output, topic, self._topics[topic].partitions, self._plan)
