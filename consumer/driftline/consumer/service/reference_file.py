"""The file of a reference: whether it is there, and what it holds."""

from __future__ import annotations

import errno
import gzip
import os
import zlib
from pathlib import Path

from driftline.errors import ReferenceError  # noqa: A004 - the operator's word for it
from driftline.producer.files.regular_file import open_regular, read_bounded

_LARGEST_REFERENCE = 256_000_000  # bytes, unpacked
_MOST_UNPACKED = 100  # times its size; a reference unpacks to about 5 times
_SMALL = 1_000_000
_BLOCK = 1 << 20


def absent(path: Path) -> str:
    """Return what to do where a reference is not there."""
    return f"{path} does not exist: build it with driftline reference build"


def read_reference_file(path: Path) -> bytes:
    """Return what the file of a reference holds, unpacked.

    Raises:
        ReferenceError: it does not exist or cannot be read.
    """
    try:
        return _unpacked(path) if path.suffix == ".gz" else read_bounded(path, _LARGEST_REFERENCE)
    except FileNotFoundError:
        raise ReferenceError(absent(path)) from None
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or error
        raise ReferenceError(f"{path} cannot be read: {reason}") from None


def _unpacked(path: Path) -> bytes:
    """Return what a file holds, looked through before it is kept: a small one may hold gigabytes.

    Raises:
        OSError, EOFError, zlib.error: it cannot be read, or holds more than a reference does.
    """
    with open_regular(path) as packed, gzip.open(packed) as file:
        own = os.fstat(packed.fileno()).st_size
        most = min(_LARGEST_REFERENCE, max(_SMALL, _MOST_UNPACKED * own))
        size = 0
        while block := file.read(_BLOCK):
            size += len(block)
            if size > most:
                raise OSError(errno.EFBIG, f"it unpacks to more than {most // 1_000_000} MB")
        file.seek(0)
        return file.read()
