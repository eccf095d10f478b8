"""Tables of native events: the columns by their own names, whichever alias they have."""

from __future__ import annotations

from driftline.producer.records.event_fields import ALIASES, EVENT_FIELDS
from driftline.producer.records.table import ABSENT as NO_KEY
from driftline.producer.records.table import Coded, Column, Table, coded


def renamed(table: Table) -> Table:
    """Return a table of native events with the columns' own names; see `rename_aliases`.

    >>> from driftline.producer.records.table import Struct
    >>> sorted(renamed(Table(1, {"inputs": Struct(1, {}), "trace": Struct(1, {})})).columns)
    ['features']
    """
    columns: dict[str, Column] = {}
    for field in EVENT_FIELDS:
        names = [n for n in (field, *ALIASES.get(field, ())) if n in table.columns]
        for name in names[::-1]:
            first, rest = table.columns[name], columns.get(field)
            columns[field] = first if rest is None else _first_there(first, rest)
    return Table(table.rows, columns, table.first)


def _first_there(first: Column, rest: Column) -> Column:
    """Return the values of one column; of another in the rows where it has none, not even null."""
    if not isinstance(first, Coded) or all(value is not NO_KEY for value in first.distinct):
        return first
    pairs = zip(first.values(), rest.values(), strict=True)
    return coded([other if value is NO_KEY else value for value, other in pairs])
