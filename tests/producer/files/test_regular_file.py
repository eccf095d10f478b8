"""What is opened is a file, and what is kept of it is bounded."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from driftline.producer.errors import InputError
from driftline.producer.files.regular_file import open_regular, read_bounded
from driftline.producer.files.rows import count_rows, read_rows
from driftline.producer.files.text_lines import LONGEST_LINE

LONG = b"x" * (LONGEST_LINE + 1)


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


@pytest.mark.parametrize("make", [os.mkfifo, device])
def test_a_pipe_or_device_is_not_waited_for(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "x")
    with pytest.raises(OSError, match="it is a pipe or a device, not a file"):
        open_regular(tmp_path / "x")


def test_a_folder_and_a_missing_file_are_what_they_are(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError):
        open_regular(tmp_path)
    with pytest.raises(FileNotFoundError):
        open_regular(tmp_path / "none")


def test_up_to_a_size(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"12345")
    (tmp_path / "link").symlink_to("x")
    assert read_bounded(tmp_path / "link", 5) == b"12345"
    with pytest.raises(OSError, match="it is larger than 4 bytes"):
        read_bounded(tmp_path / "x", 4)


@pytest.mark.parametrize("ending", ["csv", "csv.gz", "ndjson", "ndjson.gz", "parquet"])
@pytest.mark.parametrize("make", [os.mkfifo, device])
def test_rows_come_from_files(tmp_path: Path, ending: str, make: Callable[[Path], None]) -> None:
    file = tmp_path / f"x.{ending}"
    make(file)
    with pytest.raises(InputError, match=r"is a pipe or a device; give a file$"):
        read_rows(file)
    assert count_rows(file) is None


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("x.csv.gz", b"a,b\n1," + LONG, 2),
        ("x.csv.gz", LONG, 1),
        ("x.csv", b"a,b\n1,2\n" + LONG, 3),
        ("x.ndjson.gz", LONG, 1),
        ("x.ndjson.gz", b"\0" * (LONGEST_LINE + 1), 1),
        ("x.ndjson", b'{"a":1}\n{"a":"' + LONG, 2),
    ],
)
def test_a_line_without_an_end_is_no_row(
    tmp_path: Path, name: str, content: bytes, line: int
) -> None:
    file = tmp_path / name
    file.write_bytes(gzip.compress(content, 1) if name.endswith(".gz") else content)
    said = f"{name}: line {line} is longer than 8 MB, so it is no row; write one event a line$"
    with pytest.raises(InputError, match=said):
        list(read_rows(file))
    with pytest.raises(InputError, match=said):
        count_rows(file)


@pytest.mark.parametrize("name", ["x.csv", "x.ndjson"])
def test_few_long_rows_are_a_chunk(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for size in ("csv_cells.BLOCK", "csv.BLOCK", "csv.CHUNK_SIZE", "ndjson.CHUNK_SIZE"):
        monkeypatch.setattr(f"driftline.producer.files.{size}", 1_000)
    rows = [{"a": number, "b": "x" * 600} for number in range(5)]
    if name == "x.csv":
        text = "a,b\n" + "".join(f"{row['a']},{row['b']}\n" for row in rows)
    else:
        text = "".join(f'{{"a":{row["a"]},"b":"{row["b"]}"}}\n' for row in rows)
    (tmp_path / name).write_text(text)
    chunks = list(read_rows(tmp_path / name))
    assert [row for chunk in chunks for row in chunk] == rows
    assert max(map(len, chunks)) == 2


def test_columns_without_an_end(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text(",".join(f"a{i}" for i in range(100_001)) + "\n1\n")
    with pytest.raises(InputError, match=r"x\.csv: has more than 100,000 columns"):
        read_rows(tmp_path / "x.csv")
