"""CSV as tables: the same cells as Python's reader gives, whatever the size of a block."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from driftline.producer.files import csv_cells
from driftline.producer.files.csv import tables
from driftline.producer.files.csv_layout import layout_of
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
@example(rows=[["a,b"]], end="\n", quoted=False, block=1)  # its name is no title
@given(ROWS, st.sampled_from(["\n", "\r\n", "\r"]), st.booleans(), st.integers(1, 40))
def test_cells_are_those_of_pythons_reader(
    tmp_path: Path, rows: list[list[str]], end: str, quoted: bool, block: int
) -> None:
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
    return [list(row) for block in blocks for row in zip(*block.columns, strict=True)]


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
