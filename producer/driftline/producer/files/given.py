"""What stands for one file: the files of a folder or a glob, or rows that a program has."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from driftline.producer.files.formats import Format

if TYPE_CHECKING:
    from driftline.producer.records.table import Table

GLOB = frozenset("*?[")


@dataclass(frozen=True)
class Given:
    """Rows that a program has, in place of a file.

    Attributes:
        name: what messages call them.
        scan: gives all of them, from the first on; it is called several times.
    """

    name: str
    scan: Callable[[], Iterator[Table]]

    def __str__(self) -> str:
        """Return the name."""
        return self.name

    @property
    def form(self) -> Format:
        """How they are read."""
        return Format(
            "data",
            (),
            None,
            lambda _: sum(table.rows for table in self.scan()),
            tables=lambda _, columns: self.scan(),
        )


def is_several(path: Path) -> bool:
    """Return whether a path is a folder or a glob."""
    return path.is_dir() or (bool(GLOB.intersection(str(path))) and not path.exists())


Input = Path | Given
"""What rows are read from."""
