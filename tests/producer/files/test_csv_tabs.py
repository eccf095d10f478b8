"""Cells between tabs in a file called .tsv, and names in single quotes."""

from __future__ import annotations

from pathlib import Path

from driftline.producer.files.rows import count_rows, read_rows
from driftline.producer.files.tables import file_notes, read_tables

ROWS = [{"a": 1, "b": "x,y"}, {"a": 2, "b": "z"}]


def test_a_file_of_tabs(tmp_path: Path) -> None:
    file = tmp_path / "rows.tsv"
    file.write_text("a\tb\n1\tx,y\n2\tz\n", encoding="utf-8")
    assert next(read_rows(file)) == ROWS
    assert next(read_tables(file)).to_rows() == ROWS
    assert count_rows(file) == 2
    assert file_notes(file) == [("note", "separated by tabs")]


def test_names_in_single_quotes_are_told(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("'a','b'\n'1','x'\n'2','z'\n", encoding="utf-8")
    [(kind, sentence)] = file_notes(file)
    assert kind == "note"
    assert sentence.startswith("names and cells stand in single quotes")
