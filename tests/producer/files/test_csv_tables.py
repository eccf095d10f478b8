"""CSV as tables: the same cells as Python's reader gives, whatever the size of a block."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from driftline.producer.errors import InputError
from driftline.producer.files import csv_cells
from driftline.producer.files.arrow_cells import ArrowCells
from driftline.producer.files.cells import Cells, ListCells
from driftline.producer.files.csv import tables
from driftline.producer.files.csv_layout import Layout, layout_of
from driftline.producer.files.tables import read_tables
from driftline.producer.files.text_column import CellType, column_of
from driftline.producer.records.number_text import is_mark, plain_number
from driftline.producer.records.table import Coded, Numbers

CELL = st.one_of(
    st.sampled_from(["", "1", "-2.5", "NA", "007", "true", 'say "a"', "a,b", "a\nb", "\u2028"]),
    st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=4),
    st.integers(-(2**60), 2**60).map(str),
    st.floats(allow_nan=False).map(repr),
)
ROWS = st.integers(1, 3).flatmap(
    lambda width: st.lists(st.lists(CELL, min_size=width, max_size=width), min_size=1, max_size=12)
)
ONCE = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)


@ONCE
@example(rows=[["a,b"]], end="\n", quoted=False, block=1, large=0)  # its name is no title
@example(rows=[["a\nb"], ["c"]], end="\n", quoted=True, block=40, large=0)
@given(
    ROWS,
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.booleans(),
    st.integers(1, 40),
    st.sampled_from([0, csv_cells.LARGE]),
)
def test_cells_are_those_of_pythons_reader(
    tmp_path: Path, rows: list[list[str]], end: str, quoted: bool, block: int, large: int
) -> None:
    # Under one name, cells that all hold a separator are rows under a title.
    assume(len(rows[0]) > 1 or not any(set("\t;|") & set(cell) for row in rows for cell in row))
    text = io.StringIO()
    writer = csv.writer(
        text,
        lineterminator=end,
        quoting=csv.QUOTE_ALL if quoted or end == "\r" else csv.QUOTE_MINIMAL,
    )
    writer.writerow(f"c{place}" for place in range(len(rows[0])))
    writer.writerows(rows)
    file = tmp_path / "x.csv"
    file.write_text(text.getvalue(), newline="")
    expected = list(csv.reader(io.StringIO(text.getvalue(), newline="")))[1:]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_cells, "BLOCK", block)
        patch.setattr(csv_cells, "LARGE", large)
        found = csv_file_cells(file)
        typed = [row for table in tables(file) for row in table.to_rows()]
    assert found == [row for row in expected if row]
    assert typed == [row for table in tables(file) for row in table.to_rows()]


def csv_file_cells(file: Path) -> list[list[str]]:
    layout = layout_of(file)
    blocks = list(csv_cells.blocks(file, layout))
    assert [block.first for block in blocks] == [
        sum(each.rows for each in blocks[:place]) for place in range(len(blocks))
    ]
    assert csv_cells.survey(file, layout).rows == sum(block.rows for block in blocks)
    return [
        list(row)
        for block in blocks
        for row in zip(*map(texts_of, block.columns.values()), strict=True)
    ]


def texts_of(cells: Cells) -> list[str]:
    codes, texts = cells.coded()
    return [texts[code] for code in codes.tolist()]


@ONCE
@given(st.text(st.sampled_from('",\n\r1a'), max_size=30), st.booleans())
def test_any_text_has_the_cells_of_pythons_reader(tmp_path: Path, text: str, large: bool) -> None:
    file = tmp_path / "x.csv"
    text = "x,y\n1,1\n1,1\n" + text
    file.write_text(text, newline="")
    expected = list(csv.reader(io.StringIO(text, newline="")))[1:]
    layout = Layout("utf-8", ",", 0, 2, {0: "x", 1: "y"}, head="x,y")
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(csv_cells, "LARGE", 0 if large else csv_cells.LARGE)
            found = [
                list(row)
                for block in csv_cells.blocks(file, layout)
                for row in zip(*map(texts_of, block.columns.values()), strict=True)
            ]
    except InputError:
        *_, last = csv.reader(io.StringIO(text + "\nend", newline=""))
        assert last != ["end"]  # a quote never closes
        return
    assert found == [row for row in expected if len(row) == 2]


NUMBER = st.one_of(
    CELL,
    st.text(st.sampled_from("0123456789.-+eEx_ n"), max_size=22),
    st.sampled_from(["inf", "nan", "1e400", "-0", "0x1F", "1234567890123456789e-9", "\u0661"]),
)


@given(st.lists(NUMBER, min_size=1, max_size=4), st.sampled_from(["integer", "decimal"]))
def test_numbers_are_the_plain_ones_however_cells_are_held(
    cells: list[str], cell_type: CellType
) -> None:
    texts = pa.array([cell or None for cell in cells])
    arrays = pa.concat_arrays([pa.array(["x", None]), texts.cast(pa.string())])[2:]
    for held in (ListCells(cells), ArrowCells(arrays)):
        for text, value in zip(cells, column_of(held, cell_type).values(), strict=True):
            number = plain_number(text)
            if number is not None:
                assert value == number
            else:
                assert value == (None if is_mark(text) else text)


def test_columns_are_numbers_where_they_can_be(tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_text("n,f,c,b\n1,0.5,red,true\n2,NA,blue,false\n3,1e3,red,True\n")
    [table] = tables(file)
    n, f, c, b = table.columns.values()
    assert isinstance(n, Numbers)
    assert n.data.dtype == "int64"
    assert isinstance(f, Numbers)
    assert f.values() == [0.5, None, 1000.0]
    assert isinstance(c, Coded)
    assert c.values() == ["red", "blue", "red"]
    assert isinstance(b, Coded)
    assert b.values() == [True, False, True]
    [some] = tables(file, ["c"])
    assert some.to_rows() == [{"c": "red"}, {"c": "blue"}, {"c": "red"}]


@pytest.mark.parametrize("mark", ["n.a.", "#NV", "k.A.", "<NA>", "--", "(null)", "#N/D", "1.#QNAN"])
def test_marks_of_spreadsheets_among_numbers(tmp_path: Path, mark: str) -> None:
    file = tmp_path / "a.csv"
    file.write_text("\n".join(["km,fuel", *(f"{i}.5,gas" for i in range(9)), f"{mark},{mark}", ""]))
    rows = [row for table in read_tables(file) for row in table.to_rows()]
    assert rows[-1] == {"km": None, "fuel": mark}


def test_minus_signs_of_bookkeepers(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    lines = [f"({i}.50),({i})" if i % 3 else f'"1,{i:03}.25",({i})' for i in range(1, 60)]
    file.write_text("\n".join(["km,place", *lines, ""]))
    rows = [row for table in read_tables(file) for row in table.to_rows()]
    assert rows[0] == {"km": -1.5, "place": "(1)"}
    assert rows[2] == {"km": 1003.25, "place": "(3)"}
