"""A folder or a glob is read as one file, in the order of names."""

from __future__ import annotations

from pathlib import Path

import pytest

from driftline.producer.errors import InputError
from driftline.producer.files.given import Given
from driftline.producer.files.rows import count_rows, read_rows
from driftline.producer.files.tables import file_notes, read_tables
from driftline.producer.records.table import Table


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    for day, rows in (("2026-03-02", "3\n"), ("2026-03-01", "1\n2\n")):
        folder = tmp_path / "lake" / f"day={day}"
        folder.mkdir(parents=True)
        (folder / "part.csv").write_text(f"a\n{rows}")
        (folder / "_SUCCESS").write_text("")
        (folder / ".part.csv.crc.csv").write_text("a\n9\n")
    return tmp_path / "lake"


ROWS = [
    {"a": 1, "day": "2026-03-01"}, {"a": 2, "day": "2026-03-01"}, {"a": 3, "day": "2026-03-02"},
]  # fmt: skip


def test_a_folder_is_one_file_with_its_keys_as_columns(lake: Path) -> None:
    assert [row for rows in read_rows(lake) for row in rows] == ROWS
    assert [table.first for table in read_tables(lake)] == [0, 2]
    assert count_rows(lake) == 3


def test_a_glob_chooses(lake: Path) -> None:
    assert [row for rows in read_rows(lake / "*" / "*.csv") for row in rows] == ROWS
    assert [row for rows in read_rows(str(lake / "*-02" / "part.csv")) for row in rows] == ROWS[2:]


def test_a_column_of_the_file_counts_before_the_folders_name(tmp_path: Path) -> None:
    folder = tmp_path / "a=9"
    folder.mkdir()
    (folder / "x.ndjson").write_text('{"a": 1}\n')
    assert list(read_rows(tmp_path)) == [[{"a": 1}]]


def test_nothing_or_a_mixture_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no file ends in"):
        read_rows(tmp_path)
    with pytest.raises(InputError, match="no file of such a name ends in"):
        read_rows(str(tmp_path / "x*.csv"))
    (tmp_path / "a.csv").write_text("a\n1\n")
    (tmp_path / "b.ndjson").write_text('{"a": 1}\n')
    with pytest.raises(InputError, match="holds CSV or NDJSON; give files of one format"):
        read_rows(tmp_path)


def test_notes_name_the_files_unless_all_have_them(tmp_path: Path) -> None:
    for name, rows in (("a", "1;x\n2;y\n"), ("b", "1;x\nNA;y\n"), ("c", "3;x\nNA;y\n")):
        (tmp_path / f"{name}.csv").write_text(f"n;t\n{rows}")
    assert file_notes(tmp_path) == [
        ("note", "separated by semicolons"),
        ("note", "n: NA stands for missing values"),
    ]


def test_rows_of_a_program_stand_for_a_file() -> None:
    given = Given("the frame", lambda: iter([Table.of_rows([{"a": 1}])]))
    assert list(read_rows(given)) == [[{"a": 1}]]
    assert count_rows(given) == 1
    with pytest.raises(InputError, match="the frame: has no rows"):
        read_rows(Given("the frame", lambda: iter(())))


def write_parts(folder: Path, **parts: str) -> None:
    for name, text in parts.items():
        (folder / f"{name}.csv").write_text(text)


def test_a_column_has_one_type_in_all_files(tmp_path: Path) -> None:
    whole = "\n".join(map(str, range(100)))
    write_parts(tmp_path, a=f"x\n{whole}\n", b="x\n1.5\nlow\n", c="x,y\n1,2\n")
    *_, (_, y) = (list(table.columns.values())[-2:] for table in read_tables(tmp_path))
    assert y.values() == [2]
    kinds = [type(row["x"]) for rows in read_rows(tmp_path) for row in rows]
    assert kinds == [*[int] * 100, float, str, int]
    assert file_notes(tmp_path) == []


def test_where_files_do_not_agree_it_is_text_and_one_sentence(tmp_path: Path) -> None:
    names, digits = "x\n" + "low\n" * 60, "x\n" + "3\n" * 60
    write_parts(tmp_path, a=names, b=digits, c=digits.replace("3", "4"))
    assert {type(row["x"]) for rows in read_rows(tmp_path) for row in rows} == {str}
    assert file_notes(tmp_path) == [
        (
            "warning",
            "x: text in a.csv and numbers in b.csv, so the column is read as text in all files;"
            " write it alike in each",
        )
    ]
    write_parts(tmp_path, a=digits, b=digits, c=names)  # the second half decides nothing
    assert {row["x"] for rows in read_rows(tmp_path) for row in rows} == {3, "low"}
    assert file_notes(tmp_path) == []


def test_notes_of_one_of_several_files_name_it(tmp_path: Path) -> None:
    write_parts(tmp_path, a="x;y\n1;2\n", b="x,y\n1,2\n")
    assert file_notes(tmp_path) == [("note", "a.csv: separated by semicolons")]
