"""Writing a file, all of it or nothing."""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, cast

from driftline.consumer.cli.errors import CommandError


def write_whole(path: Path, data: bytes, option: str = "--output") -> None:
    """Write a file, all of it or nothing. A folder that is not there is made.

    Args:
        path: of the file.
        data: what it is to hold.
        option: that named it, for the error.

    Raises:
        CommandError: it cannot be written.
    """
    with whole_file(path, option) as stream:
        stream.write(data)


@contextmanager
def whole_file(path: Path, option: str = "--output", *, packed: bool = False) -> Iterator[BinaryIO]:
    """Give a stream that becomes a file when the block ends; if that fails, there is none.

    Args:
        path: of the file. A folder that is not there is made.
        option: that named it, for the error.
        packed: whether it is packed by gzip; the same content gives the same bytes.

    Raises:
        CommandError: it cannot be written.
    """
    part = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as stream:
            if packed:
                with gzip.GzipFile("", "wb", fileobj=stream, mtime=0) as unpacked:
                    yield cast(BinaryIO, unpacked)
            else:
                yield stream
        os.replace(part, path)
    except OSError as error:
        raise CommandError(f"{option} {path}: cannot be written: {error.strerror}") from None
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
