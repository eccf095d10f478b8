"""What librdkafka hands out becomes records; what it says beside them is heeded."""

from __future__ import annotations

from typing import Any

import pytest
from confluent_kafka import KafkaError, Message

from driftline.consumer.config import KafkaConfig
from driftline.consumer.log.confluent.fetcher import Fetcher
from driftline.consumer.log.confluent.records import records
from driftline.consumer.log.errors import LogError
from driftline.consumer.log.protocol import TopicPartition

ZERO, ONE = TopicPartition("t", 0), TopicPartition("t", 1)


def message(partition: int, offset: int, error: int | None = None, size: int = 1) -> Any:
    return Message(
        topic="t", partition=partition, offset=offset, key=b"k", value=bytes(size),
        timestamp=(1, 1_000 + offset), error=None if error is None else KafkaError(error, "no"),
    )  # fmt: skip


class Client:
    """Stands for librdkafka's consumer: hands out what waits, and notes what it is to fetch."""

    def __init__(self) -> None:
        self.waiting: list[Any] = []
        self.assigned: dict[TopicPartition, int] = {}

    def consume(self, count: int, timeout: float) -> list[Any]:
        taken, self.waiting = self.waiting[:count], self.waiting[count:]
        return taken

    def incremental_assign(self, places: list[Any]) -> None:
        for place in places:
            assert (place.topic, place.partition) not in self.assigned
            self.assigned[TopicPartition(place.topic, place.partition)] = place.offset

    def incremental_unassign(self, places: list[Any]) -> None:
        for place in places:
            del self.assigned[TopicPartition(place.topic, place.partition)]


@pytest.fixture
def client() -> Client:
    return Client()


@pytest.fixture
def fetcher(client: Client) -> Fetcher:
    """Reads both partitions from offset 3 on."""
    config = KafkaConfig(bootstrap_servers=("127.0.0.1:1",), group="g")
    config = config.model_copy(update={"max_batch_bytes": 5_000})
    made = Fetcher(config, {}, 4_000)
    made.close()
    made._client = client  # type: ignore[assignment]  # a double
    for partition in (ZERO, ONE):
        made.seek(partition, 3)
    made.resume({ZERO, ONE})
    assert made.fetch(0.0).records == {}
    assert client.assigned == {ZERO: 3, ONE: 3}
    return made


def offsets(fetched: Any) -> dict[TopicPartition, list[int]]:
    return {tp: [record.offset for record in found] for tp, found in fetched.records.items()}


def test_records() -> None:
    headers: list[tuple[str, str | bytes | None]] = [("a", b"x"), ("a", None)]
    full = Message(
        topic="t", partition=1, offset=7, key=None, value=None, headers=headers, timestamp=(2, 9)
    )
    runs = list(records([message(0, 5), message(0, 6), full, message(0, 7)]))
    assert [(partition, [r.offset for r in run]) for partition, run in runs] == [
        (ZERO, [5, 6]), (ONE, [7]), (ZERO, [7]),
    ]  # fmt: skip
    first, other = runs[0][1][0], runs[1][1][0]
    assert first == ("t", 0, 5, 1_005, b"k", b"\0", ())
    assert (other.key, other.value, other.headers, other.timestamp) == (None, None, headers, 9)
    assert list(records([])) == []


def test_runs_of_a_partition_become_one(client: Client, fetcher: Fetcher) -> None:
    client.waiting = [message(0, 3), message(1, 3), message(0, 4), message(0, 9)]
    fetched = fetcher.fetch(0.0)
    assert offsets(fetched) == {ZERO: [3, 4, 9], ONE: [3]}
    assert fetcher.next == {ZERO: 10, ONE: 4}


def test_a_partition_that_ends_moves_the_position(client: Client, fetcher: Fetcher) -> None:
    """Behind the last record that may be read lie those of aborted transactions."""
    assert fetcher.met == set()
    client.waiting = [message(0, 3), message(0, 8, KafkaError._PARTITION_EOF)]
    assert offsets(fetcher.fetch(0.0)) == {ZERO: [3]}
    assert (fetcher.next, fetcher.met) == ({ZERO: 8, ONE: 3}, {ZERO})
    client.waiting = [message(0, 8), message(0, 8, KafkaError._PARTITION_EOF)]  # an older end
    fetcher.fetch(0.0)
    assert fetcher.next[ZERO] == 9


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (KafkaError._AUTO_OFFSET_RESET, "gone"),
        (KafkaError._LOG_TRUNCATION, "gone"),
        (KafkaError._BAD_COMPRESSION, "unreadable"),
        (KafkaError._BAD_MSG, "unreadable"),
        (KafkaError.MSG_SIZE_TOO_LARGE, "unreadable"),
    ],
)
def test_a_partition_that_cannot_go_on_brings_nothing_until_it_is_sought(
    client: Client, fetcher: Fetcher, code: int, kind: str
) -> None:
    """What librdkafka reads behind it would leave a hole."""
    client.waiting = [message(0, 3), message(0, 4, code), message(0, 6), message(1, 3)]
    fetched = fetcher.fetch(0.0)
    assert offsets(fetched) == {ZERO: [3], ONE: [3]}
    assert getattr(fetched, kind) == {ZERO}
    assert len(fetched.gone | fetched.unreadable) == 1
    assert fetcher.next[ZERO] == 4
    fetcher.fetch(0.0)
    assert client.assigned == {ONE: 3}
    fetcher.seek(ZERO, 5)
    fetcher.fetch(0.0)
    assert client.assigned == {ONE: 3, ZERO: 5}


def test_an_end_behind_what_cannot_be_read_moves_no_position(
    client: Client, fetcher: Fetcher
) -> None:
    """The batch in between is read by the other client, from there on."""
    eof = message(0, 9, KafkaError._PARTITION_EOF)
    client.waiting = [message(0, 3), message(0, 4, KafkaError._BAD_MSG), eof]
    assert fetcher.fetch(0.0).unreadable == {ZERO}
    assert fetcher.next[ZERO] == 4


def test_a_name_that_is_no_text_is_for_the_other_client(
    client: Client, fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreadable(messages: Any) -> Any:
        raise UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte")

    monkeypatch.setattr("driftline.consumer.log.confluent.fetcher.records", unreadable)
    client.waiting = [message(1, 3)]
    fetched = fetcher.fetch(0.0)
    assert (fetched.records, fetched.unreadable) == ({}, {ONE})
    assert fetcher.next == {ZERO: 3, ONE: 3}


def test_what_has_passed_or_is_not_read_any_more_is_left_out(
    client: Client, fetcher: Fetcher
) -> None:
    client.waiting = [message(0, 2), message(0, 3)]
    assert offsets(fetcher.fetch(0.0)) == {ZERO: [3]}
    fetcher.pause({ZERO})
    fetcher.fetch(0.0)
    client.waiting = [message(0, 4), message(1, 3)]
    assert offsets(fetcher.fetch(0.0)) == {ONE: [3]}
    fetcher.resume({ZERO})
    fetcher.fetch(0.0)
    assert client.assigned == {ONE: 3, ZERO: 4}
    fetcher.keep({ONE})
    fetcher.resume({ZERO})  # without a position nothing is read
    fetcher.fetch(0.0)
    assert client.assigned == {ONE: 3}


def test_a_fetch_ends_at_its_bounds(client: Client, fetcher: Fetcher) -> None:
    client.waiting = [message(0, 3 + number) for number in range(5_000)]
    assert len(fetcher.fetch(0.0).records[ZERO]) == 4_000
    client.waiting = [message(1, 3 + number, size=100) for number in range(5_000)]
    assert len(fetcher.fetch(0.0).records[ONE]) == 1_001  # in pieces, above 5,000 bytes


def test_refusals(client: Client, fetcher: Fetcher) -> None:
    client.waiting = [message(0, 3, KafkaError.TOPIC_AUTHORIZATION_FAILED)]
    with pytest.raises(LogError, match="not allowed to read t: grant Read on the topic"):
        fetcher.fetch(0.0)
    client.waiting = [message(0, 3, KafkaError._TRANSPORT), message(0, 3)]
    assert offsets(fetcher.fetch(0.0)) == {ZERO: [3]}
    client.waiting = [Message(error=KafkaError(KafkaError._FATAL, "all over", fatal=True))]
    with pytest.raises(LogError, match="cannot read the log: all over"):
        fetcher.fetch(0.0)
