"""CSV as programs and people write it: what is read, and what is told of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftline.producer.files.csv import count, tables
from driftline.producer.files.csv_header import holds_values
from driftline.producer.files.tables import file_notes as notes


def read(file: Path, content: str | bytes) -> list[dict[str, Any]]:
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return [row for table in tables(file) for row in table.to_rows()]


TWO = [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]
THREE = [{"a": 1, "b": "x", "c": 3}, {"a": 2, "b": "y", "c": 4}]
COLUMNS = ("column_1", "column_2", "column_3", "column_4")
VALUES = (
    "the first line holds values, so it is a row, and the columns are called column_1 to column_2;"
    " write a line of names above it for others"
)
FILES: dict[str, tuple[str | bytes, list[dict[str, Any]], list[str]]] = {
    "pipe": ("a|b\n1|x\n2|y\n", TWO, ["separated by `|`"]),
    "commas in quoted names": (
        '"a, in t";"b, c, d"\n1;x\n2;y\n',
        [{"a, in t": 1, "b, c, d": "x"}, {"a, in t": 2, "b, c, d": "y"}],
        ["separated by semicolons"],
    ),
    "decimal commas in rows": (
        "a;b\n1,5;x\n2,5;y\n",
        [{"a": 1.5, "b": "x"}, {"a": 2.5, "b": "y"}],
        [
            "separated by semicolons",
            "a: 100.0% of the values are numbers, read with a decimal comma ('1,5' is 1.5)",
        ],
    ),
    "carriage returns": ("a,b\r1,x\r2,y\r", TWO, []),
    "a blank first line": ("\n\na,b\n1,x\n2,y\n", TWO, []),
    "comments": (
        "# made by a program\n# 2026, by hand\na,b\n1,x\n2,y\n",
        TWO,
        ["the first 2 lines are no rows, so they are left out"],
    ),
    "a title": (
        "Sales of June\n\na,b\n1,x\n2,y\n",
        TWO,
        ["the first 2 lines are no rows, so they are left out"],
    ),
    "a title of one line": (
        "Sales of June\na,b\n1,x\n2,y\n",
        TWO,
        ["the first line is no row, so it is left out"],
    ),
    "counts before the header": (
        "2,of\na,b,c,d\n1,x,3,4\n2,y,3,4\n",
        [{"a": 1, "b": "x", "c": 3, "d": 4}, {"a": 2, "b": "y", "c": 3, "d": 4}],
        ["the first line is no row, so it is left out"],
    ),
    "counts and no header": (
        "2,of\n1.5,x,3,4\n2.5,x,3,4\n",
        [dict(zip(COLUMNS, (n, "x", 3, 4), strict=True)) for n in (1.5, 2.5)],
        ["the first line is no row, so it is left out", VALUES.replace("column_2", "column_4")],
    ),
    "no header": (
        "1.5,x\n2.5,x\n",
        [{"column_1": 1.5, "column_2": "x"}, {"column_1": 2.5, "column_2": "x"}],
        [VALUES],
    ),
    "no header, and decimal commas": (
        "1,5;2,5\n1,25;2\n",
        [{"column_1": 1.5, "column_2": 2.5}, {"column_1": 1.25, "column_2": 2}],
        [
            "separated by semicolons",
            VALUES,
            "column_1: 100.0% of the values are numbers, read with a decimal comma ('1,5' is 1.5)",
            "column_2: 100.0% of the values are numbers, read with a decimal comma ('2,5' is 2.5)",
        ],
    ),
    "a header that is a comment": ("#a,b\n1,x\n", [{"#a": 1, "b": "x"}], []),
    "a footer": (
        "a,b\n1,x\n2,y\ntotal 2\n",
        TWO,
        ["the last row has another length, so it is left out as a footer"],
    ),
    "a row of another length": (
        "a,b\n1,x\n7,8,9\n2,y\n",
        TWO,
        ["row 2 is left out: it has 3 cells, the header 2"],
    ),
    "an index": (
        ",a,b\n0,1,x\n1,2,y\n",
        TWO,
        ["the first column has no name, so it is left out as the rows' numbers"],
    ),
    "an index as R writes it": (
        '"a","b"\n"1",1,"x"\n"2",2,"y"\n',
        TWO,
        ["the first column has no name, so it is left out as the rows' numbers"],
    ),
    "no name": (
        "a,\n1,x\n2,y\n",
        [{"a": 1, "column_2": "x"}, {"a": 2, "column_2": "y"}],
        ["column 2 has no name, so it is called column_2"],
    ),
    "the header again": (
        "a,b\n1,x\na,b\n\ufeffa,b\n2,y\na,b\n",
        TWO,
        ["3 lines with the header again, left out"],
    ),
    "the header again, and quotes": (
        'a,b\r\n1,"x"\r\na,b\r\n2,y\r\n',
        TWO,
        ["1 line with the header again, left out"],
    ),
    "Excel's name of the separator": (
        "sep=;\r\na;b\r\n1;x\r\n2;y\r\n",
        TWO,
        ["separated by semicolons"],
    ),
    "Excel's name of the comma": ("sep=,\na,b\n1,x\n2,y\n", TWO, []),
    "blanks": ("a b c\n1 x 3\n2 y 4\n", THREE, ["separated by blanks"]),
    "carets": ("a^b^c\n1^x^3\n2^y^4\n", THREE, ["separated by `^`"]),
    "a control character": (
        "a\x01b\x01c\n1\x01x\x013\n2\x01y\x014\n",
        THREE,
        ["separated by '\\x01'"],
    ),
    "one column of words": (
        "said\nhow are you\nwell and fine\n",
        [{"said": "how are you"}, {"said": "well and fine"}],
        [],
    ),
    "blanks behind separators": ("a, b\n1, x\n2, y\n", TWO, []),
    "blanks before quotes": ('"a", "b"\n1, "x"\n2, "y"\n', TWO, []),
    "UTF-32": ("a,b\n1,x\n2,y\n".encode("utf-32"), TWO, []),
    "UTF-16": ("a,b\n1,x\n2,y\n".encode("utf-16"), TWO, []),
    "UTF-16 without its mark": ("a,b\n1,x\n2,y\n".encode("utf-16-le"), TWO, []),
    "Latin-1": (
        "a,b\n1,é\n".encode("latin-1"),
        [{"a": 1, "b": "é"}],
        ["it is not UTF-8, so it is read as Latin-1"],
    ),
    "line breaks in names and cells": (
        '"a\nin t",b\n1,"x\n\ny"\n',
        [{"a\nin t": 1, "b": "x\n\ny"}],
        [],
    ),
    "marks": (
        "a,b\nNA,NA\n2,y\n\\N,\\N\n?,x\n",
        [{"a": None, "b": "NA"}, {"a": 2, "b": "y"}, {"a": None, "b": None}, {"a": None, "b": "x"}],
        ["a: ?, NA, \\N stand for missing values"],
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_it_is_read_and_told(tmp_path: Path, name: str) -> None:
    content, rows, said = FILES[name]
    assert read(tmp_path / "x.csv", content) == rows
    assert [sentence for _, sentence in notes(tmp_path / "x.csv")] == said


@pytest.mark.parametrize(
    ("first", "rows", "holds"),
    [
        ("country 2019 2020", ["FR 1.5 2", "DE 3 1"], False),
        ("country 2020 2019", ["FR 1.5 2", "DE 3 1"], False),
        ("0 1 10 11 2", ["1 0 0 1 0", "0 1 1 0 1"], False),  # sorted as texts
        ("0 0 1", ["0 5 2", "1 3 4"], True),
        ("0 5 2", ["0 5 2", "1 3 4"], True),
        ("39 Private 77516 13 Male", ["50 Private 83311 9 Male", "38 Gov 1 9 Female"], True),
        ("? 1.5 a", ["2 2.5 b", "3 2.5 a"], True),
        ("? 1 a", ["2 2.5 b", "3 2.5 c"], False),
        ("2026-01-01 1.5", ["2026-01-02 2.5"], True),
        ("a b", ["1 x"], False),
        ("Y city", ["Y Rome", "N Paris"], False),
        ("m Paris", ["f Rome", "m Paris", "f Paris"], True),
        ("1.5 2.5", [], False),
        ("1.5 2.5", ["1 2 3"], False),
    ],
)
def test_a_first_line_of_values(first: str, rows: list[str], holds: bool) -> None:
    assert holds_values(first.split(), [row.split() for row in rows]) is holds


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(st.floats(-1e6, 1e6), st.sampled_from("ab"), st.integers(0, 9)),
        min_size=4,
        max_size=30,
    ),
    st.sampled_from(",;\t|"),
)
def test_a_file_is_read_the_same_with_names_and_without(
    tmp_path_factory: pytest.TempPathFactory, values: list[tuple[float, str, int]], between: str
) -> None:
    values = [(0.5, "a", 3), (1.5, "a", 3), *values]
    lines = "".join(between.join(map(str, row)) + "\n" for row in values)
    file = tmp_path_factory.getbasetemp() / "headless.csv"
    plain = read(file, lines)
    assert plain == read(file, f"column_1{between}column_2{between}column_3\n{lines}")
    assert len(plain) == len(values)


def test_rows_are_counted_not_lines(tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    assert len(read(file, 'a,b\n1,"x\n\ny"\n2,"\n"\n\n3,z\n')) == 3
    assert count(file) == 3


def test_blanks_behind_separators_are_the_same_by_every_reader(tmp_path: Path) -> None:
    """Blocks without quotes are split in C, by Arrow where the file is large, others in Python."""
    head, line = "at, country\n", "2026-03-01 10:00, DE\n"
    large = line * 120_000
    plain = read(tmp_path / "x.csv", head + line)
    assert plain == [{"at": "2026-03-01 10:00", "country": "DE"}]
    assert read(tmp_path / "x.csv", f'{head}{line}"2026-03-01 10:00", "DE"\n') == plain * 2
    assert read(tmp_path / "x.csv", head + large) == plain * 120_000


def test_a_row_that_is_left_out_has_its_place(tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    read(file, "a,b\n1,x\n7,8,9\n2,y\n")
    assert [(table.first, table.rows) for table in tables(file)] == [(0, 1), (2, 1)]


def test_cells_of_megabytes_are_read(tmp_path: Path) -> None:
    long = "x" * 3_000_000
    assert read(tmp_path / "x.csv", f'a,b\n1,"{long}"\n2,{long}\n') == [
        {"a": 1, "b": long},
        {"a": 2, "b": long},
    ]


STYLES: dict[str, tuple[list[str], list[float]]] = {
    "a decimal point ('$1,234.50' is 1234.5)": (["$1,234.50", "-$3", "$.5"], [1234.5, -3, 0.5]),
    "a decimal comma ('1.234,5 €' is 1234.5)": (["1.234,5 €", "3 €", "0,5 €"], [1234.5, 3, 0.5]),
    "a decimal comma ('1 234,5' is 1234.5)": (["1 234,5", "2", "1 000 000"], [1234.5, 2, 1e6]),
    'a decimal point ("1\'234.5" is 1234.5)': (["1'234.5", "2", "1'000'000"], [1234.5, 2, 1e6]),
    "a decimal comma ('1.234,50-' is -1234.5)": (["1.234,50-", "3", "0,5-"], [-1234.5, 3, -0.5]),
    "a decimal comma ('1,5E+03' is 1500)": (["1,5E+03", "2,5e-1"], [1500, 0.25]),
    "a decimal point ('12,34,567.50' is 1234567.5)": (["12,34,567.50", "1,000"], [1234567.5, 1e3]),
    "a decimal point ('\u0661\u066c\u0662\u0663\u0664\u066b\u0665' is 1234.5)": (
        ["\u0661\u066c\u0662\u0663\u0664\u066b\u0665", "\uff17"],
        [1234.5, 7],
    ),
    "a decimal point ('1\u2019234' is 1234)": (["1\u2019234", "7"], [1234, 7]),
    "a decimal comma ('R$ 2.387,00' is 2387)": (["R$ 2.387,00", "R$ 5"], [2387, 5]),
    "a decimal comma ('3,50 z\u0142' is 3.5)": (["3,50 z\u0142", "kr. 5", "5 CZK"], [3.5, 5, 5]),
    "a decimal point, per cent as 0.01 ('12.5%' is 0.125)": (
        ["12.5%", "-1 %", *(f"{number}%" for number in range(20))],
        [0.125, -0.01, *(float(f"{number}e-2") for number in range(20))],
    ),
}


@pytest.mark.parametrize("style", STYLES)
def test_numbers_as_people_write_them(tmp_path: Path, style: str) -> None:
    cells, values = STYLES[style]
    file = tmp_path / "x.csv"
    rows = read(file, "a\tb\n" + "".join(f"{cell}\tx\n" for cell in cells))
    assert [row["a"] for row in rows] == values
    assert ("note", f"a: 100.0% of the values are numbers, read with {style}") in notes(file)


@pytest.mark.parametrize(
    "cell", ["192.168.1.1", "2026-01-05", "1-2", "+49 89 123", "12:30", "00,5", "-5-", "1,2,345"]
)
def test_what_is_no_number_stays_text(tmp_path: Path, cell: str) -> None:
    assert read(tmp_path / "x.csv", f"a|b\n{cell}|x\n{cell}|x\n")[0]["a"] == cell


def test_numbers_are_decided_in_the_first_half_and_hold_for_all(tmp_path: Path) -> None:
    """What the watched half holds does not change how the reference's half is read."""
    lines = ["1.5", "low"] + ["2.5"] * 148 + ["high"] * 150
    rows = read(tmp_path / "x.csv", "a,b\n" + "".join(f"{cell},x\n" for cell in lines))
    assert [row["a"] for row in rows] == [1.5, "low", *[2.5] * 148, *["high"] * 150]
    assert notes(tmp_path / "x.csv") == [
        ("note", "a: 99.3% of the values are numbers; the others ('low' is the first) are invalid")
    ]
