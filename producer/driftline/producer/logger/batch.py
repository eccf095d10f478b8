"""Many predictions at once: rows out of arrays and frames, distinguished by what they can do.

| given | read as | NaN |
|---|---|---|
| list of dicts | as it is | invalid, the text "NaN" |
| numpy array (n, columns), or a list of rows, with `names` | a row each | invalid |
| numpy structured array | its field names | invalid |
| polars frame | its columns; null is null | invalid |
| pandas frame | its columns; NaN, NaT and NA are null | missing, as pandas means it |

None of these libraries is imported here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, cast

from driftline.producer.errors import InputError
from driftline.producer.records.mapping import finite_or_text

Row = Mapping[str, Any]

_AS_IT_IS = frozenset({str, int, bool, type(None)})


def rows_of(features: Any, names: Sequence[str] | None = None) -> Sequence[Row]:
    """Return one mapping of feature to value per row.

    Args:
        features: see the table above.
        names: the columns' names, where `features` does not know them.

    Raises:
        InputError: not a table, or the names do not fit it.

    >>> rows_of([[1.5, "gas"], [2.0, None]], names=["km", "fuel"])
    [{'km': 1.5, 'fuel': 'gas'}, {'km': 2.0, 'fuel': None}]
    """
    if hasattr(features, "to_dicts"):
        return cast("Sequence[Row]", features.to_dicts())
    if hasattr(features, "notna") and hasattr(features, "to_dict"):
        table = features.astype(object).where(features.notna(), None)
        return cast("Sequence[Row]", table.to_dict("records"))
    own = getattr(getattr(features, "dtype", None), "names", None)
    rows = features.tolist() if hasattr(features, "tolist") else features
    if not isinstance(rows, Sequence) or isinstance(rows, str | bytes):
        raise InputError("features: give a frame, a two-dimensional array or a list of dicts")
    if all(isinstance(row, Mapping) for row in rows):
        return rows
    columns = own or names
    if columns is None:
        raise InputError("features: an array does not know its columns, give names=[...]")
    for row in rows:
        if not isinstance(row, Sequence) or len(row) != len(columns):
            raise InputError(f"features: every row needs {len(columns)} values, one for each name")
    return [dict(zip(columns, row, strict=True)) for row in rows]


def column_of(values: Any, rows: int, name: str) -> Sequence[Any]:
    """Return one value per row; None stands for none at all.

    Raises:
        InputError: not as many values as rows.

    >>> column_of(None, 2, "timestamps")
    [None, None]
    """
    if values is None:
        return [None] * rows
    listed = _listed(values)
    if len(listed) != rows:
        raise InputError(f"{name}: {len(listed)} values for {rows} rows; give one for each")
    return listed


def plain(value: Any) -> Any:
    """Return a value as JSON and the monitor read it.

    numpy's scalars and arrays become Python's, a number that is not finite its text (null would be
    counted as missing), a decimal a number, a time milliseconds since 1970 (UTC where it has no
    offset).

    >>> plain(float("nan")), plain(Decimal("1.5")), plain(datetime(2019, 3, 27, tzinfo=UTC))
    ('NaN', 1.5, 1553644800000)
    """
    if type(value) in _AS_IT_IS:
        return value
    if isinstance(value, str):  # numpy's texts, and enumerations: their value, not their name
        return str.__str__(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, (float, Decimal)):
        return finite_or_text(float(value))
    if isinstance(value, datetime):
        aware = value if value.tzinfo is not None else value.replace(tzinfo=UTC)
        return math.floor(aware.timestamp() * 1000)
    if isinstance(value, Mapping):
        return {
            name: inner if type(inner) in _AS_IT_IS else plain(inner)
            for name, inner in value.items()
        }
    if isinstance(value, list | tuple):  # an embedding, say
        return [
            inner if type(inner) is float and math.isfinite(inner) else plain(inner)
            for inner in value
        ]
    if hasattr(value, "ndim") and hasattr(value, "tolist"):  # an array of numpy, or its scalar
        return plain(value.tolist())
    return value


def _listed(values: Any) -> Sequence[Any]:
    for name in ("to_list", "tolist"):
        if hasattr(values, name):
            return cast("Sequence[Any]", getattr(values, name)())
    if isinstance(values, str | bytes) or not isinstance(values, Sequence):
        raise InputError(f"{type(values).__name__}: give a list or an array, a value for each row")
    return values
