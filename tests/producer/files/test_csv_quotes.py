r"""CSV whose quotes are written `\"`, and whose rows end with a separator."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from driftline.producer.files.csv import tables
from driftline.producer.files.csv_quotes import Unescaped, is_escaped
from driftline.producer.files.tables import file_notes as notes


def read(file: Path, content: str) -> list[dict[str, Any]]:
    file.write_text(content)
    return [row for table in tables(file) for row in table.to_rows()]


def test_quotes_behind_a_backslash_are_quotes(tmp_path: Path) -> None:
    rows = [r'1,"5\" pipe, long",x', r'2,"say \"no\"",y', r"3,plain,z"]

    found = read(tmp_path / "spark.csv", "\n".join(["a,b,c", *rows, ""]))

    assert found == [
        {"a": 1, "b": '5" pipe, long', "c": "x"},
        {"a": 2, "b": 'say "no"', "c": "y"},
        {"a": 3, "b": "plain", "c": "z"},
    ]


def test_a_backslash_before_the_end_of_a_cell_is_one(tmp_path: Path) -> None:
    found = read(tmp_path / "folders.csv", 'a,b\n1,"C:\\"\n2,"D:\\x\\"\n')

    assert found == [{"a": 1, "b": "C:\\"}, {"a": 2, "b": "D:\\x\\"}]


@given(
    cells=st.lists(
        st.lists(st.text('ab",;\n ', max_size=5), min_size=3, max_size=3), min_size=1, max_size=4
    ),
    sizes=st.lists(st.integers(1, 5), min_size=1, max_size=3),
)
def test_pieces_of_any_size_are_the_same_text(cells: list[list[str]], sizes: list[int]) -> None:
    written = io.StringIO()
    csv.writer(written, escapechar="\\", doublequote=False, quoting=csv.QUOTE_ALL).writerows(cells)
    stream = Unescaped(io.BytesIO(written.getvalue().encode()), encoding="utf-8", newline="")

    text, at = "", 0
    while piece := stream.read(sizes[at % len(sizes)]):
        text, at = text + piece, at + 1

    assert list(csv.reader(io.StringIO(text, newline=""))) == cells


def test_quotes_that_are_written_twice_are_no_others() -> None:
    assert not is_escaped('a,b\n1,"say ""no"""\n2,"C:\\",\n')


def test_a_separator_behind_every_row_is_left_out(tmp_path: Path) -> None:
    file = tmp_path / "ends.csv"

    assert read(file, "a,b\n10,x,\n20,y,\n") == [{"a": 10, "b": "x"}, {"a": 20, "b": "y"}]
    assert notes(file) == [("note", "every row ends with a comma, left out")]


def test_numbered_rows_whose_last_column_is_empty_stay_so(tmp_path: Path) -> None:
    found = read(tmp_path / "r.csv", "a,b\n1,x,\n2,y,\n")

    assert found == [{"a": "x", "b": None}, {"a": "y", "b": None}]
