"""Batches are unpacked up to a limit, whatever they were packed with."""

from __future__ import annotations

import contextlib
import gzip
import inspect
import tracemalloc
from collections.abc import Callable
from typing import Any

import kafka
import lz4.frame
import pytest
import snappy
import zstandard
from hypothesis import given
from hypothesis import strategies as st
from kafka.codec import snappy_encode
from kafka.consumer.fetcher import Fetcher
from kafka.record.default_records import DefaultRecordBatchBuilder
from kafka.record.legacy_records import LegacyRecordBatchBuilder
from kafka.record.memory_records import MemoryRecords

from driftline.consumer.log.kafka_python.unpacking import (
    _NOT_READABLE,
    GZIP,
    LZ4,
    SNAPPY,
    ZSTD,
    Allowance,
    TooLargeError,
    _Reader,
    bound,
    unpack,
)
from driftline.consumer.log.protocol import UnreadBatch

MB = 1 << 20
TP = kafka.TopicPartition("in", 0)


def unsized(data: bytes) -> bytes:
    """Return what Kafka's own producer makes: a frame that does not say how large it is."""
    packer = zstandard.ZstdCompressor().compressobj()
    return packer.compress(data) + packer.flush()


PACKERS: dict[str, tuple[int, Callable[[bytes], bytes]]] = {
    "gzip": (GZIP, gzip.compress),
    "gzip of two members": (GZIP, lambda data: gzip.compress(data[:9]) + gzip.compress(data[9:])),
    "snappy": (SNAPPY, snappy.compress),
    "snappy in blocks": (SNAPPY, snappy_encode),
    "lz4": (LZ4, lz4.frame.compress),
    "zstd": (ZSTD, zstandard.ZstdCompressor().compress),
    "zstd without a size": (ZSTD, unsized),
    "zstd of two frames": (ZSTD, lambda data: unsized(data[:9]) + unsized(data[9:])),
}


@pytest.mark.parametrize("name", PACKERS)
@given(data=st.binary(max_size=2_000), times=st.sampled_from([1, 700]))
def test_what_fits_is_unpacked_and_one_byte_more_is_refused(
    name: str, data: bytes, times: int
) -> None:
    codec, pack = PACKERS[name]
    whole = data * times
    assert unpack(codec, pack(whole), len(whole)) == whole
    if whole:
        with pytest.raises(TooLargeError):
            unpack(codec, pack(whole), len(whole) - 1)


def test_a_zstd_frame_may_have_the_window_of_any_level() -> None:
    packer = zstandard.ZstdCompressor(level=22).compressobj()
    packed = packer.compress(b"abc") + packer.flush()
    assert zstandard.get_frame_parameters(packed).window_size == 128 * MB
    assert unpack(ZSTD, packed, 3) == b"abc"


@pytest.mark.parametrize("limit", [1, 1 << 40])
def test_any_limit_will_do(limit: int) -> None:
    assert unpack(ZSTD, zstandard.compress(b"a"), limit) == b"a"


@pytest.mark.parametrize("name", PACKERS)
def test_no_more_than_the_limit_is_ever_held(name: str) -> None:
    codec, pack = PACKERS[name]
    packed = pack(bytes(64 * MB))
    tracemalloc.start()
    with pytest.raises(TooLargeError):
        unpack(codec, packed, MB)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # The library of snappy unpacks blocks, whose size it is asked before.
    assert peak < 4 * MB + len(packed)


@pytest.mark.parametrize("name", PACKERS)
def test_what_is_cut_short_ends(name: str) -> None:
    codec, pack = PACKERS[name]
    whole = bytes(range(256)) * 99
    packed = pack(whole)
    for size in (0, 1, 5, len(packed) // 2, len(packed) - 1):
        with contextlib.suppress(*_NOT_READABLE):
            assert whole.startswith(unpack(codec, packed[:size], MB))


def batch(first: int, values: list[bytes], codec: int = 0, **more: Any) -> bytes:
    """Return a batch as it stands in the log."""
    builder = DefaultRecordBatchBuilder(
        magic=2, compression_type=codec, is_transactional=False, producer_id=-1,
        producer_epoch=-1, base_sequence=-1, batch_size=1 << 30,
    )  # fmt: skip
    for place, value in enumerate(values):
        builder.append(place, 1_000 + place, None, value, more.get("headers", []))
    built = bytearray(builder.build())
    built[:8] = first.to_bytes(8, "big")  # not under the checksum, as on a broker
    return bytes(built)


def message_set(first: int, values: list[bytes], magic: int, codec: int) -> bytes:
    """Return the same as brokers wrote it before 0.11: one message that holds the others."""
    builder = LegacyRecordBatchBuilder(magic, codec, 1 << 30)
    for place, value in enumerate(values):
        builder.append(place if magic else first + place, 1_000 + place, None, value)
    built = bytearray(builder.build())
    built[:8] = (first + len(values) - 1).to_bytes(8, "big")
    return bytes(built)


def read(data: bytes, limit: int, start: int = 0, n: int = 10_000) -> tuple[list[Any], Any]:
    reader = _Reader(Allowance(limit), start, TP, MemoryRecords(data))
    return reader.take(n), reader


@pytest.mark.parametrize("codec", [GZIP, SNAPPY, LZ4, ZSTD])
def test_a_batch_that_is_too_large_is_one_record_between_the_others(codec: int) -> None:
    bomb = batch(3, [bytes(MB)] * 4, codec)
    data = batch(0, [b"a", b"b", b"c"], codec) + bomb + batch(7, [b"d"], codec)
    found, reader = read(data, 2 * MB)
    assert [record.offset for record in found] == [0, 1, 2, 6, 7]
    assert reader.next_fetch_offset == 8
    value = found[3].value
    assert isinstance(value, UnreadBatch)
    assert (value.first, value.last, value.reason, bytes(value)) == (3, 6, "too_large", bomb)
    assert value.detail == (
        "the batch of offsets 3 to 6 unpacks to more than 2,097,152 bytes (kafka.max_batch_bytes)"
    )
    assert [record.value for record in found if record is not found[3]] == [b"a", b"b", b"c", b"d"]
    assert found[3].timestamp == 1_003
    (again, *_), _ = read(data, 2 * MB, start=5)  # from the middle: only what was not read yet
    assert (again.offset, again.value.first, again.value.last) == (6, 5, 6)


@pytest.mark.parametrize("magic", [0, 1])
@pytest.mark.parametrize("codec", [GZIP, SNAPPY, LZ4])
def test_sets_of_messages(magic: int, codec: int) -> None:
    small = message_set(5, [b"a", b"b"], magic, codec)
    found, _ = read(small, MB, start=5)
    if magic == 0 and codec == LZ4:
        (one,) = found
        assert (one.value.first, one.value.last, one.value.reason) == (5, 6, "malformed")
        return
    assert [(record.offset, record.value) for record in found] == [(5, b"a"), (6, b"b")]
    found, reader = read(small + message_set(7, [bytes(MB)] * 3, magic, codec), 2 * MB, start=5)
    assert [record.offset for record in found] == [5, 6, 9]
    assert (found[2].value.first, found[2].value.last) == (7, 9)
    assert found[2].value.reason == "too_large"
    assert reader.next_fetch_offset == 10


def test_a_set_within_a_set_is_one_record() -> None:
    inner = message_set(0, [bytes(9_000)] * 3, 1, GZIP)
    builder = LegacyRecordBatchBuilder(1, GZIP, 1 << 30)
    builder._buffer.extend(inner)
    ((one, *more), reader) = read(bytes(builder.build()), MB)
    assert (one.value.reason, more) == ("malformed", [])
    assert reader.next_fetch_offset == one.offset + 1


@pytest.mark.parametrize("codec", [0, ZSTD])
def test_a_record_that_cannot_be_read_takes_the_rest_of_its_batch_with_it(codec: int) -> None:
    good = batch(0, [b"a", b"b"], codec, headers=[("key", b"x")])
    whole = bytearray(batch(0, [b"a", b"b", b"c"], 0, headers=[("key", b"x")]))
    whole[whole.rindex(b"key")] = 0xFF  # brokers do not look whether a header's name is UTF-8
    if codec:
        packed = zstandard.ZstdCompressor().compress(bytes(whole[61:]))
        whole = whole[:61] + packed
        whole[22] |= ZSTD
        whole[8:12] = (len(whole) - 12).to_bytes(4, "big")
    data = bytes(whole) + bytes((3).to_bytes(8, "big") + good[8:])
    reader = _Reader(Allowance(MB), 0, TP, MemoryRecords(data), check_crcs=False)
    found = reader.take(10)
    assert [record.offset for record in found] == [0, 1, 2, 3, 4]
    assert (found[2].value.first, found[2].value.last) == (2, 2)
    assert found[2].value.reason == "malformed"


def test_a_codec_that_is_not_there_is_no_batch_that_cannot_be_read() -> None:
    data = bytearray(batch(0, [b"a"]))
    data[22] |= 5
    reader = _Reader(Allowance(MB), 0, TP, MemoryRecords(bytes(data)), check_crcs=False)
    with pytest.raises(kafka.errors.UnsupportedCodecError):
        reader.take(10)


def test_one_poll_brings_no_more_than_about_the_limit() -> None:
    """However many batches it takes: each unpacks to less, all together to much more."""
    values = [bytes(MB // 2)] * 3
    data = b"".join(batch(3 * place, values, ZSTD) for place in range(20))
    allowance, start, polls = Allowance(2 * MB), 0, []
    while start < 60:
        allowance.renew()
        first = _Reader(allowance, start, TP, MemoryRecords(data))
        found = first.take(10_000)
        assert [record.offset for record in found] == list(range(start, start + len(found)))
        start = first.next_fetch_offset
        polls.append(len(found))
        if start < 60:
            assert not first  # the client throws it away, and fetches from the next offset on
            other = _Reader(allowance, 0, TP, MemoryRecords(data))  # of another partition
            assert other.take(10_000) == []
            assert (not other, other.next_fetch_offset) == (True, 0)
    assert polls == [4] * 15


def test_a_reader_takes_so_many_at_a_time() -> None:
    data = batch(0, [b"a"] * 5, ZSTD)
    reader = _Reader(Allowance(MB), 0, TP, MemoryRecords(data))
    assert [len(reader.take(2)) for _ in range(3)] == [2, 2, 1]
    assert not reader


def test_the_client_has_the_place_where_the_limit_is_put() -> None:
    """A newer client must be looked at before its version is let in."""
    consumer = type("Client", (), {"_fetcher": Fetcher.__new__(Fetcher)})()
    bound(consumer, MB)
    made = consumer._fetcher.PartitionRecords(7, TP, MemoryRecords(b""), check_crcs=True)
    assert isinstance(made, _Reader)
    assert "self.PartitionRecords(" in inspect.getsource(Fetcher._parse_fetched_data)
    reader = inspect.getsource(Fetcher.PartitionRecords)
    assert "self._unpack_records(tp, records, key_deserializer, value_deserializer)" in reader
    assert "part.take(max_records)" in inspect.getsource(Fetcher._append)
    assert "for record in batch:" in reader
