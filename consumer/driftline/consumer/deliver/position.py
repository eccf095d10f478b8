"""The position of a subscriber, which the subscriber's program keeps."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Protocol

import msgspec

from driftline.consumer.deliver.errors import AlertsError
from driftline.producer.files.regular_file import read_bounded

_LARGEST = 1_000_000  # bytes of a file


class Position(msgspec.Struct, frozen=True):
    """Per partition of one topic, the offset before which everything has been handled.

    `topic_id` changes when the topic is re-created; offsets of the old one mean nothing then.
    `held`: alerts that people have had held back, with the revision that was sent last, 0 if none.
    """

    topic: str
    topic_id: str
    offsets: tuple[int, ...]
    held: dict[str, int] = {}


class PositionStore(Protocol):
    """Keeps a position."""

    def load(self) -> Position | None:
        """Return what was saved last, None before the first time."""

    def save(self, position: Position) -> None:
        """Keep `position`."""


class MemoryPosition:
    """Keeps a position while the process lives: the next start begins with the present state."""

    def __init__(self) -> None:
        self._position: Position | None = None

    def load(self) -> Position | None:
        """Return what was saved last."""
        return self._position

    def save(self, position: Position) -> None:
        """Keep `position`."""
        self._position = position


class FilePosition:
    """Keeps a position in a file, which is replaced as a whole.

    Args:
        path: of the file; its folder must exist.
        keep: whether `save` writes it; else it is read only.
    """

    def __init__(self, path: Path, keep: bool = True) -> None:
        self._path = path
        self._keep = keep

    def load(self) -> Position | None:
        """Return what was saved last.

        Raises:
            AlertsError: the file cannot be read, or is something else.
        """
        try:
            return msgspec.json.decode(read_bounded(self._path, _LARGEST), type=Position)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise AlertsError(f"{self._path}: cannot be read ({error.strerror})") from None
        except msgspec.DecodeError:
            raise AlertsError(
                f"{self._path}: holds no position of a subscriber; delete it to begin with what"
                " fires now"
            ) from None

    def save(self, position: Position) -> None:
        """Keep `position`.

        Raises:
            AlertsError: the file cannot be written.
        """
        if not self._keep:
            return
        part = self._path.with_name(f"{self._path.name}.{os.getpid()}.part")
        try:
            part.write_bytes(msgspec.json.encode(position))
            os.replace(part, self._path)
        except OSError as error:
            with contextlib.suppress(OSError):
                part.unlink()
            raise AlertsError(f"{self._path}: cannot be written ({error.strerror})") from None
