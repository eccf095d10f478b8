"""Writing a file, all of it or nothing."""

from __future__ import annotations

import os
from pathlib import Path

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
    part = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(data)
        os.replace(part, path)
    except OSError as error:
        raise CommandError(f"{option} {path}: cannot be written: {error.strerror}") from None
