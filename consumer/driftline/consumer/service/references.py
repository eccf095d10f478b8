"""Reading a reference from its file."""

from __future__ import annotations

import errno
import gzip
import os
import zlib
from pathlib import Path

from driftline.detectors.reference import Reference
from driftline.errors import ReferenceError  # noqa: A004 - the operator's word for it
from driftline.producer.files.regular_file import open_regular, read_bounded

_LARGEST_REFERENCE = 256_000_000  # bytes, unpacked
_MOST_UNPACKED = 100  # times its size; a reference unpacks to about 5 times
_SMALL = 1_000_000
_BLOCK = 1 << 20


def load_reference(path: Path) -> Reference:
    """Read a reference from a ``.json`` or ``.json.gz`` file.

    Raises:
        ReferenceError: it does not exist or is no reference.
    """
    try:
        data = _unpacked(path) if path.suffix == ".gz" else read_bounded(path, _LARGEST_REFERENCE)
    except FileNotFoundError:
        raise ReferenceError(
            f"{path} does not exist: build it with driftline reference build"
        ) from None
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or error
        raise ReferenceError(f"{path} cannot be read: {reason}") from None
    try:
        return Reference.from_json(data)
    except ReferenceError as error:
        raise ReferenceError(f"{path}: {error}") from None


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
