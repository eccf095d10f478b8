r"""CSV whose quotes are written `\"`, and whose rows end with a separator."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.producer.errors import InputError
from driftline.producer.files import csv_cells
from driftline.producer.files.csv import count, tables
from driftline.producer.files.csv_quotes import Unescaped, is_escaped
from driftline.producer.files.tables import file_notes as notes

ENDED = "every row ends with a separator, which is left out"
OR_NAMED = "; if the first cells are the rows' names instead, begin the header with one too"
OR_ENDED = (
    "rows have one cell more than the header, so the first cells are taken as the rows' names, and"
    " the last column is empty; if rows end with a separator instead, end the header with one too"
)


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

    assert read(file, "a,b\n1,x,\n1,y,\n") == [{"a": 1, "b": "x"}, {"a": 1, "b": "y"}]
    assert notes(file) == [("note", ENDED)]


def test_semicolons_behind_every_row_are_one_separator(tmp_path: Path) -> None:
    file = tmp_path / "ends.csv"

    assert read(file, "a;b\n10;x;\n10;y;\n") == [{"a": 10, "b": "x"}, {"a": 10, "b": "y"}]
    assert notes(file) == [("note", "separated by semicolons"), ("note", ENDED)]


@pytest.mark.parametrize(
    ("content", "names"),
    [
        ("id,b\nx1,5,\nx2,6,\n", ["x1", "x2"]),
        ("eventId,b\nx1,5,\nx2,6,\n", ["x1", "x2"]),
        ("id,b\n1,5,\n2,6,\n", [1, 2]),
        ("a,b\n7,5,\n3,6,\n", [7, 3]),
    ],
)
def test_first_cells_that_are_values_or_names_are_values_with_a_note(
    tmp_path: Path, content: str, names: list[Any]
) -> None:
    file = tmp_path / "ends.csv"

    assert [list(row.values()) for row in read(file, content)] == [[names[0], 5], [names[1], 6]]
    assert notes(file) == [("note", ENDED + OR_NAMED)]
    # What the note says gives the other reading.
    assert [list(row.values()) for row in read(file, f",{content}")] == [[5, None], [6, None]]


@pytest.mark.parametrize("names", [["1", "2"], ["car0", "car1"]])
def test_named_rows_whose_last_column_is_empty_stay_so(tmp_path: Path, names: list[str]) -> None:
    file = tmp_path / "r.csv"
    rows = "".join(f"{name},{place},4,\n" for place, name in enumerate(names))

    assert read(file, f"mpg,cyl,note\n{rows}") == [
        {"mpg": 0, "cyl": 4, "note": None},
        {"mpg": 1, "cyl": 4, "note": None},
    ]
    assert OR_ENDED in [text for _, text in notes(file)]
    # What the note says gives the other reading.
    found = read(file, f"mpg,cyl,note,\n{rows}")
    assert [(row["cyl"], row["note"]) for row in found] == [(0, 4), (1, 4)]


@pytest.mark.parametrize("large", [0, csv_cells.LARGE])
@pytest.mark.parametrize("quote", ["", '"'])
def test_a_row_with_something_behind_its_end_is_left_out_by_its_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, large: int, quote: str
) -> None:
    """With Arrow and without it, far behind what decides how the file is written."""
    monkeypatch.setattr(csv_cells, "LARGE", large)
    rows = [f"x{place % 7},{quote}n{quote},{place}," for place in range(40_000)]
    rows[30_000] += "EXTRA"
    rows[35_000] = rows[35_000][:-1]
    file = tmp_path / "late.csv"

    found = read(file, "\n".join(["kind,name,n", *rows, ""]))

    assert len(found) == 39_998
    assert found[29_999:30_001] == [
        {"kind": "x4", "name": "n", "n": 29_999},
        {"kind": "x6", "name": "n", "n": 30_001},
    ]
    assert notes(file) == [
        ("note", ENDED),
        ("warning", "row 30,001 is left out: it has 4 cells, the header 3"),
        ("warning", "row 35,001 is left out: it has 3 cells, and no separator behind them"),
    ]


@pytest.mark.parametrize("large", [0, csv_cells.LARGE])
def test_many_rows_with_something_behind_their_end_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, large: int
) -> None:
    monkeypatch.setattr(csv_cells, "LARGE", large)
    file = tmp_path / "late.csv"
    file.write_text("a,b\n" + "5,x,\n" * 60 + "5,x,EXTRA\n" * 6 + "5,x,\n")

    with pytest.raises(InputError, match=r"6 of 67 .* row 61, .* has 3 cells, the header 2;"):
        count(file)


def test_quotes_behind_a_backslash_and_separators_behind_rows(tmp_path: Path) -> None:
    file = tmp_path / "both.csv"

    found = read(file, 'id,name,n\n5,"5\\" or, 6\\"",1,\n5,x,2,\n')

    assert found == [{"id": 5, "name": '5" or, 6"', "n": 1}, {"id": 5, "name": "x", "n": 2}]
    assert notes(file) == [("note", ENDED)]


def test_quotes_behind_a_backslash_below_the_name_of_the_separator(tmp_path: Path) -> None:
    content = 'sep=,\nid,name,n\n1,"5\\" or, 6\\"",7\n2,x,8\n'

    assert read(tmp_path / "excel.csv", content) == [
        {"id": 1, "name": '5" or, 6"', "n": 7},
        {"id": 2, "name": "x", "n": 8},
    ]


def test_a_wider_row_alone_is_no_reason_to_read_backslashes(tmp_path: Path) -> None:
    found = read(tmp_path / "doubled.csv", 'a,b\n1,"C:\\"", D:"\n2,x\n')

    assert found == [{"a": 1, "b": 'C:\\", D:'}, {"a": 2, "b": "x"}]
