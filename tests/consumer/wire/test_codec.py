"""Records of Driftline's own topics: what is damaged is refused, never misread."""

from __future__ import annotations

import struct
import zlib
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from driftline.consumer.wire.codec import (
    CONTROL_VERSION,
    MERGED_VERSION,
    STATE_VERSION,
    TOGETHER_VERSION,
    decode,
    encode,
    pack_integers,
    unpack_integers,
)
from driftline.errors import RecordError


class Point(msgspec.Struct, tag="point"):
    x: int
    name: str = ""


class Line(msgspec.Struct, tag="line"):
    length: int


RECORD = encode(Point(300, "é"))


def test_there_and_back() -> None:
    assert decode(RECORD, Point) == Point(300, "é")
    either: Any = Point | Line
    assert decode(RECORD, either) == Point(300, "é")
    assert decode(encode(Line(4)), either) == Line(4)


def test_the_form_of_a_record() -> None:
    body = msgspec.msgpack.encode(Point(300, "é"))
    assert struct.pack("<2sBII", b"DL", 1, len(body), zlib.crc32(body)) + body == RECORD


@given(st.binary(max_size=60))
def test_foreign_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(RecordError):
        decode(data, Point)


@pytest.mark.parametrize("data", [b"", b"{}", b"DL", b'{"model": "m", "features": {}}'])
def test_foreign_bytes_are_named(data: bytes) -> None:
    with pytest.raises(RecordError, match="not a record of Driftline"):
        decode(data, Point)


KNOWN = (STATE_VERSION, CONTROL_VERSION, TOGETHER_VERSION, MERGED_VERSION)


@given(st.integers(0, len(RECORD) - 1))
def test_a_record_that_is_cut_short_is_refused(length: int) -> None:
    with pytest.raises(RecordError):
        decode(RECORD[:length], Point)


@given(st.integers(0, len(RECORD) - 1), st.integers(1, 255))
def test_any_changed_byte_is_refused(place: int, change: int) -> None:
    changed = bytearray(RECORD)
    changed[place] ^= change
    assume(place != 2 or changed[place] not in KNOWN)
    with pytest.raises(RecordError):
        decode(bytes(changed), Point)


@pytest.mark.parametrize("data", [RECORD + b"x", RECORD[:-1], RECORD[:11] + b"x" + RECORD[12:]])
def test_damage_is_named(data: bytes) -> None:
    with pytest.raises(RecordError, match="damaged: its length or checksum"):
        decode(data, Point)


@pytest.mark.parametrize("version", [6, 255])
def test_a_newer_version_is_refused(version: int) -> None:
    body = msgspec.msgpack.encode({"something": "else"})
    newer = struct.pack("<2sBII", b"DL", version, len(body), zlib.crc32(body)) + body
    with pytest.raises(RecordError, match=f"version {version}, newer than 5: upgrade Driftline"):
        decode(newer, Point)


@pytest.mark.parametrize("body", [b"\xc1", msgspec.msgpack.encode({"type": "point", "x": "text"})])
def test_another_form_is_refused(body: bytes) -> None:
    record = struct.pack("<2sBII", b"DL", 1, len(body), zlib.crc32(body)) + body
    with pytest.raises(RecordError, match="does not have the form"):
        decode(record, Point)
    with pytest.raises(RecordError, match="does not have the form"):
        decode(encode(Line(4)), Point)


whole = arrays(np.int64, st.integers(0, 50), elements=st.integers(0, (1 << 63) - 1))


@given(whole)
def test_integers_there_and_back(values: np.ndarray[Any, np.dtype[np.int64]]) -> None:
    back = unpack_integers(pack_integers(values))
    assert back.dtype == np.int64
    assert back.tolist() == values.tolist()


@pytest.mark.parametrize(
    ("top", "width"),
    [(0, 1), (255, 1), (256, 2), (65_535, 2), (65_536, 4), ((1 << 32) - 1, 4), (1 << 32, 8)],
)
def test_integers_have_the_smallest_width(top: int, width: int) -> None:
    assert len(pack_integers(np.array([0, top, 3]))) == 1 + 3 * width
    assert pack_integers(np.array([], np.int64)) == b"\x01"


@pytest.mark.parametrize("packed", [b"", b"\x00", b"\x03abc", b"\x04abcde", b"\x02a"])
def test_packed_integers_that_are_damaged(packed: bytes) -> None:
    with pytest.raises(RecordError, match="no whole number of values"):
        unpack_integers(packed)
