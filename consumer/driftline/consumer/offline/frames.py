"""Results as the frames that people have: of pandas, else of polars, else a table of Arrow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any


def frame(rows: Sequence[Mapping[str, Any]]) -> Any:
    """Return rows as a frame of the first of pandas, polars and pyarrow that is installed.

    Raises:
        ModuleNotFoundError: none is.
    """
    for library, kind, maker in (
        ("pandas", "DataFrame", None),
        ("polars", "DataFrame", None),
        ("pyarrow", "Table", "from_pylist"),
    ):
        try:
            make = getattr(import_module(library), kind)
        except ModuleNotFoundError:
            continue
        return (getattr(make, maker) if maker else make)(list(rows))
    raise ModuleNotFoundError(
        "a frame needs pandas, polars or pyarrow; install one, such as "
        ' pip install "driftline[files]"'
    )
