"""A recording's rows come in the order of their offsets, whatever the file's, none lost or cut."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftline.consumer.offline import recording
from driftline.consumer.offline.recording import Recording
from driftline.producer.records.joined_table import compact, joined
from driftline.producer.records.placed_table import placed
from driftline.producer.records.table import Column, Numbers, Struct, Table, Times

PLACES = st.tuples(st.integers(0, 3), st.integers(0, 12))
VALUES = st.sampled_from([1, 2.5, None, "a", True, [1], {"x": 1}, {"x": None, "y": "b"}])


def tables(rows: list[dict[str, Any]], size: int) -> Iterator[Table]:
    parts = (Table.of_rows(rows[i : i + size], i) for i in range(0, len(rows), size))
    return placed(parts, "rows")


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(PLACES, VALUES), min_size=1, max_size=60), st.integers(1, 9), st.data())
def test_the_order(drawn: list[Any], size: int, data: st.DataObject) -> None:
    rows = [
        {"partition": place[0], "offset": place[1], "value": value, "number": number}
        for number, (place, value) in enumerate(drawn)
    ]
    known = Recording()
    done = 0
    for table in tables(rows, size):
        done += table.rows
        assert table.places is not None
        known.note(table.places, done)
    assert known.partitions == max(row["partition"] for row in rows) + 1

    def parts() -> Iterator[tuple[Table, int]]:
        read = 0
        for table in tables(rows, data.draw(st.integers(1, 9))):  # cut in another way
            read += table.rows
            yield table, read

    with patch.object(recording, "_ROWS", data.draw(st.integers(1, 5))):
        found = [table for table, _ in known.in_order(parts())]
    taken: dict[int, list[tuple[int, int]]] = {}
    for table in found:
        assert table.places is not None
        assert table.rows
        (partition,) = set(table.places.partitions.tolist())
        own = taken.setdefault(partition, [])
        offsets = table.places.offsets.tolist()
        assert not own or own[-1][0] < offsets[0]  # a record is in one table
        own += [(o, row["number"]) for o, row in zip(offsets, table.to_rows(), strict=True)]
        for row in table.to_rows():
            assert repr(row["value"]) == repr(rows[row["number"]]["value"])
    for partition, own in taken.items():
        expected = [(r["offset"], r["number"]) for r in rows if r["partition"] == partition]
        assert own == sorted(expected)
    assert sum(map(len, taken.values())) == len(rows)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.dictionaries(st.sampled_from("abc"), VALUES), min_size=1, max_size=4),
                min_size=1, max_size=4))  # fmt: skip
def test_joined_tables_mean_their_rows(chunks: list[list[dict[str, Any]]]) -> None:
    whole = joined([Table.of_rows(rows) for rows in chunks])
    expected = [row for rows in chunks for row in rows]
    assert repr([sorted(row.items()) for row in whole.to_rows()]) == repr(
        [sorted(row.items()) for row in expected]
    )
    half = compact(whole.take(slice(0, None, 2)))
    assert list(map(repr, half.to_rows())) == list(map(repr, whole.to_rows()[::2]))


def test_rows_in_order_are_passed_on_as_they_are_read() -> None:
    rows = [{"partition": n % 2, "offset": n // 2, "x": n} for n in range(40)]
    known, read = Recording(), 0
    chunks = list(tables(rows, 10))
    for table in chunks:
        read += table.rows
        assert table.places is not None
        known.note(table.places, read)
    begun: list[int] = []

    def parts() -> Iterator[tuple[Table, int]]:
        for number, table in enumerate(chunks):
            begun.append(number)
            yield table, 10 * (number + 1)

    found = [(table.rows, len(begun)) for table, _ in known.in_order(parts())]
    assert found == [(5, 1), (5, 1), (5, 2), (5, 2), (5, 3), (5, 3), (5, 4), (5, 4)]
    assert np.array_equal(known.later(40), [recording._NONE] * 2)


COLUMNS: list[Callable[[int], Column]] = [
    lambda n: Numbers(np.array([n, 0]), np.array([False, n == 2])),
    lambda n: Times(np.array([1_553_644_800_000 + n, 0]), np.array([False, True]), local=True),
    lambda n: Struct(2, {f"x{n}": Numbers(np.array([n, 5]))}, np.array([n == 1, False])),
]


@pytest.mark.parametrize("make", COLUMNS)
def test_joined_columns_keep_their_form(make: Callable[[int], Column]) -> None:
    parts = [make(1), make(2), make(3)]
    column = joined([Table(2, {"v": part}) for part in parts]).columns["v"]
    assert type(column) is type(parts[0])
    assert column.values() == [value for part in parts for value in part.values()]
