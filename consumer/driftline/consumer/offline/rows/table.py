"""Rows as columns of a file: a training set, and what a reference is built from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from driftline.consumer.offline.rows.kept import KeptRows
from driftline.producer.files.column_types import ColumnType, as_type, common

_OUTCOMES = {"score": "prediction.score", "label": "prediction.label", "actual": "actual"}
_FEATURES, _TAGS = "features", "tags"


class RowColumns:
    """The columns of some rows; each is called as a mapping calls the field of the event.

    Args:
        rows: that are kept.

    Attributes:
        types: of the columns, in their order.
        mixed: columns with values of several types, which are written as text.

    >>> from driftline.consumer.offline.rows.event_row import EventRow
    >>> with KeptRows() as rows:
    ...     rows.add(EventRow(0, 0, "a", "1", {"km": 2, "fuel": "gas"}, 0.5, None, None, {}))
    ...     columns = RowColumns(rows)
    ...     list(columns.types.items()), [*columns.chunks()][0]["features.km"]
    ([('event_id', 'text'), ('timestamp', 'time'), ('model_version', 'text'), \
('features.km', 'integer'), ('features.fuel', 'text'), ('prediction.score', 'number')], [2])
    """

    def __init__(self, rows: KeptRows) -> None:
        self._rows = rows
        self._features = _named(_FEATURES, rows)
        self._tags = _named(_TAGS, rows)
        self._outcomes = [part for part in _OUTCOMES if (part, "") in rows.types]
        known = {_name(*key): kinds for key, kinds in rows.types.items()}
        self.types: dict[str, ColumnType] = {
            "event_id": "text",
            "timestamp": "time",
            "model_version": "text",
        }
        columns = [
            *(f"{_FEATURES}.{name}" for name in self._features),
            *(_OUTCOMES[part] for part in self._outcomes),
            *(f"{_TAGS}.{name}" for name in self._tags),
        ]
        self.types |= {name: common(known[name]) for name in columns}
        self.mixed = [name for name in columns if _is_mixed(known[name])]

    def chunks(self) -> Iterator[dict[str, Sequence[Any]]]:
        """Yield the rows' values by column, some rows at a time, in the order of time."""
        for rows in self._rows.in_order():
            found: dict[str, Sequence[Any]] = {
                "event_id": [row.event_id or None for row in rows],
                "timestamp": [row.time for row in rows],
                "model_version": [row.version for row in rows],
            }
            for name in self._features:
                found |= self._column(f"{_FEATURES}.{name}", (r.features.get(name) for r in rows))
            for part in self._outcomes:
                found |= self._column(_OUTCOMES[part], (getattr(row, part) for row in rows))
            for name in self._tags:
                found |= self._column(f"{_TAGS}.{name}", (row.tags.get(name) for row in rows))
            yield found

    def _column(self, name: str, values: Iterable[Any]) -> dict[str, list[Any]]:
        kind = self.types[name]
        return {name: [as_type(value, kind) for value in values]}


def _named(part: str, rows: KeptRows) -> list[str]:
    return [name for of, name in rows.types if of == part]


def _name(part: str, name: str) -> str:
    return f"{part}.{name}" if name else _OUTCOMES[part]


def _is_mixed(kinds: Counter[ColumnType]) -> bool:
    return len(kinds) > 1 and common(kinds) == "text"
