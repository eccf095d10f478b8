"""Files that are not what their names say: one sentence that says what they are, and what to do."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import zipfile
from io import BytesIO
from pathlib import Path

import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest

from driftline.producer.errors import InputError
from driftline.producer.files.tables import read_tables

ROWS = [{"km": i, "fuel": "gas"} for i in range(20)]
CSV = b"km,fuel\n" + b"1,gas\n" * 20
TABLE = pa.Table.from_pylist(ROWS)
COLUMNS = {"km": [row["km"] for row in ROWS], "fuel": [row["fuel"] for row in ROWS]}
IN_PANDAS = "write an object a row, in pandas to_json(orient='records', lines=True)"


def _parquet() -> bytes:
    stream = BytesIO()
    pq.write_table(TABLE, stream)
    return stream.getvalue()


def _arrow() -> bytes:
    stream = BytesIO()
    feather.write_feather(TABLE, stream)
    return stream.getvalue()


def _zip() -> bytes:
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w") as packed:
        packed.writestr("x.csv", CSV)
    return stream.getvalue()


def _json(value: object) -> bytes:
    return json.dumps(value).encode()


PACKED = "unpack it, or pack it with gzip"
FILES = {
    "x.csv": [
        (gzip.compress(CSV, mtime=0), "is packed; call it so: x.csv.gz"),
        (_parquet(), "is Parquet; call it so: x.parquet"),
        (_arrow(), "is Arrow; call it so: x.arrow"),
        (_zip(), "is a zip archive or an Excel workbook; unpack it, or save the sheet as CSV"),
        (_json(ROWS[0]) + b"\n", "is NDJSON; call it so: x.jsonl"),
        (_json(ROWS), "is NDJSON; call it so: x.jsonl"),
        (b"<!DOCTYPE html>\n<p>Log in", "is a page of the web or XML; save the table itself, as"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:a\n", "is a pointer of Git LFS;"),
    ],
    "x.parquet": [(CSV, "is CSV; call it so: x.csv"), (_arrow(), "is Arrow; call it so: x.arrow")],
    "x.json": [
        (CSV, "is CSV; call it so: x.csv"),
        (_json({"data": ROWS}), "is one object, whose 'data' holds the rows; write these, as one"),
        (_json(COLUMNS), f"is one object of columns; {IN_PANDAS}"),
        (
            _json({name: dict(enumerate(values)) for name, values in COLUMNS.items()}),
            f"is one object of columns; {IN_PANDAS}",
        ),
        (
            _json({str(place): row for place, row in enumerate(ROWS)}),
            "is one object of rows; write these, as one array, in pandas to_json(orient=",
        ),
        (
            _json({"columns": ["km"], "index": [1], "data": [[1]]}),
            f"is one object of columns and data; {IN_PANDAS}",
        ),
        (json.dumps(ROWS[0], indent=1).encode() + b"\n", "line 1 is the begin of an object; write"),
        (b'{"km": 1}{"km": 2}', "line 1 holds several objects; write each on one line"),
        (_json({"hits": {"hits": ROWS}}), "is one object, whose 'hits.hits' holds the rows; write"),
        (b'09:15, INFO {"km": 1}\n09:16, INFO {"km": 2}\n', "line 1 is not a JSON object; write"),
        (b'["km"]\n[1]\n', "begins as a JSON array and is none (line 2, column 1: Extra data)"),
        (b'{"km": 1},\n{"km": 2}\n', "line 1 ends with a comma; write one event a line, without"),
        (
            b"{'km': 1, 'ok': True}\n{'km': 2, 'ok': True}\n",
            "line 1 is a dictionary of Python, not",
        ),
        (b'{"km": 1}\n{"ok": "\\ud83d"}\n', "line 2 holds half of a surrogate pair (such as"),
        (b'[{"km": "\\ud83d"}]', "element 1 of the array holds half of a surrogate pair"),
        (rb"{'km': '\d'}", "line 1 is a dictionary of Python, not"),
        ('{"km": 1}\n'.encode("utf-16"), "line 1 is not UTF-8 text; convert the file to UTF-8"),
    ],
    "x.tab": [(CSV.replace(b",", b"\t"), "is CSV; call it so: x.csv")],
    "x.csv.gz": [(CSV, "is not packed; call it so: x.csv")],
    "x.dta": [(b"<stata_dta><header>\0", "is a Stata file; write its table as Parquet or CSV")],
    "x.sav": [(b"$FL2@(#) SPSS\0\0", "is an SPSS file; write its table as Parquet or CSV")],
    "x.sas7bdat": [(b"\0" * 12 + b"\xc2\xea\x81\x60", "is a SAS file; write its table as")],
    "x.xpt": [(b"HEADER RECORD*******LIBRARY HEADER", "is a SAS transport file; write its table")],
    "x.npy": [(b"\x93NUMPY\x01\0v\0", "is an array of numpy; write its table as Parquet or CSV")],
    "x.rds": [(gzip.compress(b"X\n"), "is a file of R; write its table as Parquet or CSV")],
    "x.csv.bz2": [(bz2.compress(CSV), f"is packed with bzip2; {PACKED}")],
    "x.csv.xz": [(lzma.compress(CSV), f"is packed with xz; {PACKED}")],
    "x.csv.zst": [(b"\x28\xb5\x2f\xfd\x04\0\0", f"is packed with zstd; {PACKED}")],
}


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [(name, *case) for name, cases in FILES.items() for case in cases],
)
def test_it_is_said_what_it_is(tmp_path: Path, name: str, content: bytes, sentence: str) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(InputError) as caught:
        list(read_tables(file))
    assert str(caught.value).startswith(f"{file}: {sentence}")


@pytest.mark.parametrize(
    ("name", "content", "rows"),
    [
        ("x.csv", b"PAR1,ORC\n1,2\n", 1),
        ("x.csv", b'at,said\n1,"{}"\n2,"[{}]"\n', 2),
        ("x.csv.gz", gzip.compress(CSV, mtime=0), 20),
        ("x.json", _json({"ts": 1, "items": [{"a": 1}, {"a": 2}]}) + b"\n", 1),
        ("x.json", _json({"features": {"a": 1}, "prediction": {"score": 0.5}}) + b"\n", 1),
        ("x.json", b"{}\n", 1),
        ("x.json", b'\x1e{"a": 1}\n\x1e{"a": 2}\n', 2),
    ],
)
def test_what_is_as_its_name_says_is_read(
    tmp_path: Path, name: str, content: bytes, rows: int
) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    assert sum(table.rows for table in read_tables(file)) == rows
