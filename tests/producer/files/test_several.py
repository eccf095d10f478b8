"""A folder or a glob is read as one file, in the order of names."""

from __future__ import annotations

from pathlib import Path

import pytest

from driftline.producer.errors import InputError
from driftline.producer.files.given import Given
from driftline.producer.files.rows import count_rows, file_notes, read_rows
from driftline.producer.files.tables import read_tables
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
    (tmp_path / "a.csv").write_text("a\n1\n")
    (tmp_path / "b.ndjson").write_text('{"a": 1}\n')
    with pytest.raises(InputError, match="holds CSV or NDJSON; give files of one format"):
        read_rows(tmp_path)


def test_notes_name_the_files_unless_all_have_them(tmp_path: Path) -> None:
    for name, rows in (("a", "1;x\n2;y\n"), ("b", "1;x\nNA;y\n"), ("c", "3;x\nNA;y\n")):
        (tmp_path / f"{name}.csv").write_text(f"n;t\n{rows}")
    assert file_notes(tmp_path) == [
        ("note", "separated by semicolons"),
        ("note", "b.csv, c.csv: n: NA stand for missing values"),
    ]


def test_rows_of_a_program_stand_for_a_file() -> None:
    given = Given("the frame", lambda: iter([Table.of_rows([{"a": 1}])]))
    assert list(read_rows(given)) == [[{"a": 1}]]
    assert count_rows(given) == 1
    with pytest.raises(InputError, match="the frame: has no rows"):
        read_rows(Given("the frame", lambda: iter(())))
