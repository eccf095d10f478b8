"""What people say of alerts: written as a whole, read as the newest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.consumer.deliver.errors import AlertsError
from driftline.consumer.deliver.mark_writer import MarkWriter
from driftline.consumer.deliver.marks import MarkReader
from driftline.consumer.log.errors import LogError, WorkerLost
from driftline.consumer.log.memory import MemoryBroker, MemoryProducer
from driftline.consumer.log.protocol import Message, TopicPartition
from driftline.consumer.wire.control import ACTIONS, Action, Mark, Marks
from driftline.consumer.wire.messages import partition_of
from driftline.producer.records.timestamp import format_time

TOPIC = "driftline.control"
NOW = 1_767_225_600_000  # 2026-01-01T00:00:00Z


@pytest.fixture
def broker() -> MemoryBroker:
    made = MemoryBroker(now=NOW)
    made.create(TOPIC, 3, "compact")
    return made


def writer(broker: MemoryBroker) -> MarkWriter:
    return MarkWriter(broker, TOPIC, lambda: broker.now)


def test_a_mark_is_written_and_read(broker: MemoryBroker) -> None:
    reader = MarkReader(broker.log, TOPIC)
    assert reader.new() == []
    said = writer(broker).mark("a", "acknowledge", " ada ", "looks at it ")
    assert said == Marks(
        "driftline.control.v1", "a", acknowledge=Mark("ada", "2026-01-01T00:00:00Z", "looks at it")
    )
    assert reader.new() == [said]
    assert reader.new() == []
    assert reader.newest == {"a": said}
    (record,) = broker.records(TOPIC)
    assert (record.key, record.partition) == (b"a", partition_of("a", 3))
    assert msgspec.json.decode(record.value or b"") == {
        "schema": "driftline.control.v1",
        "alert_id": "a",
        "acknowledge": {"who": "ada", "at": "2026-01-01T00:00:00Z", "why": "looks at it"},
    }


def test_another_writer_adds_to_what_is_said(broker: MemoryBroker) -> None:
    one, other = writer(broker), writer(broker)
    one.mark("a", "acknowledge", "ada")
    other.mark("b", "false_alarm", "bob", " ")
    other.mark("a", "snooze", "bob", until="2026-01-01T05:30:00.2+01:00")
    both = one.clear("a", "false_alarm")  # never said: nothing changes
    assert both.acknowledge == Mark("ada", "2026-01-01T00:00:00Z")
    assert both.snooze == Mark("bob", "2026-01-01T00:00:00Z", until="2026-01-01T04:30:01Z")
    assert one.clear("a", "snooze") == msgspec.structs.replace(both, snooze=None)
    reader = MarkReader(broker.log, TOPIC)
    assert {marks.alert_id for marks in reader.new()} == {"a", "b"}
    assert reader.newest["a"].snooze is None
    one.close()


@given(
    st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from(ACTIONS), st.booleans())),
    st.sets(st.integers(0, 30)),
)
def test_compaction_loses_nothing(steps: list[tuple[str, Action, bool]], again: set[int]) -> None:
    """Whichever writer writes, and whatever older records of a key are gone."""
    broker = MemoryBroker(now=NOW)
    broker.create(TOPIC, 3, "compact")
    expected: dict[tuple[str, Action], bool] = {}
    writing = writer(broker)
    for number, (alert_id, action, said) in enumerate(steps):
        if number in again:
            writing = writer(broker)
        if said:
            until = format_time(NOW + 1_000) if action == "snooze" else None
            writing.mark(alert_id, action, "ada", until=until)
        else:
            writing.clear(alert_id, action)
        expected[alert_id, action] = said
    newest = {record.key: record for record in broker.records(TOPIC)}
    for partition, log in broker.logs.items():
        broker.hidden[partition] = {r.offset for r in log if newest[r.key] is not r}
    reader = MarkReader(broker.log, TOPIC)
    reader.new()
    for (alert_id, action), said in expected.items():
        assert (getattr(reader.newest[alert_id], action) is not None) == said


def test_a_topic_that_comes_later_is_read(broker: MemoryBroker) -> None:
    empty = MemoryBroker(now=NOW)
    reader = MarkReader(empty.log, TOPIC)
    assert (reader.new(), reader.newest, reader.partitions()) == ([], {}, 0)
    with pytest.raises(
        AlertsError,
        match=r"^driftline.control does not exist, so alerts cannot be marked: run  driftline"
        r" topics create$",
    ):
        writer(empty).mark("a", "acknowledge", "ada")
    empty.create(TOPIC, 2, "compact")
    writer(empty).mark("a", "acknowledge", "ada")
    assert [marks.alert_id for marks in reader.new()] == ["a"]


def test_what_is_no_mark_is_passed_over_and_a_deleted_one_says_nothing(
    broker: MemoryBroker, caplog: pytest.LogCaptureFixture
) -> None:
    writer(broker).mark("a", "acknowledge", "ada")
    partition = partition_of("a", 3)
    for value in (b"{}", b"\xff", b'{"schema":"driftline.control.v2","alert_id":"a"}', None):
        broker.append(Message(TOPIC, partition, b"a", value))
    reader = MarkReader(broker.log, TOPIC)
    assert reader.new() == [Marks("driftline.control.v1", "a")]
    assert len(caplog.messages) == 3
    assert caplog.messages[0].startswith(f"driftline.control[{partition}], offset 1: no marks")


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (("ack", "ada"), "ack: use one of acknowledge, snooze, false_alarm"),
        (("acknowledge", " "), "who: write 1 to 200 characters"),
        (("acknowledge", "a" * 201), "who: write 1 to 200 characters"),
        (("acknowledge", "ada", "w" * 2_001), "why: write 1 to 2,000 characters"),
        (("acknowledge", "ada", None, format_time(NOW + 1_000)),
         "until: a snooze ends, acknowledge does not: leave it out"),
        *((("snooze", "ada", None, until),
           "until: write when the snooze ends, a time to come in RFC 3339")
          for until in (None, "soon", format_time(NOW))),
    ],
)  # fmt: skip
def test_what_cannot_be_said(broker: MemoryBroker, call: tuple[Any, ...], said: str) -> None:
    with pytest.raises(AlertsError) as error:
        writer(broker).mark("a", *call)
    assert str(error.value) == said
    assert not list(broker.records(TOPIC))


def test_after_an_error_it_connects_again(
    broker: MemoryBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[MemoryProducer] = []
    connect: Callable[[], MemoryProducer] = broker.producer

    def producer() -> MemoryProducer:
        made.append(connect())
        return made[-1]

    monkeypatch.setattr(broker, "producer", producer)
    writing = writer(broker)
    assert made == []  # what only reads needs no right to write
    writing.mark("a", "acknowledge", "ada")
    made[0].crash_after = 0
    with pytest.raises(WorkerLost):
        writing.mark("a", "false_alarm", "ada")
    assert writing.mark("a", "false_alarm", "ada").acknowledge is not None
    assert len(made) == 2
    assert len(broker.logs[TopicPartition(TOPIC, partition_of("a", 3))]) == 2


def test_who_may_not_read_marks_is_told_once(
    broker: MemoryBroker, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    reader = MarkReader(broker.log, TOPIC)
    assert reader.look() == []

    def refuse(*arguments: object) -> None:
        raise LogError("the broker refuses: TopicAuthorizationFailedError")

    monkeypatch.setattr(reader, "new", refuse)
    assert (reader.look(), reader.look()) == ([], [])
    assert caplog.messages == [
        "driftline.control cannot be read, so marks of alerts are unknown: the broker refuses:"
        " TopicAuthorizationFailedError"
    ]
