"""The file of a reference: whether it is there, and what it holds."""

from __future__ import annotations

import errno
import gzip
import io
import os
import zlib
from pathlib import Path
from typing import BinaryIO

from driftline.consumer.config.schemes import scheme_of
from driftline.consumer.service.fetching import fetch
from driftline.errors import ReferenceError  # noqa: A004 - the operator's word for it
from driftline.producer.files.regular_file import open_regular, read_bounded

_LARGEST_REFERENCE = 256_000_000  # bytes, unpacked
_MOST_UNPACKED = 100  # times its size; a reference unpacks to about 5 times
_SMALL = 1_000_000
_BLOCK = 1 << 20


def absent(address: str | Path) -> str:
    """Return what to do where a reference is not there."""
    return f"{address} does not exist: build it with driftline reference build"


def is_absent(address: str) -> bool:
    """Return whether a reference is known not to be there; of those elsewhere nothing is."""
    return scheme_of(address) is None and not Path(address).exists()


def read_reference_file(address: str | Path) -> bytes:
    """Return what the file of a reference holds, unpacked.

    Raises:
        ReferenceError: it does not exist or cannot be read.
        MissingExtraError: what fetches it is not installed.
    """
    packed = str(address).endswith(".gz")
    try:
        if scheme_of(str(address)) is not None:
            data = fetch(str(address), _LARGEST_REFERENCE)
            return _unpacked(io.BytesIO(data), len(data)) if packed else data
        if not packed:
            return read_bounded(Path(address), _LARGEST_REFERENCE)
        with open_regular(Path(address)) as file:
            return _unpacked(file, os.fstat(file.fileno()).st_size)
    except FileNotFoundError:
        raise ReferenceError(absent(address)) from None
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or error
        raise ReferenceError(f"{address} cannot be read: {reason}") from None


def _unpacked(packed: BinaryIO, own: int) -> bytes:
    """Return what a file holds, looked through before it is kept: a small one may hold gigabytes.

    `own`: bytes of the file.

    Raises:
        OSError, EOFError, zlib.error: it cannot be read, or holds more than a reference does.
    """
    with gzip.open(packed) as file:
        most = min(_LARGEST_REFERENCE, max(_SMALL, _MOST_UNPACKED * own))
        size = 0
        while block := file.read(_BLOCK):
            size += len(block)
            if size > most:
                raise OSError(errno.EFBIG, f"it unpacks to more than {most // 1_000_000} MB")
        file.seek(0)
        return file.read()
