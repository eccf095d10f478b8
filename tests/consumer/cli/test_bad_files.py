"""Bad files: one clear sentence that says what to do, for `backtest` and `init` alike."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.consumer.cli.bad_files import write_bad_files
from tests.consumer.cli.conftest import Driftline

REFUSED = {
    "wide.csv": (
        "wide.csv: 10,001 columns are too many to guess what each is; keep the model's inputs and"
        " outputs (at most 1,000 columns), or write a configuration"
    ),
    "empty.csv": "empty.csv: is empty; give a file with at least one event",
    "only_header.csv": "only_header.csv: has no rows; give a file with at least one event",
    "blank.csv": "blank.csv: has no rows; give a file with at least one event",
    "list.json": "list.json: element 1 of the array is not a JSON object; write one event each",
    "none.csv": "none.csv: no such file; check the path",
    "rows.txt": (
        "rows.txt: unknown ending; use .csv, .tsv, .parquet, .arrow, .feather, .arrows, .jsonl,"
        " .ndjson or .json (text also with .gz)"
    ),
}
MIXED = (
    "warning  km: 400 of 4,000 values are not numbers ('none of it' is the first), so the column is"
    " read as text; where a number is missing, leave the cell empty"
)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bad_files")
    write_bad_files(folder)
    (folder / "rows.txt").write_text("x")
    return folder


@pytest.fixture(autouse=True)
def files(tmp_path: Path, written: Path) -> Path:
    return Path(shutil.copytree(written, tmp_path, dirs_exist_ok=True))


@pytest.mark.parametrize("verb", [("backtest", "--input"), ("init", "--from")])
@pytest.mark.parametrize("file", REFUSED)
def test_it_is_refused_with_one_sentence(
    driftline: Driftline, tmp_path: Path, verb: tuple[str, str], file: str
) -> None:
    ran = driftline(*verb, file)
    said = [line for line in ran.err.splitlines() if not line.startswith("assumed  ")]
    assert (ran.code, ran.out, said) == (2, "", [REFUSED[file]])
    assert not (tmp_path / "driftline.yaml").exists()
    assert not (tmp_path / "references").exists()


@pytest.mark.parametrize(
    ("file", "why"),
    [
        ("no_time.csv", "no column holds times"),
        ("one_time.csv", "all events have the same time"),
    ],
)
def test_a_topic_needs_times(driftline: Driftline, file: str, why: str) -> None:
    ran = driftline("init", "--from", file)
    assert (ran.code, ran.out, ran.err.splitlines()[-1]) == (
        2,
        "",
        f"{file}: {why}, and the windows of a topic are of time; add a column of times, as text"
        " such as 2026-11-01T12:00:00Z or as seconds since 1970, and call it timestamp",
    )
    ran = driftline("backtest", "--input", file)  # which has windows of rows
    assert ran.code == 0
    assert f"assumed  {why}, so windows are of " in ran.err


def test_a_file_that_is_too_short(driftline: Driftline) -> None:
    ran = driftline("backtest", "--input", "few.csv", "--fail-on-drift")
    assert (ran.code, ran.err.splitlines()[-2]) == (
        0,
        "note  a reference of 400 rows tells only great changes from chance",
    )
    text = Path("few.csv").read_text()
    Path("fewer.csv").write_text("".join(text.splitlines(keepends=True)[:151]))
    ran = driftline("backtest", "--input", "fewer.csv")
    assert (ran.code, ran.err.splitlines()[-1]) == (
        2,
        "fewer.csv: 150 rows are too few, 200 are needed: the first half is the reference and the"
        " second is judged, and so few tell only great changes from chance; give a longer file, or"
        " --min-events 37 to judge them all the same",
    )
    assert driftline("backtest", "--input", "fewer.csv", "--min-events", "37").code == 0
    ran = driftline("init", "--from", "few.csv")
    assert (ran.code, ran.err.splitlines()[-1]) == (
        2,
        "few.csv: 800 events are too few to know what is normal, 1,000 are needed; give a longer"
        " file",
    )


@pytest.mark.parametrize("file", ["quiet.csv", "bom.csv", "utf16.csv"])
def test_800_rows_an_hour_and_a_byte_order_mark_are_fine(driftline: Driftline, file: str) -> None:
    ran = driftline("backtest", "--input", file)
    assert ran.code == 0
    assert ran.err.splitlines() == [
        "assumed  timestamp: column time (text, read as UTC)",
        "assumed  features: km (numeric), kind (categorical)",
        "assumed  reference: the first 4,000 of 8,000 rows",
        "assumed  windows of 1h, about 800 events each; budget 1 per 30d",
    ]
    assert "4 windows of 1h against" in ran.out
    assert "\nno alerts; the largest effect was 0.0" in ran.out
    ran = driftline("init", "--from", file)
    assert ran.code == 0
    assert "windows of 1h: about 800 events each" in ran.out


def test_a_column_of_numbers_and_text_is_said(driftline: Driftline) -> None:
    for verb in (("backtest", "--input"), ("init", "--from")):
        ran = driftline(*verb, "mixed.csv")
        assert ran.code == 0
        assert MIXED in ran.err.splitlines()
