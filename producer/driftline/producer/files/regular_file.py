"""Opening a file that an operator named: never one without an end, or that must be waited for.

Where a file is expected there may be a pipe that nobody writes to, a device such as `/dev/zero`, or
a file of gigabytes.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO


def open_regular(path: str | Path) -> BinaryIO:
    """Open a regular file, or a link to one, to be read.

    Raises:
        OSError: it cannot be read, or is something else; `strerror` says what.
    """
    file = open(path, "rb", opener=_without_waiting)  # noqa: SIM115 (the caller closes it)
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError(errno.EINVAL, "it is a pipe or a device, not a file")
    return file


def read_bounded(path: str | Path, most: int) -> bytes:
    """Return the content of a regular file.

    Args:
        path: the file.
        most: the most bytes that it may have.

    Raises:
        OSError: as `open_regular`, or it is larger.

    >>> read_bounded(__file__, 10)
    Traceback (most recent call last):
    OSError: [Errno 27] it is larger than 10 bytes
    """
    with open_regular(path) as file:
        if os.fstat(file.fileno()).st_size <= most:  # some files of the system say 0
            content = file.read(most + 1)
            if len(content) <= most:
                return content
    raise too_large(most)


def too_large(most: int) -> OSError:
    """Return the error of a file with more bytes than are read.

    >>> too_large(8_000_000).strerror
    'it is larger than 8 MB'
    """
    size = f"{most // 1_000_000:,} MB" if most >= 1_000_000 else f"{most:,} bytes"
    return OSError(errno.EFBIG, f"it is larger than {size}")


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
