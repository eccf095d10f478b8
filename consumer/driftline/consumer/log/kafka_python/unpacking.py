"""Record batches are unpacked up to a limit only, and what cannot be read is a value.

A batch of 87 kB may unpack to 900 MB, and the client (kafka-python 3.0.12) unpacks whatever comes
in one piece, without a limit and without an option for one. It reads a fetched partition through
the class `PartitionRecords` of its fetcher; `bound` puts a subclass in its place, in one client and
nowhere else. That is the narrowest place there is: checksums, aborted transactions, control records
and positions stay the client's, and a batch that cannot be read becomes one record with an
`UnreadBatch` as its value, so it keeps its place between the others and stops nobody.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from typing import Any

import kafka.errors
import lz4.frame
import snappy
import zstandard
from kafka.consumer.fetcher import Fetcher
from kafka.record.default_records import DefaultRecord

from driftline.consumer.log.protocol import UnreadBatch
from driftline.producer.errors import FormatReason

GZIP, SNAPPY, LZ4, ZSTD = 1, 2, 3, 4
_PIECE = 256 * 1024
_XERIAL, _XERIAL_HEADER = b"\x82SNAPPY\0", 16
_HAS_OFFSETS = 2  # the format of batches since Kafka 0.11; those before name their last offset only
_NOT_READABLE = (
    kafka.errors.CorruptRecordError, zstandard.ZstdError, zlib.error, snappy.UncompressError,
    struct.error, ValueError, IndexError, EOFError, AssertionError, RuntimeError,
)  # fmt: skip


class TooLargeError(Exception):
    """What is packed is larger than the limit."""


class Allowance:
    """The bytes that one poll may still bring.

    Args:
        limit: Bytes of a poll, and of what one batch unpacks to.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.left = limit

    def renew(self) -> None:
        """Begin the next poll."""
        self.left = self.limit


def bound(client: Any, limit: int) -> Allowance:
    """Let a consumer of the client unpack at most `limit` bytes of a batch.

    Nor does it bring much more than that in one poll, whose beginning the caller says to what is
    returned: what is left is fetched again.
    """
    allowance = Allowance(limit)
    client._fetcher.PartitionRecords = partial(_Reader, allowance)  # noqa: SLF001
    return allowance


def unpack(codec: int, packed: bytes, limit: int) -> bytearray:
    """Return what is packed, at most `limit` bytes.

    Example:
        >>> unpack(GZIP, zlib.compress(b"abc", wbits=31), 3)
        bytearray(b'abc')

    Raises:
        TooLargeError: It is more. Not much above the limit has been unpacked.
    """
    unpacked = bytearray()
    for piece in _CODECS[codec](packed, limit):
        unpacked += piece
        if len(unpacked) > limit:
            raise TooLargeError
    return unpacked


def _gzip(packed: bytes, limit: int) -> Iterator[bytes]:
    while packed:  # members behind one another
        member = zlib.decompressobj(31)
        while not member.eof:
            piece = member.decompress(packed, _PIECE)
            packed = member.unconsumed_tail or member.unused_data
            if not piece and not packed and not member.eof:
                raise EOFError("the packed data ends too early")
            yield piece


def _snappy(packed: bytes, limit: int) -> Iterator[bytes]:
    if not packed.startswith(_XERIAL):
        yield _snappy_block(packed, limit)
        return
    at = _XERIAL_HEADER
    while at < len(packed):
        (size,) = struct.unpack_from(">i", packed, at)
        at += 4
        yield _snappy_block(packed[at : at + size], limit)
        at += size


def _snappy_block(block: bytes, limit: int) -> bytes:
    """Unpack a block, whose first bytes say how large it will be: the library relies on them."""
    size = shift = 0
    for byte in block[:5]:
        size |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            break
    if size > limit:
        raise TooLargeError
    return bytes(snappy.decompress(block))


def _lz4(packed: bytes, limit: int) -> Iterator[bytes]:
    frame = lz4.frame.LZ4FrameDecompressor()
    while not frame.eof:
        piece = frame.decompress(packed, max_length=_PIECE)
        packed = b""
        if not piece and frame.needs_input and not frame.eof:
            raise EOFError("the packed data ends too early")
        yield piece


def _zstd(packed: bytes, limit: int) -> Iterator[bytes]:
    # Windows of up to 128 MiB, as level 22 has them, whatever the limit: the library refuses larger
    # ones, and of a window only what is unpacked takes memory.
    reader = zstandard.ZstdDecompressor().stream_reader(io.BytesIO(packed), read_across_frames=True)
    while piece := reader.read(_PIECE):
        yield piece


_CODECS: dict[int, Callable[[bytes, int], Iterator[bytes]]] = {
    GZIP: _gzip, SNAPPY: _snappy, LZ4: _lz4, ZSTD: _zstd,
}  # fmt: skip


class _Reader(Fetcher.PartitionRecords):  # type: ignore[misc]  # the client ships no types
    """The client's reader of one fetched partition, within bounds."""

    def __init__(self, allowance: Allowance, *args: Any, **options: Any) -> None:
        self._allowance = allowance
        super().__init__(*args, **options)

    def _unpack_records(self, tp: Any, records: Any, *rest: Any) -> Any:
        return super()._unpack_records(tp, _Batches(self, records), *rest)

    def take(self, n: int | None = None) -> list[Any]:
        """Return up to `n` records; when the allowance is used up, leave the rest unread."""
        self._maybe_raise_next_inline_exception()
        taken: list[Any] = []
        left = self._allowance.left
        try:
            for record in islice(self.record_iterator, n if left > 0 else 0):
                taken.append(record)
                left -= max(record.serialized_value_size, 0)
                if left <= 0:
                    break
        except Exception as error:
            if not taken:
                raise
            self._next_inline_exception = error  # as the client does: the next call raises it
        self._allowance.left = left
        if left <= 0:
            self.drain()
        return taken


class _Batches:
    """The batches of one fetched partition."""

    def __init__(self, reader: _Reader, records: Any) -> None:
        self._reader = reader
        self._records = records

    def next_batch(self) -> Any:
        batch = self._records.next_batch()
        return None if batch is None else _Batch(self._reader, batch)


class _Batch:
    """A batch whose iteration unpacks it within the limit and raises nothing."""

    def __init__(self, reader: _Reader, batch: Any) -> None:
        self._reader = reader
        self._batch = batch

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __next__(self) -> Any:  # the client looks so at a control record
        return next(self._batch)

    def __iter__(self) -> Iterator[Any]:
        batch, limit = self._batch, self._reader._allowance.limit  # noqa: SLF001
        whole = batch._buffer  # noqa: SLF001
        if batch.compression_type:
            batch._assert_has_codec(batch.compression_type)  # noqa: SLF001
        try:
            if batch.compression_type:
                _unpack_batch(batch, limit)
            yield from batch
        except TooLargeError:
            wrong = f"unpacks to more than {limit:,} bytes (kafka.max_batch_bytes)"
            yield self._stand_in("too_large", wrong, bytes(whole))
        except _NOT_READABLE as error:
            yield self._stand_in("malformed", f"cannot be read: {error}", bytes(whole))

    def _stand_in(self, reason: FormatReason, wrong: str, whole: bytes) -> DefaultRecord:
        """Return one record for all that are left of the batch, where the last of them stands."""
        batch = self._batch
        first = max(self._reader.next_fetch_offset, self._reader.fetch_offset)
        if batch.magic >= _HAS_OFFSETS:
            last, timestamp = batch.last_offset, batch.max_timestamp
            first = max(first, batch.base_offset)
        else:
            last, timestamp = batch.base_offset, batch._timestamp  # noqa: SLF001
        detail = f"the batch of offsets {first} to {last} {wrong}"
        value = UnreadBatch(whole, first=first, last=last, reason=reason, detail=detail)
        kind = batch.timestamp_type
        return DefaultRecord(len(whole), last, timestamp or -1, kind, None, value, [])


def _unpack_batch(batch: Any, limit: int) -> None:
    """Do what the client does when it begins to read a batch, with a limit."""
    buffer, codec = batch._buffer, batch.compression_type  # noqa: SLF001
    if batch.magic >= _HAS_OFFSETS:
        start, stop = batch._pos, None  # noqa: SLF001
    else:
        # One message, whose value is the packed set of messages.
        at = batch.KEY_OFFSET_V1 if batch.magic else batch.KEY_OFFSET_V0
        (key,) = struct.unpack_from(">i", buffer, at)
        at += 4 + max(key, 0)
        (size,) = struct.unpack_from(">i", buffer, at)
        start, stop = at + 4, at + 4 + size
        if not batch.magic and codec == LZ4:
            raise RuntimeError("lz4 as brokers before 0.10 wrote it")
    unpacked = unpack(codec, bytes(memoryview(buffer)[start:stop]), limit)
    if batch.magic >= _HAS_OFFSETS:
        batch._buffer, batch._pos = unpacked, 0  # noqa: SLF001
    else:
        batch._buffer = memoryview(unpacked)  # noqa: SLF001
    batch._decompressed = True  # noqa: SLF001
