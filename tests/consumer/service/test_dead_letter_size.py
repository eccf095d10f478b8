"""Every record that can be read can be written as a dead letter: null headers, and size."""

from __future__ import annotations

import hashlib
from typing import Any, cast

from tests.consumer.service.rig import Rig
from tests.consumer.service.small import TOPIC, plan

from driftline.consumer.log.memory import MemoryRecord
from driftline.consumer.log.protocol import Headers, Message
from driftline.consumer.service.messages import dead_letter_message
from driftline.consumer.sketch.totals import DeadLetter

BROKERS_LIMIT = 1_048_588
NULL = cast(Any, None)  # legal in Kafka as a header's value


def letter(value: bytes, key: bytes | None = None, headers: Headers = ()) -> Message:
    record = MemoryRecord(TOPIC, 0, 7, 0, key, value, headers)
    return dead_letter_message(DeadLetter(record, "malformed", "no JSON"), "letters", 2)


def facts(message: Message) -> dict[str, str]:
    found = {name: value.decode() for name, value in message.headers}
    prefix = "driftline.error."
    return {k.removeprefix(prefix): v for k, v in found.items() if k.startswith(prefix)}


def size(message: Message) -> int:
    around = sum(len(name) + len(value) for name, value in message.headers)
    return around + len(message.key or b"") + len(message.value or b"")


def test_a_null_header_is_written_as_an_empty_one() -> None:
    rig = Rig(plan())
    rig.write([b"oops"], headers=[("trace", NULL), ("more", b"1")])
    rig.start()
    rig.settle()
    (record,) = rig.records("dead-letter")
    assert list(record.headers)[:2] == [("trace", b""), ("more", b"1")]
    assert record.value == b"oops"


def test_a_key_and_headers_that_are_too_large_are_dropped_and_said_so() -> None:
    for key, headers in ((b"k" * 500_000, ()), (b"k", [("h", b"v" * 500_000)])):
        message = letter(b"oops", key, headers)
        assert facts(message)["dropped"] == "key and headers"
        assert (message.key, message.value) == (None, b"oops")
        assert all(name.startswith("driftline.error.") for name, _ in message.headers)
        assert size(message) < 2_000
    kept = letter(b"oops", b"k" * 400_000, [("h", b"v" * 40_000)])
    assert "dropped" not in facts(kept)
    assert (kept.key, next(iter(kept.headers))) == (b"k" * 400_000, ("h", b"v" * 40_000))


def test_a_value_that_makes_the_letter_too_large_is_cut_with_its_length_and_sum() -> None:
    value = b"x" * 600_000
    message = letter(value, b"k" * 400_000)
    assert message.value == value[:4096]
    assert facts(message)["length"] == "600000"
    assert facts(message)["sha256"] == hashlib.sha256(value).hexdigest()
    assert message.key == b"k" * 400_000
    whole = letter(value, b"k" * 200_000)
    assert whole.value == value
    assert "length" not in facts(whole)
    for made in (message, whole, letter(b"x" * 900_000, b"k" * 449_000)):
        assert size(made) < BROKERS_LIMIT
