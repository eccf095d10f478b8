"""Versioned, length-checked, checksummed binary records: what `panes`, `joins` and `state` hold.

A record is ``b"DL"``, one byte for the version, four for the length of the body, four for its
CRC-32, then the body: a tagged msgpack structure. Integer arrays are packed in the smallest width.

Version 1 is that of `panes` and `joins`, and of `state` until 0.1.0. Since then a state may be in
parts, which is version 2; what people write into `panes` has version 3, what is of many models
at once version 4; what is of many partitions, and a state with panes that will be, version 5. What
does not know a version refuses it, and stops.
"""

from __future__ import annotations

import struct
import zlib
from typing import TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from driftline.errors import RecordError

_VERSION = 1
STATE_VERSION = 2
CONTROL_VERSION = 3
TOGETHER_VERSION = 4
MERGED_VERSION = 5
_HEADER = struct.Struct("<2sBII")
_UNSIGNED = {1: "<u1", 2: "<u2", 4: "<u4", 8: "<u8"}
_SIGNED = {129: "<i1", 130: "<i2", 132: "<i4", 136: "<i8"}  # 128 + the width
_FORMS = _UNSIGNED | _SIGNED

T = TypeVar("T")


def encode(body: msgspec.Struct, version: int = _VERSION) -> bytes:
    """Return `body` as one record.

    Example:
        >>> class Point(msgspec.Struct, tag="point"):
        ...     x: int
        >>> decode(encode(Point(3)), Point)
        Point(x=3)
    """
    payload = msgspec.msgpack.encode(body)
    return _HEADER.pack(b"DL", version, len(payload), zlib.crc32(payload)) + payload


def is_record(record: bytes) -> bool:
    """Return whether bytes begin as a record of Driftline does.

    >>> is_record(b"oops"), is_record(b"DL" + bytes(9))
    (False, True)
    """
    return len(record) >= _HEADER.size and record[:2] == b"DL"


def decode(record: bytes, kind: type[T]) -> T:
    """Return the structure in `record`, which must be of `kind` (a struct type or a union).

    Raises:
        RecordError: it is no record of Driftline, of a newer version, cut short or damaged.
    """
    if not is_record(record):
        raise RecordError("this is not a record of Driftline: is the topic used by others too?")
    _, version, length, checksum = _HEADER.unpack_from(record)
    if version > MERGED_VERSION:
        raise RecordError(
            f"this record has version {version}, newer than {MERGED_VERSION}: upgrade Driftline"
        )
    payload = record[_HEADER.size :]
    if version < 1 or len(payload) != length or zlib.crc32(payload) != checksum:
        raise RecordError("this record is damaged: its length or checksum is wrong")
    try:
        return msgspec.msgpack.decode(payload, type=kind)
    except msgspec.DecodeError as error:
        raise RecordError(f"this record does not have the form it should: {error}") from error


def pack_integers(values: NDArray[np.int64]) -> bytes:
    r"""Return integers in the smallest width that holds them all.

    Example:
        >>> unpack_integers(pack_integers(np.array([0, 7, 300]))).tolist()
        [0, 7, 300]
        >>> pack_integers(np.array([7])), pack_integers(np.array([-7]))
        (b'\x01\x07', b'\x81\xf9')
    """
    top, bottom = int(values.max(initial=0)), int(values.min(initial=0))
    if bottom < 0:
        form = next(f for f in _SIGNED if -bottom <= _half(f) and top < _half(f))
    else:
        form = next(f for f in _UNSIGNED if top < 1 << (8 * f))
    return bytes([form]) + values.astype(_FORMS[form]).tobytes()


def unpack_integers(packed: bytes) -> NDArray[np.int64]:
    """Undo `pack_integers`.

    Raises:
        RecordError: the bytes are not what `pack_integers` makes.
    """
    if not packed or packed[0] not in _FORMS or (len(packed) - 1) % (packed[0] & 127):
        raise RecordError("this record is damaged: an array in it has no whole number of values")
    return np.frombuffer(packed, dtype=_FORMS[packed[0]], offset=1).astype(np.int64)


def _half(form: int) -> int:
    """Return the number of negative values that a signed form holds."""
    return 1 << (8 * (form & 127) - 1)
