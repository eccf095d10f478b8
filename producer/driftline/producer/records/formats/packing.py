"""What stands around a record: byte order marks, compression, and bytes that nothing here reads."""

from __future__ import annotations

import zlib

from driftline.producer.errors import FormatError

_UTF8_MARK = b"\xef\xbb\xbf"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_GZIP = b"\x1f\x8b"
_DEEPEST = 3  # packings in packings

FOREIGN: dict[bytes, tuple[str, str]] = {
    b"\x28\xb5\x2f\xfd": ("compressed with zstd inside the record", "compression"),
    b"\x04\x22\x4d\x18": ("compressed with lz4 inside the record", "compression"),
    b"\xff\x06\x00\x00sNaPpY": ("compressed with snappy inside the record", "compression"),
    b"\x82SNAPPY\x00": ("compressed with snappy inside the record", "compression"),
    b"BZh": ("compressed with bzip2 inside the record", "compression"),
    b"\xfd7zXZ\x00": ("compressed with xz inside the record", "compression"),
    b"\x78\x01": ("compressed with zlib inside the record", "compression"),
    b"\x78\x9c": ("compressed with zlib inside the record", "compression"),
    b"\x78\xda": ("compressed with zlib inside the record", "compression"),
    b"PAR1": ("a Parquet file", "file"),
    b"ARROW1": ("an Arrow file", "file"),
    b"\xff\xff\xff\xff": ("an Arrow stream", "file"),
    b"PK\x03\x04": ("a zip file", "file"),
    b"\xac\xed\x00\x05": ("a Java object", "other"),
    b"\x80\x02": ("a Python pickle", "other"),
    b"\x80\x03": ("a Python pickle", "other"),
    b"\x80\x04": ("a Python pickle", "other"),
    b"\x80\x05": ("a Python pickle", "other"),
    b":)\n": ("Smile", "other"),
    b"\xd9\xd9\xf7": ("CBOR", "other"),
    b"<": ("XML", "other"),
}
"""First bytes to what they begin, and the kind of advice that helps."""

_ADVICE = {
    "compression": "let the producer set compression.type, which packs whole batches and is read",
    "file": "send an event a record, or read the file with  driftline backtest --input",
    "other": "send JSON, Avro or Protobuf",
}


def unpack(value: bytes, most: int) -> tuple[bytes, list[str]]:
    r"""Take off byte order marks and gzip.

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
        if value.startswith(_UTF8_MARK):
            found.append("byte order mark")
            value = value[len(_UTF8_MARK) :]
        elif value.startswith(_UTF16_MARKS):
            found.append("UTF-16")
            try:
                value = value.decode("utf-16").encode()
            except UnicodeError:
                raise FormatError("malformed", "the value is marked as UTF-16 and is not") from None
        elif value.startswith(_GZIP):
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
    for first, (name, advice) in FOREIGN.items():
        if value.startswith(first):
            text = f"the value is {name}, which is not read: {_ADVICE[advice]}"
            return FormatError("malformed", text)
    return None


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
