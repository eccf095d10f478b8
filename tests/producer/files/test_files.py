"""Files: what rows they give, and the one sentence for each that cannot be used."""

from __future__ import annotations

import gzip
import json
import sys
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from driftline.producer.errors import InputError
from driftline.producer.files import csv_cells, ndjson
from driftline.producer.files import rows as files
from driftline.producer.files.rows import count_rows, read_rows
from driftline.producer.files.tables import file_notes

DATA = Path(__file__).parents[2] / "data"


def write(folder: Path, name: str, content: str | bytes) -> Path:
    data = content.encode() if isinstance(content, str) else content
    path = folder / name
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return path


def rows_of(path: Path) -> list[dict[str, Any]]:
    return [row for chunk in read_rows(path) for row in chunk]


def test_csv_types_are_those_of_the_whole_column(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "a.csv",
        "n,f,b,t,mixed,zip,when,empty,big,nan\n"
        "1,1,True,x,1,00501,2019-03-27,,1234567890123456789,1\n"
        "-2,2.5,false,,2,10001,2019-03-28,,1,NaN\n"
        ',1e3,,"a,""b""\nc",n/a,94105,,, ,inf\n',
    )
    assert rows_of(path) == [
        {
            "n": 1,
            "f": 1.0,
            "b": True,
            "t": "x",
            "mixed": 1,
            "zip": "00501",
            "when": "2019-03-27",
            "empty": None,
            "big": "1234567890123456789",
            "nan": 1.0,
        },
        {
            "n": -2,
            "f": 2.5,
            "b": False,
            "t": None,
            "mixed": 2,
            "zip": "10001",
            "when": "2019-03-28",
            "empty": None,
            "big": "1",
            "nan": None,
        },
        {
            "n": None,
            "f": 1000.0,
            "b": None,
            "t": 'a,"b"\nc',
            "mixed": None,
            "zip": "94105",
            "when": None,
            "empty": None,
            "big": " ",
            "nan": float("inf"),
        },
    ]


def test_a_type_that_shows_only_at_the_end_holds_for_all_chunks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "CHUNK", 2)
    monkeypatch.setattr(csv_cells, "BLOCK", 8)
    path = write(tmp_path, "a.csv", "x,y\n1,1\n2,2\n3,3\n4,4\n5.5,five\n")
    chunks = list(read_rows(path))
    assert max(map(len, chunks)) == 2
    assert [row["x"] for chunk in chunks for row in chunk] == [1.0, 2.0, 3.0, 4.0, 5.5]
    assert [row["y"] for chunk in chunks for row in chunk] == ["1", "2", "3", "4", "five"]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("name", ["a.csv", "A.CSV", "a.csv.gz"])
def test_csv_dialects(tmp_path: Path, delimiter: str, mark: str, end: str, name: str) -> None:
    lines = [delimiter.join(cells) for cells in (("id", "x y"), ("1", "a"), ("2", "€"))]
    path = write(tmp_path, name, mark + end.join(lines) + end + end)
    assert rows_of(path) == [{"id": 1, "x y": "a"}, {"id": 2, "x y": "€"}]


def test_file_notes_are_named(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", "x,y,z\n1,a,1\nno,b,2\n3,c,\nlow,d,4\n")
    said = (
        "x: 2 of 4 values are not numbers ('no' is the first), so the column is read as text;"
        " where a number is missing, leave the cell empty"
    )
    assert file_notes(path) == [("warning", said)]
    codes = write(tmp_path, "b.csv", "code\n00M\n1G4\n7\nA2\n")  # few happen to be numbers
    assert file_notes(codes) == []
    assert file_notes(write(tmp_path, "a.jsonl", '{"x": 1}\n{"x": "a"}')) == []


@pytest.mark.parametrize("name", ["a.jsonl", "a.ndjson", "a.json", "a.jsonl.gz", "a.json.gz"])
def test_ndjson(tmp_path: Path, name: str) -> None:
    path = write(tmp_path, name, '\ufeff{"a": {"b": [1, null]}}\n\n  \n{"a": "€", "b": true}')
    assert rows_of(path) == [{"a": {"b": [1, None]}}, {"a": "€", "b": True}]


@pytest.mark.parametrize("name", ["a.json", "a.jsonl.gz"])
def test_one_array_of_objects(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Whatever its lines are, and with numbers that JSON does not have."""
    monkeypatch.setattr(files, "CHUNK", 2)
    events = [{"a": {"b": [1, None]}}, {"a": "€]"}, {"a": 1.5}]
    for text in (json.dumps(events), json.dumps(events, indent=1, ensure_ascii=False)):
        path = write(tmp_path, name, f"\ufeff\n {text}\n")
        assert [len(chunk) for chunk in read_rows(path)] == [2, 1]
        assert rows_of(path) == events
        assert count_rows(path) is None
    path = write(tmp_path, name, '[{"a": NaN}, {"a": 1e400}]')
    assert rows_of(path) == [{"a": pytest.approx(float("nan"), nan_ok=True)}, {"a": float("inf")}]
    monkeypatch.setattr(ndjson, "_LONGEST_ARRAY", 20)
    with pytest.raises(InputError, match="is one JSON array of more than 0 MB; write one event a"):
        rows_of(path)


def test_ndjson_with_numbers_that_json_does_not_have(tmp_path: Path) -> None:
    path = write(tmp_path, "a.jsonl", '{"a": NaN, "b": -Infinity}\n{"a": 1e400, "b": 1}')
    nan, inf = pytest.approx(float("nan"), nan_ok=True), float("inf")
    assert rows_of(path) == [{"a": nan, "b": -inf}, {"a": inf, "b": 1}]


def test_parquet(tmp_path: Path) -> None:
    instant = datetime(2019, 3, 27, 1, 2, 3, 456789, tzinfo=UTC)
    naive = instant.replace(tzinfo=None)
    table = pa.table(
        {
            "ns": pa.array([naive, None], pa.timestamp("ns")),
            "us": pa.array([instant, None], pa.timestamp("us", "Europe/Berlin")),
            "s": pa.array([naive, None], pa.timestamp("s")),
            "day": pa.array([date(2019, 3, 27), None]),
            "clock": pa.array([time(1, 2), None]),
            "wait": pa.array([timedelta(seconds=90), None]),
            "money": pa.array([Decimal("12.50"), None]),
            "float": pa.array([float("nan"), None]),
            "half": pa.array([1.5, None], pa.float16()),
            "int": pa.array([2**60, None], pa.int64()),
            "flag": pa.array([True, None]),
            "text": pa.array(["€", None]).dictionary_encode(),
            "bytes": pa.array([b"abc", None]),
            "nested": pa.array([{"at": naive, "list": [Decimal("1.5")]}, None]),
        }
    )
    path = tmp_path / "a.parquet"
    pq.write_table(table, path)
    first, second = rows_of(path)
    assert first == {
        "ns": "2019-03-27T01:02:03.456",
        "us": "2019-03-27T01:02:03.456Z",
        "s": "2019-03-27T01:02:03",
        "day": "2019-03-27",
        "clock": "01:02:00",
        "wait": 90.0,
        "money": 12.5,
        "float": pytest.approx(float("nan"), nan_ok=True),
        "half": 1.5,
        "int": 2**60,
        "flag": True,
        "text": "€",
        "bytes": "abc",
        "nested": {"at": "2019-03-27T01:02:03.456", "list": [1.5]},
    }
    assert set(second.values()) == {None}
    assert count_rows(path) == 2


def test_a_time_beyond_the_year_9999_is_null(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"t": pa.array([400_000_000_000, 0], pa.timestamp("s"))}), path)
    assert [row["t"] for row in rows_of(path)] == [None, "1970-01-01T00:00:00"]


def test_rows_are_counted(tmp_path: Path) -> None:
    assert count_rows(DATA / "car_loan_analysis.csv.gz") == 50_000
    assert count_rows(write(tmp_path, "a.csv", "x\n1\n2")) == 2
    assert count_rows(write(tmp_path, "a.jsonl", "{}\n{}\n")) == 2
    assert count_rows(tmp_path / "nothing.csv") is None
    assert count_rows(tmp_path / "nothing.txt") is None
    assert count_rows(write(tmp_path, "b.parquet", "no")) is None


SENTENCES: dict[str, tuple[str | bytes, str]] = {
    "text.txt": (
        "a",
        "unknown ending; use .csv, .tsv, .parquet, .arrow, .feather, .arrows, .jsonl, .ndjson or"
        " .json (text also with .gz)",
    ),
    "noending": (
        "a",
        "unknown ending; use .csv, .tsv, .parquet, .arrow, .feather, .arrows, .jsonl, .ndjson or"
        " .json (text also with .gz)",
    ),
    "empty.csv": ("", "is empty; give a file with at least one event"),
    "empty.parquet": ("", "is empty; give a file with at least one event"),
    "empty.jsonl": ("", "is empty; give a file with at least one event"),
    "empty.csv.gz": ("", "has no rows; give a file with at least one event"),
    "header.csv": ("a,b\n", "has no rows; give a file with at least one event"),
    "blank.jsonl": ("\n \n", "has no rows; give a file with at least one event"),
    "broken.parquet": ("PAR1 nonsense", "is not readable Parquet; write the file again"),
    "twice.csv": ("a,b,a\n1,2,3\n", "two columns are called a; rename one of them"),
    "ragged.csv": (
        "a,b\n1,2\n" + "x,2,3\n" * 6 + "3,4\n",
        "6 of 8 rows have not as many cells as the header; the first, row 2, begins with 'x' and"
        " has 3 cells, the header 2; correct the rows",
    ),
    "quote.csv": (
        'a,b\n1,2\n1,"' + "x\n" * 70_000,
        "the quote that opens in line 3 never closes; correct the line",
    ),
    "utf16.csv": ("a\nö\n".encode("utf-16") + b"x", "is not UTF-8 text; convert it to UTF-8"),
    "array.json": (
        '[{"a": 1}, 2]',
        "element 2 of the array is not a JSON object; write one event each",
    ),
    "latin1_array.json": (
        '[{"a": "ö"}]'.encode("latin-1"),
        "element 1 of the array is not a JSON object; write one event each",
    ),
    "surrogate_array.json": (
        '[{"a": NaN}, {"a": "\\ud800"}]',
        "element 2 of the array holds half of a surrogate pair (such as \\ud83d), which is no text;"
        " leave it out",
    ),
    "cut.json": (
        '[{"a": 1},\n {"a"',
        "begins as a JSON array and is none (line 2, column 6: Expecting ':' delimiter); write one"
        " array of events, or one event a line",
    ),
    "bytes.json": (
        b"[\xff",
        "begins as a JSON array and is none (the text is not as JSON has it); write one array of"
        " events, or one event a line",
    ),
    "none.json": ("[]", "has no rows; give a file with at least one event"),
    "broken.jsonl": ('{"a": 1}\n{"a": x}\n', "line 2 is not a JSON object; write one event a line"),
    "deep.jsonl": (
        '{"a":' * 100_000,
        "line 1 ends within an object; copy the file again, or leave the line out",
    ),
    "deep.json": (
        "[" * 100_000,
        "begins as a JSON array and is none (the text is not as JSON has it); write one array of"
        " events, or one event a line",
    ),
    "surrogate.jsonl": (
        '{"a": "\\ud800", "b": NaN}',
        "line 1 holds half of a surrogate pair (such as \\ud83d), which is no text; leave it out",
    ),
    "digits.jsonl": (
        '{"a": ' + "9" * 5000 + "}",
        "line 1 is not a JSON object; write one event a line",
    ),
    "latin1.jsonl": (
        '{"a": "ö"}'.encode("latin-1"),
        "line 1 is not UTF-8 text; convert the file to UTF-8",
    ),
}


@pytest.mark.parametrize("name", SENTENCES)
def test_what_cannot_be_used_gets_one_sentence(tmp_path: Path, name: str) -> None:
    content, sentence = SENTENCES[name]
    path = write(tmp_path, name, content)
    with pytest.raises(InputError) as caught:
        rows_of(path)
    assert str(caught.value) == f"{path}: {sentence}"


@pytest.mark.parametrize("name", ["a.parquet", "a.arrow"])
def test_without_its_package_a_format_names_the_extra(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / name
    table = pa.table({"km": [1.5]})
    with pa.ipc.new_file(path, table.schema) as writer:
        writer.write_table(table)
    if name == "a.parquet":
        pq.write_table(table, path)
    for module in [
        each for each in sys.modules if each.startswith("driftline.producer.files.arrow")
    ]:
        monkeypatch.delitem(sys.modules, module)
        monkeypatch.delattr(module, raising=False)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(InputError, match=r'needs pyarrow; install it with  pip install "drift.*"'):
        read_rows(path)
    assert count_rows(path) is None


def test_an_empty_parquet_table_has_no_rows(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"a": pa.array([], pa.int64())}), path)
    with pytest.raises(InputError, match="has no rows; give a file with at least one event"):
        read_rows(path)


def test_no_such_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nothing\.csv: no such file; check the path"):
        read_rows(tmp_path / "nothing.csv")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(InputError, match=r"folder\.csv: no file ends in"):
        read_rows(tmp_path / "folder.csv")


@pytest.mark.parametrize("keep", [0.5, 0.99])
def test_cut_gzip(tmp_path: Path, keep: float) -> None:
    whole = gzip.compress(b"".join(b'{"a": %d}\n' % i for i in range(1000)))
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(whole[: int(len(whole) * keep)])
    sentence = "is not complete gzip data; write or copy the file again"
    with pytest.raises(InputError, match=sentence):
        rows_of(path)
    path.write_bytes(b"no gzip at all")
    with pytest.raises(InputError, match=r"is not packed; call it so: a\.jsonl$"):
        rows_of(path)


def test_trouble_that_can_be_known_is_raised_before_the_first_row(tmp_path: Path) -> None:
    for name in ("ragged.csv", "empty.jsonl", "broken.parquet", "utf16.csv"):
        path = write(tmp_path, name, SENTENCES[name][0])
        with pytest.raises(InputError):
            read_rows(path)


def test_ndjson_is_streamed(tmp_path: Path) -> None:
    """A broken line late in the file does not keep the rows before it back."""
    path = write(tmp_path, "a.jsonl", '{"a": 1}\n' * 25_000 + "broken\n")
    chunks = read_rows(path)
    assert [len(next(chunks)) for _ in range(2)] == [10_000, 10_000]
    with pytest.raises(InputError, match="line 25001 is not a JSON object"):
        next(chunks)


def test_a_file_that_was_written_again_is_read_anew(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("a,b\n1,x\n,y\n")
    assert rows_of(file) == [{"a": 1, "b": "x"}, {"a": None, "b": "y"}]
    file.write_text("a,b\n1,x\n1.5,\n")
    assert rows_of(file) == [{"a": 1.0, "b": "x"}, {"a": 1.5, "b": None}]
    file.rename(tmp_path / "old.csv")
    file.write_text("c,b\n1,x\n1.5,\n")
    assert rows_of(file)[0] == {"c": 1.0, "b": "x"}
