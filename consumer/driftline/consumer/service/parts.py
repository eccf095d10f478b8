"""Cuts a state into parts that a broker takes, so that a change leaves most of them as they are.

A part ends where an entry's own bytes say so, not after a number of entries: what is added, changed
or removed moves the cuts beside it only.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar
from zlib import crc32

import msgspec

T = TypeVar("T", bound=msgspec.Struct)

# Bytes of a field that are not worth a record of their own.
_SMALL = 4_096
# Bytes of a part: on average, of a long field and of a short one, and at most.
_USUAL = 16_384
_FINEST = 1_024
_LARGEST = 131_072

_encode = msgspec.msgpack.Encoder().encode


class CutState(msgspec.Struct, frozen=True):
    """A state in parts, by its fields.

    Attributes:
        small: fields whose value is short, encoded.
        large: fields whose value is long: its encoding is these bytes, one after the other.
    """

    small: dict[str, msgspec.Raw]
    large: dict[str, list[bytes]]


def cut(state: msgspec.Struct) -> CutState:
    r"""Return a state in parts, none of more than 128 kB.

    Example:
        >>> class Ids(msgspec.Struct, tag="ids"):
        ...     position: int
        ...     ids: list[str]
        >>> state = Ids(7, [f"id {number}" for number in range(20_000)])
        >>> parts = cut(state)
        >>> bytes(parts.small["position"]), max(map(len, parts.large["ids"])) <= 131_072
        (b'\x07', True)
        >>> join(parts.small, parts.large, Ids) == state
        True
        >>> state.ids.insert(10_000, "another")
        >>> len(set(cut(state).large["ids"]) - set(parts.large["ids"])) <= 3
        True
    """
    small, large = {"type": msgspec.Raw(_encode(state.__struct_config__.tag))}, {}
    for name, value in _fields(state):
        pieces = list(_pieces(value))
        if (usual := part_size(sum(map(len, pieces)))) is None:
            small[name] = msgspec.Raw(b"".join(pieces))
        else:
            large[name] = list(_parts(pieces, usual))
    return CutState(small, large)


def part_size(length: int, entry: int = 0) -> int | None:
    """Return the bytes of a part, on average; None: a field of this length is in the head.

    Args:
        length: of the field, bytes.
        entry: of one of its entries on average, bytes, where they are long.

    >>> part_size(4_000), part_size(20_000), part_size(200_000), part_size(10**6, entry=150_000)
    (None, 16384, 1024, 131072)
    """
    return None if length <= _SMALL else min(_LARGEST, max(_usual(length), entry))


def join(
    small: Mapping[str, msgspec.Raw], large: Mapping[str, Sequence[bytes]], kind: type[T]
) -> T:
    """Undo `cut`.

    Raises:
        msgspec.DecodeError: the parts are not those of a state of this kind.
    """
    fields = {name: msgspec.Raw(b"".join(parts)) for name, parts in large.items()}
    return msgspec.msgpack.decode(_encode({**small, **fields}), type=kind)


def _usual(length: int) -> int:
    """Return the bytes of a part, on average, of a field of a length.

    Of a few parts each is written soon. Of more they are small, so that entries here and there move
    little, as the progress of some of a thousand partitions does; but no more than about 500 are
    named in the head. A power of two tells: a field that grows a little is cut where it was.
    """
    if length < 4 * _USUAL:
        return _USUAL
    return min(_USUAL, max(_FINEST, (1 << length.bit_length() - 1) // 256))


def _parts(pieces: Sequence[bytes], usual: int) -> Iterator[bytes]:
    part = bytearray()
    for piece in pieces:
        part += piece
        while len(part) > _LARGEST:
            yield bytes(part[:_LARGEST])
            del part[:_LARGEST]
        # True of one byte in `usual`, whatever the length of the pieces.
        if part and crc32(piece) * usual < len(piece) << 32:
            yield bytes(part)
            part.clear()
    if part:
        yield bytes(part)


def _pieces(value: Any) -> Iterator[bytes]:
    """Yield the encoding of a value entry by entry."""
    if isinstance(value, list):
        yield _header(len(value), 0x90, 0xDC)
        yield from map(_encode, value)
    elif isinstance(value, dict):
        yield _header(len(value), 0x80, 0xDE)
        for key, entry in value.items():
            yield _encode(key) + _encode(entry)
    elif isinstance(value, msgspec.Struct) and not value.__struct_config__.array_like:
        fields = [*_fields(value)]
        yield _header(len(fields), 0x80, 0xDE)
        for name, entry in fields:
            yield _encode(name)
            yield from _pieces(entry)
    else:
        yield _encode(value)


def _fields(value: msgspec.Struct) -> Iterator[tuple[str, Any]]:
    """Yield the fields of a record that are set, by the names that they have in its encoding.

    A class may name in `omitted` values that are left out, because a reader takes them as given.
    """
    omitted = getattr(value, "omitted", {})
    for own, name in zip(value.__struct_fields__, value.__struct_encode_fields__, strict=True):
        entry = getattr(value, own)
        if entry is not msgspec.UNSET and not (own in omitted and omitted[own] == entry):
            yield name, entry


def _header(entries: int, short: int, long: int) -> bytes:
    """Return how an array or a map of `entries` entries begins in msgpack."""
    if entries < 16:
        return bytes([short | entries])
    if entries < 1 << 16:
        return struct.pack(">BH", long, entries)
    return struct.pack(">BI", long + 1, entries)
