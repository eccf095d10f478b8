"""The files of a folder or a glob, read as one.

Files are read in the order of their names. A folder `day=2026-03-01` around a file gives its rows
a column `day`, unless they have one, as other readers of such folders do.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from driftline.producer.errors import InputError
from driftline.producer.files.formats import GLOB, Format, Together, any_of, endings, format_of
from driftline.producer.records.table import Coded, Table


def several(path: Path) -> Format:
    """Return how the files of a folder or a glob are read: as one, in the order of their names.

    Raises:
        InputError: there is none, or they are of several formats.
    """
    files = _files(path)
    if not files and not path.is_dir():
        raise InputError(
            f"{path}: no file of such a name ends in {any_of(endings())}; check the path"
        )
    if not files:
        raise InputError(f"{path}: no file ends in {any_of(endings())}; check the path")
    forms = {found.name: found for file in files if (found := format_of(file)) is not None}
    if len(forms) > 1:
        raise InputError(f"{path}: holds {any_of(sorted(forms))}; give files of one format")
    (form,) = forms.values()

    def read(file: Path, columns: Container[str] | None) -> Iterator[Table]:
        if form.together is not None:
            return form.together(files).tables(file, columns)
        return _tables(form, file, columns)

    def tables(_: Path, columns: Container[str] | None) -> Iterator[Table]:
        first = 0
        for file in files:
            keys = _keys(path, file)
            for table in read(file, columns):
                yield replace(_with(table, keys), first=first)
                first += table.rows

    def count(_: Path) -> int | None:
        if form.together is not None:
            return form.together(files).rows
        counted = [form.count(file) for file in files]
        known = [rows for rows in counted if rows is not None]
        return sum(known) if len(known) == len(files) else None

    return Format(
        form.name,
        form.endings,
        None,
        count,
        tables=tables,
        extra=form.extra,
        together=None if form.together is None else partial(_together, form.together, files),
    )


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        found = path.rglob("*")
    else:
        parts = path.parts
        fixed = next(i for i, part in enumerate(parts) if GLOB.intersection(part))
        found = Path(*parts[:fixed]).glob(str(Path(*parts[fixed:])))
    hidden = (".", "_")  # what writers leave beside the data
    return sorted(
        file
        for file in found
        if file.is_file()
        and format_of(file) is not None
        and not any(part.startswith(hidden) for part in file.parts[len(path.parts) - 1 :])
    )


def _tables(form: Format, file: Path, columns: Container[str] | None) -> Iterator[Table]:
    if form.tables is not None:
        yield from form.tables(file, columns)
    for rows in form.read(file, 10_000) if form.tables is None and form.read is not None else ():
        yield Table.of_rows(rows)


def _together(
    join: Callable[[Sequence[Path]], Together], files: Sequence[Path], _: Sequence[Path]
) -> Together:
    return join(files)


def _keys(path: Path, file: Path) -> dict[str, str]:
    """Return the columns that a file has by the names of the folders around it."""
    around = file.parent.parts[len(path.parts) if path.is_dir() else 0 :]
    return dict(part.split("=", 1) for part in around if "=" in part)


def _with(table: Table, keys: dict[str, str]) -> Table:
    columns = dict(table.columns)
    for name, value in keys.items():
        columns.setdefault(name, Coded(np.zeros(table.rows, np.int64), [value]))
    return replace(table, columns=columns)
