"""What stands around a record: byte order marks, compression, and bytes that nothing here reads."""

from __future__ import annotations

import zlib

from driftline.producer.errors import FormatError
from driftline.producer.records.first_bytes import GZIP, UTF8_MARK, beginning_of

_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_SEQUENCE = b"\x1e{"  # RFC 7464; the sign alone may begin Avro
_DEEPEST = 3  # packings in packings

_ADVICE = {
    "packing": "let the producer set compression.type, which packs whole batches and is read",
    "file": "send an event a record, or read the file with  driftline backtest --input",
    "other": "send JSON, Avro or Protobuf",
}


def unpack(value: bytes, most: int) -> tuple[bytes, list[str]]:
    r"""Take off byte order marks, the sign of a text sequence and gzip.

    Args:
        value: of a record.
        most: bytes that it may have when it is unpacked.

    Returns:
        What was in it, as UTF-8 where a mark says that it is text; and what was taken off.

    Raises:
        FormatError: it cannot be unpacked, or is too large.

    >>> import gzip
    >>> unpack(gzip.compress(b'\xef\xbb\xbf{"a": 1}'), 1_000)
    (b'{"a": 1}', ['gzip', 'byte order mark'])
    """
    found: list[str] = []
    while len(found) < _DEEPEST:
        if value.startswith(UTF8_MARK):
            found.append("byte order mark")
            value = value[len(UTF8_MARK) :]
        elif value.startswith(_UTF16_MARKS):
            found.append("UTF-16")
            try:
                value = value.decode("utf-16").encode()
            except UnicodeError:
                raise FormatError("malformed", "the value is marked as UTF-16 and is not") from None
        elif value.startswith(_SEQUENCE):
            found.append("text sequence")
            value = value[1:]
        elif value.startswith(GZIP):
            found.append("gzip")
            value = _gunzip(value, most)
        else:
            break
    return value, found


def foreign(value: bytes) -> FormatError | None:
    r"""Return the error of a value whose first bytes name a form that is not read, else None.

    >>> foreign(b"\x80\x04K\x01.").detail
    'the value is a Python pickle, which is not read: send JSON, Avro or Protobuf'
    """
    begun = beginning_of(value)
    if begun is None:
        return None
    packed = begun.kind == "packing"
    name = f"compressed with {begun.name} inside the record" if packed else begun.name
    text = f"the value is {name}, which is not read: {_ADVICE[begun.kind]}"
    return FormatError("malformed", text)


def _gunzip(value: bytes, most: int) -> bytes:
    """Unpack gzip, of one member or several, as far as it may go."""
    out = b""
    try:
        while value:
            member = zlib.decompressobj(wbits=31)
            out += member.decompress(value, most + 1 - len(out))
            if len(out) > most:
                raise FormatError("too_large", f"more than {most} bytes when it is unpacked")
            if not member.eof:
                raise FormatError("malformed", "the value is gzip that ends too early")
            value = member.unused_data
    except zlib.error:
        raise FormatError("malformed", "the value begins as gzip and cannot be unpacked") from None
    return out
