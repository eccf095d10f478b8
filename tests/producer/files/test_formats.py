"""The table of formats: every file that is read is told by it, and a new one is a line."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from driftline.producer.errors import InputError
from driftline.producer.files import formats
from driftline.producer.files.formats import FORMATS, Extra, Format, Rows, format_of, is_file_name
from driftline.producer.files.rows import count_rows, read_rows
from driftline.producer.files.tables import file_notes

# Records of lines `name=value`, with a blank line behind each.
PROGRAM = """
import sys

from driftline.producer.files.formats import FORMATS, Format
from tests.producer.files.test_formats import count, read

FORMATS.append(Format("STANZA", (".stanza",), read, count))

from driftline.consumer.cli import main

main()
"""


def read(file: Path, chunk: int) -> Iterator[Rows]:
    for record in file.read_text().split("\n\n"):
        yield [dict(line.split("=") for line in record.splitlines())]


def count(file: Path) -> int:
    return file.read_text().count("\n\n") + 1


STANZA = Format("STANZA", (".stanza",), read, count, extra=Extra("stanzas", "msgspec"))


def test_endings_tell_one_format_each() -> None:
    assert len(set(formats.endings())) == len(formats.endings())
    for form in FORMATS:
        for ending in form.endings:
            assert ending == ending.lower()
            assert format_of(Path(f"a{ending}")) is format_of(Path(f"A{ending}".upper())) is form
            assert (format_of(Path(f"a{ending}.gz")) is form) == form.packed
            assert is_file_name(f"a{ending}")


def test_a_new_format_is_read_counted_and_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(formats, "FORMATS", [*FORMATS, STANZA])
    path = tmp_path / "a.stanza"
    path.write_text("a=1\nb=x\n\na=2\nb=y")
    assert list(read_rows(path)) == [[{"a": "1", "b": "x"}], [{"a": "2", "b": "y"}]]
    assert (count_rows(path), file_notes(path)) == (2, [])
    with pytest.raises(InputError, match=r"\.ndjson, \.json or \.stanza \(text also with \.gz\)$"):
        read_rows(tmp_path / "a.txt")


def test_one_that_needs_more_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    form = Format("STANZA", (".stanza",), read, count, extra=Extra("stanzas", "stanza"))
    monkeypatch.setattr(formats, "FORMATS", [*FORMATS, form])
    path = tmp_path / "a.stanza"
    path.write_text("a=1")
    with pytest.raises(InputError) as caught:
        read_rows(path)
    assert str(caught.value) == (
        f'{path}: STANZA needs stanza; install it with  pip install "driftline[stanzas]",'
        " or write the file as CSV or NDJSON"
    )


def test_the_command_line_reads_it_and_its_help_names_it(tmp_path: Path) -> None:
    (tmp_path / "events.stanza").write_text(
        "\n\n".join(f"time={1_600_000_000 + 60 * i}\nkm={i % 7}" for i in range(20))
    )
    for arguments, told in (
        (["backtest", "--help"], "CSV, Parquet, Arrow, NDJSON or STANZA; text also as .gz."),
        (["reference", "build", "--model", "m", "--input", "events.stanza", "-o", "m.json"],
         "20 events, 1 feature"),
    ):  # fmt: skip
        ran = subprocess.run(
            [sys.executable, "-c", PROGRAM, *arguments],
            cwd=tmp_path,
            env={"PYTHONPATH": str(Path(__file__).parents[3]), "COLUMNS": "200"},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert (ran.returncode, told in " ".join(ran.stdout.split())) == (0, True), ran.stderr
