"""Every record has one fate, and what cannot be used is kept with the reason."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.consumer.service.rig import Rig
from tests.consumer.service.small import DAY, MINUTE, START, plan, reference, row

from driftline.consumer.log.memory import MemoryRecord
from driftline.consumer.service.messages import dead_letter_message
from driftline.consumer.sketch.totals import DeadLetter

PLAN = plan(
    {"n": reference(model="n")},
    models={"n": {}},
    segments=["tier"],
    limits={"idle_after": "5s", "max_event_bytes": 2_000},
)
FACTS = ("topic", "partition", "offset", "timestamp", "reason", "detail")
REASONS = {"malformed", "schema", "timestamp", "too_far_ahead", "too_large", "unknown_class"}

scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.just("NaN")
)
documents = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=6,
)
times = st.one_of(
    st.integers(START, START + 3 * MINUTE),
    st.integers(START + DAY - MINUTE, START + 2 * DAY),
    st.sampled_from([0, -1, "2020-09-20T00:00:30Z", "1969-01-01T00:00:00Z", "soon", None, 1e300]),
)
near_events = st.builds(
    lambda required, extra: {**required, **extra},
    st.fixed_dictionaries(
        {
            "timestamp": times,
            "model": st.sampled_from(["m", "m", "n", "stranger", None, 7]),
            "features": st.one_of(
                st.dictionaries(st.sampled_from(["x", "c", "b", "new"]), documents, max_size=4),
                documents,
            ),
        }
    ),
    st.dictionaries(
        st.sampled_from(["prediction", "tags", "model_version", "event_id", "actual", "odd"]),
        documents,
        max_size=3,
    ),
)
garbage = st.one_of(
    st.none(),
    st.binary(max_size=30),
    documents.map(lambda value: json.dumps(value).encode()),
    near_events.map(lambda value: json.dumps(value).encode()),
    near_events.map(lambda value: json.dumps(value).encode()[:-3]),
    st.sampled_from(
        [
            b"[" * 100_000,
            b"[" * 1_900,
            b'{"a":' * 300,
            b"9" * 1_999,
            b'{"timestamp": ' + b"9" * 1_900 + b"}",
            b'{"model": "m", "features": {"x": 1e400}}',
            b'{"model": "m", "features": {"x": NaN, "c": Infinity}}',
            b'{"model": "m", "features": {"x": 1, "x": "two"}}',
            b'\xef\xbb\xbf{"model": "m", "features": {}}',
            b"\xff\xfe{}",
            b'{"model": "m", "features": {"c": "\\ud800"}}',
        ]
    ),
)


@settings(max_examples=200, deadline=None)
@example([(b'[null,Infinity,"["]', 0)], 1)
@given(st.lists(st.tuples(garbage, st.integers(0, 2)), max_size=40), st.integers(1, 9))
def test_any_input_is_accounted_for_to_the_last_record(
    values: list[tuple[bytes | None, int]], batch: int
) -> None:
    rig = Rig(PLAN, partitions=3)
    for value, partition in values:
        rig.write([value], partition, key=b"key", headers=[("trace", b"7")])
    rig.start(batch=batch)
    rig.settle()
    worker, _, _ = rig.workers[0]
    totals = worker.status.totals["in"]
    fates = (totals.counted, totals.late, totals.skipped, totals.rejected)
    assert totals.read == sum(fate.total() for fate in fates)
    assert set(totals.rejected) <= REASONS
    letters = rig.records("dead-letter")
    assert len(letters) == totals.rejected.total()
    originals = {(r.partition, r.offset): r for r in rig.broker.records("in")}
    events = {at: events_of(record.value) for at, record in originals.items()}
    refused = set()
    for letter in letters:
        told = check_letter(letter, originals)
        at = (int(told["partition"]), int(told["offset"]))
        index = told.get("index")
        if index is None:  # the whole record
            events[at] = 1
        assert (at, index) not in refused
        refused.add((at, index))
    assert len(originals) == len(values)
    assert totals.read == sum(events.values())
    for output in ("verdicts", "alerts"):
        for record in rig.records(output):
            json.loads(record.value or b"", parse_constant=lambda name: pytest.fail(name))
    assert {verdict["model"] for verdict in rig.bodies("verdicts")} <= {"m", "n"}


def events_of(value: bytes | None) -> int:
    """Return how many events a record holds, if it is not refused as a whole."""
    try:
        content = json.loads(value or b"")
    except (ValueError, RecursionError):
        return 1
    return len(content) if isinstance(content, list) else 1


def check_letter(
    letter: MemoryRecord, originals: dict[tuple[int, int], MemoryRecord]
) -> dict[str, str]:
    """Check a dead letter against its original; return its facts."""
    own, facts = list(letter.headers)[:1], dict(list(letter.headers)[1:])
    told = {name.removeprefix("driftline.error."): text.decode() for name, text in facts.items()}
    original = originals[int(told["partition"]), int(told["offset"])]
    assert own == [("trace", b"7")] == list(original.headers)
    assert letter.key == original.key == b"key"
    assert (told["topic"], told["timestamp"]) == ("in", str(original.timestamp))
    assert told["reason"] in REASONS
    assert 0 < len(told["detail"]) <= 256
    if told["reason"] == "too_large":
        assert original.value is not None
        assert letter.value == original.value[:4_096]
        assert told["length"] == str(len(original.value))
        assert told["sha256"] == hashlib.sha256(original.value).hexdigest()
    elif "index" in told:  # one of several events, alone
        # What JSON has no number for is written as text.
        event = json.loads(original.value or b"", parse_constant=str)[int(told["index"])]
        # A text is read as JSON that was encoded twice: as what it holds.
        if letter.value != (event.encode() if isinstance(event, str) else None):
            assert json.dumps(json.loads(letter.value or b"")) == json.dumps(event)
        assert tuple(told) == (*FACTS, "index")
    else:
        assert letter.value == original.value
        assert tuple(told) == FACTS
    return told


HALF_AN_EVENT = msgspec.json.encode(row(0))[:-9]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"oops", "malformed"),
        (b"", "malformed"),
        (HALF_AN_EVENT, "malformed"),
        ("é".encode("latin-1"), "malformed"),
        (b"[" * 1_900, "malformed"),
        (b"[1, 2]", "malformed"),
        (b"7", "malformed"),
        (b"{}", "schema"),
        ({"model": "m", "timestamp": START}, "schema"),
        ({**row(0), "features": [1]}, "schema"),
        ({**row(0), "features": "x"}, "schema"),
        ({**row(0), "model": 7}, "schema"),
        ({**row(0), "model": None}, "schema"),
        ({**row(0), "timestamp": 0}, "timestamp"),
        ({**row(0), "timestamp": -5}, "timestamp"),
        ({**row(0), "timestamp": "yesterday"}, "timestamp"),
        ({**row(0), "timestamp": "1677-12-31T23:59:59Z"}, "timestamp"),
        (row(DAY + 6 * MINUTE), "too_far_ahead"),
        (row(3_650 * DAY), "too_far_ahead"),
        (b"x" * 2_001, "too_large"),
        (b"x" * 6_000, "too_large"),
    ],
)
def test_reasons(value: dict[str, Any] | bytes, reason: str) -> None:
    rig = Rig(PLAN, partitions=3)
    rig.write([row(0), value, row(1)], partition=2, key=b"key", headers=[("trace", b"7")])
    worker = rig.start()
    rig.settle()
    (letter,) = rig.records("dead-letter")
    told = check_letter(letter, {(r.partition, r.offset): r for r in rig.broker.records("in")})
    assert (told["reason"], told["partition"], told["offset"]) == (reason, "2", "1")
    assert worker.status.totals["in"].counted == {"m": 2}


@pytest.mark.parametrize(
    "value",
    [
        None,  # a tombstone
        row(0, model="stranger"),
        {**row(0), "model": "stranger", "timestamp": "never"},
    ],
)
def test_skipped_is_no_dead_letter(value: dict[str, Any] | None) -> None:
    rig = Rig(PLAN)
    rig.write([value] * 3)
    worker = rig.start()
    rig.settle()
    assert rig.records("dead-letter") == []
    assert worker.status.totals["in"].skipped.total() == 3


def test_names_of_unknown_models_are_kept_nowhere() -> None:
    rig = Rig(PLAN)
    rig.write([row(0, model=f"stranger-{i}") for i in range(500)])
    worker = rig.start()
    rig.settle()
    assert worker.status.totals["in"].skipped["unknown_model"] == 500
    assert set(worker.status.totals["in"].counted) <= {"m", "n"}
    written = [r.value or b"" for name in ("panes", "state", "verdicts") for r in rig.records(name)]
    assert not any(b"stranger" in value for value in written)


def test_what_a_record_holds_is_not_told_in_the_detail() -> None:
    secrets: list[dict[str, Any] | bytes | None] = [
        {**row(0), "features": "s3cret-value"},
        {**row(0), "timestamp": "s3cret-value"},
        {**row(0), "model": ["s3cret-value"]},
        b'{"features": s3cret-value}',
        {"s3cret-value": 1},
    ]
    rig = Rig(PLAN)
    rig.write(secrets)
    rig.start()
    rig.settle()
    letters = rig.records("dead-letter")
    assert len(letters) == len(secrets)
    for letter in letters:
        assert b"s3cret" not in dict(letter.headers)["driftline.error.detail"]


def test_a_long_detail_is_cut() -> None:
    record = MemoryRecord("in", 5, 9, 77, None, b"value", [("own", b"1")])
    message = dead_letter_message(DeadLetter(record, "schema", "x" * 500), "out", 3)
    assert (message.topic, message.partition, message.key) == ("out", 2, None)
    assert message.timestamp is None  # when it was sent, not when it was made
    assert len(dict(message.headers)["driftline.error.detail"]) == 256
    assert message.headers[0] == ("own", b"1")
