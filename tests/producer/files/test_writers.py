"""What is written of columns in each format is read back, by the same table of formats."""

from __future__ import annotations

import gzip
import io
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.producer.errors import InputError
from driftline.producer.files import formats
from driftline.producer.files.column_types import Types, as_type, common, type_of
from driftline.producer.files.formats import FORMATS, Format
from driftline.producer.files.given import written_format
from driftline.producer.files.rows import read_rows
from driftline.producer.records.timestamp import format_time, parse_timestamp

TYPES: Types = {
    "at": "time", "whole": "integer", "km": "number", "ok": "boolean", "name": "text",
    "vector": "numbers",
}  # fmt: skip
WORDS = st.text(st.sampled_from("aé€,;\"' x"), min_size=1, max_size=6).filter(str.strip)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "at": st.integers(0, 4_000_000_000_000),
    "whole": st.integers(-(2**53), 2**53),
    "km": st.floats(allow_nan=False, allow_infinity=False),
    "ok": st.booleans(),
    "name": WORDS.map(lambda text: f"n{text}"),
    "vector": st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=3),
}
ROWS = st.lists(
    st.fixed_dictionaries({name: st.none() | values for name, values in VALUES.items()}),
    min_size=1,
    max_size=12,
)


def write(path: Path, form: Format, rows: list[dict[str, Any]], at_once: int = 5) -> None:
    chunks = [
        {name: [row[name] for row in rows[start : start + at_once]] for name in TYPES}
        for start in range(0, len(rows), at_once)
    ]
    stream = io.BytesIO()
    assert form.write is not None
    form.write(stream, TYPES, chunks)
    path.write_bytes(stream.getvalue())


@pytest.mark.parametrize("form", [each for each in FORMATS if each.name != "CSV"])
@given(rows=ROWS)
def test_typed_formats_give_back_what_was_written(
    form: Format, rows: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("written") / f"a{form.endings[0]}"
    write(path, form, rows)
    wanted = [{**row, "at": None if row["at"] is None else format_time(row["at"])} for row in rows]
    assert [row for chunk in read_rows(path) for row in chunk] == wanted


def test_csv_gives_back_what_a_table_of_text_can_hold(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"at": 1_767_225_600_001, "whole": 7, "km": 0.5, "ok": True, "name": 'a "b", c',
         "vector": [1.0, 0.5]},
        {"at": None, "whole": None, "km": 1e300, "ok": False, "name": "d;e", "vector": None},
    ]  # fmt: skip
    path = tmp_path / "a.csv.gz"
    write(path, written_format(path), rows)
    path.write_bytes(gzip.compress(path.read_bytes()))
    (first, second) = [row for chunk in read_rows(path) for row in chunk]
    assert parse_timestamp(first.pop("at")) == rows[0]["at"]
    assert first == {"whole": 7, "km": 0.5, "ok": True, "name": 'a "b", c', "vector": "[1.0, 0.5]"}
    assert second == {
        "at": None, "whole": None, "km": 1e300, "ok": False, "name": "d;e", "vector": None,
    }  # fmt: skip


@given(st.lists(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3)))
def test_the_common_type_holds_every_value(values: list[Any]) -> None:
    kind = common(each for each in map(type_of, values) if each is not None)
    for value in values:
        held = as_type(value, kind)
        if value is None:
            assert held is None
        elif kind in ("integer", "number"):
            assert held == value or math.isnan(value) or float(value) == held
        elif kind == "text":
            assert isinstance(held, str)
        else:
            assert held is value


def test_what_only_reads_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    form = Format("STANZA", (".stanza",), None, lambda file: None)
    monkeypatch.setattr(formats, "FORMATS", [*FORMATS, form])
    with pytest.raises(InputError, match=r"a\.stanza: STANZA is read only; use another ending"):
        written_format(Path("a.stanza"))
    assert all(each.write is not None for each in FORMATS)
