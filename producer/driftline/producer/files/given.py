"""What stands for one file: a path, the files of a folder or a glob, or rows that a program has.

What is wrong with a path is known here, before what would read it is loaded.
"""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from driftline.producer.errors import InputError
from driftline.producer.files.contents import problem_of
from driftline.producer.files.formats import GLOB, Format, any_of, endings, format_of, lacking

if TYPE_CHECKING:
    from driftline.producer.records.table import Table


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


def checked(path: str | Path | Given) -> tuple[Path, Format]:
    """Return a file that can be read, as far as can be known at once, and its format.

    Raises:
        InputError: it cannot.
    """
    if isinstance(path, Given):
        return Path(path.name), path.form
    file = Path(path)
    if is_several(file):
        from driftline.producer.files.several import (
            several,  # columns, which a file's rows need not
        )

        return file, several(file)
    form = format_of(file)
    if form is None and not file.is_file():
        raise _unknown(file)
    _check_exists(file)
    problem = problem_of(file)
    if problem is not None:
        raise InputError(f"{file}: {problem}")
    if form is None:
        raise _unknown(file)
    if form.extra is not None and find_spec(form.extra.library) is None:
        raise InputError(lacking(file, form, form.extra))
    if form.extra is not None and form.extra.check is not None:
        form.extra.check(file)
    return file, form


def written_format(file: Path) -> Format:
    """Return the format of a file that is to be written, by its name.

    Raises:
        InputError: nothing is written so, or what writes it is not installed.

    >>> written_format(Path("drifted.csv.gz")).name
    'CSV'
    """
    form = _format_of(file)
    if form.write is None:
        raise InputError(f"{file}: {form.name} is read only; use another ending")
    if form.extra is not None and find_spec(form.extra.library) is None:
        raise InputError(lacking(file, form, form.extra))
    return form


def _format_of(file: Path) -> Format:
    form = format_of(file)
    if form is None:
        raise _unknown(file)
    return form


def _unknown(file: Path) -> InputError:
    return InputError(f"{file}: unknown ending; use {any_of(endings())} (text also with .gz)")


def _check_exists(file: Path) -> None:
    if not file.exists():
        raise InputError(f"{file}: no such file; check the path")
    found = file.stat()
    if not stat.S_ISREG(found.st_mode):
        raise InputError(f"{file}: is a pipe or a device; give a file")
    if found.st_size == 0:
        raise InputError(f"{file}: is empty; give a file with at least one event")
