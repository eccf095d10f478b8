"""`--timestamp`, `--time-format` and `--timezone`, and what `init` writes of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.consumer.cli.conftest import Driftline


def rows(folder: Path, name: str, dates: list[str]) -> None:
    lines = [f"{date},{i % 7},{i % 10 / 10}" for i, date in enumerate(dates)]
    (folder / name).write_text("\n".join(["when,km,score", *lines, ""]))


def test_days_that_may_be_months_are_refused_until_it_is_said(
    driftline: Driftline, tmp_path: Path
) -> None:
    rows(tmp_path, "a.csv", [f"{1 + i % 9:02}/{1 + i // 9 % 9:02}/1987" for i in range(1_200)])
    failed = driftline("backtest", "--input", "a.csv")
    assert failed.code == 2
    assert "give --time-format with one of them" in failed.err
    assert all(name in failed.err for name in ("'%d/%m/%Y'", "'%m/%d/%Y'"))
    told = driftline("backtest", "--input", "a.csv", "--time-format", "%d/%m/%Y")
    assert told.code == 0
    assert "timestamp: column when (text as %d/%m/%Y, read as UTC)" in told.err


def test_init_writes_what_it_found_and_the_rest_reads_it(
    driftline: Driftline, tmp_path: Path
) -> None:
    rows(tmp_path, "a.csv", [f"{1 + i % 28:02}.{1 + i // 28 % 12:02}.1987" for i in range(1_200)])
    assert driftline("init", "--from", "a.csv", "--timezone", "Europe/Berlin").code == 0
    text = (tmp_path / "driftline.yaml").read_text()
    assert 'time_format: "%d.%m.%Y"' in text
    assert "timezone: Europe/Berlin" in text
    assert driftline("check", "--offline").code == 0
    again = driftline("backtest", "--input", "a.csv")
    assert again.code == 0
    assert "1987-01-" in again.out or "1986-12-31" in again.out
    refused = driftline("backtest", "--input", "a.csv", "--timezone", "UTC")
    assert "the configuration says how times are read" in refused.err


def test_the_column_that_should_hold_times_is_named(driftline: Driftline, tmp_path: Path) -> None:
    lines = [f"2026-03-02 00:{i % 60:02}:00 EST,{i % 7}" for i in range(1_200)]
    (tmp_path / "a.csv").write_text("\n".join(["ts,km", *lines, ""]))
    why = (
        "no column holds times (column ts holds times with the name of a zone, such as"
        " '2026-03-02 00:00:00 EST', which are not read: leave the name out and give --timezone,"
        " or write the offset)"
    )
    ran = driftline("backtest", "--input", "a.csv")
    assert ran.code == 0
    assert f"assumed  {why}, so windows are of " in ran.err
    refused = driftline("backtest", "--input", "a.csv", "--window", "1h")
    assert f"--window: {why}; give --rows N" in refused.err


def test_local_times_of_parquet_are_of_the_zone_in_every_reading(
    driftline: Driftline, tmp_path: Path
) -> None:
    berlin, first = ZoneInfo("Europe/Berlin"), datetime(2026, 10, 18, tzinfo=UTC)
    instants = [first + timedelta(minutes=20 * i) for i in range(1_000)]
    instants = [each for each in instants if not each.astimezone(berlin).fold]  # read as the first
    local = [each.astimezone(berlin).replace(tzinfo=None) for each in instants]
    text = [each.isoformat(sep=" ") for each in local]
    km = [i % 17 + i // 600 for i in range(len(instants))]
    options = ("--window", "6h", "--min-events", "10", "--verdicts", "--json")
    zone = ("--timezone", "Europe/Berlin")
    printed = []
    for times, given in ((instants, ()), (local, zone), (text, zone)):
        pq.write_table(pa.table({"at": times, "km": km}), tmp_path / "a.parquet")
        ran = driftline("backtest", "--input", "a.parquet", *options, *given)
        assert ran.code == 0
        assert ("read as Europe/Berlin" in ran.err) == bool(given)
        printed.append(ran.out)
    assert printed[0] == printed[1] == printed[2]
    (tmp_path / "r").mkdir()
    built = driftline("reference", "build", "--model", "m", "--input", "a.parquet", "--output",
                      "r/m.json.gz", *zone)  # fmt: skip
    assert built.code == 0
    config = """
kafka: {bootstrap_servers: "x:1"}
sources: {s: {timezone: Europe/Berlin, fields: {timestamp: at, features: "*"}}}
models: {m: {predictions: s, reference: r/m.json.gz, window: {length: 6h, min_events: 10}}}
"""
    (tmp_path / "driftline.yaml").write_text(config)
    configured = []
    for times in (instants, local, text):
        pq.write_table(pa.table({"at": times, "km": km}), tmp_path / "a.parquet")
        configured.append(driftline("backtest", "--input", "a.parquet", "--verdicts", "--json").out)
    assert configured[0] == configured[1] == configured[2]
    assert '"2026-10-24T18:00:00Z"' in configured[0]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--timezone", "Europe/Berlim"], "did you mean Europe/Berlin?"),
        (["--time-format", "%d.%m"], "--time-format '%d.%m': it has no year, %Y or %y"),
        (["--timestamp", "a,b,c"], "--timestamp a,b,c: name one column, or two: DATE,TIME"),
        (["--timestamp", "at"], "--timestamp at: there is no such column, but when, km, score"),
    ],
)
def test_mistakes(driftline: Driftline, tmp_path: Path, options: list[str], sentence: str) -> None:
    rows(tmp_path, "a.csv", ["2019-03-27"] * 3)
    failed = driftline("backtest", "--input", "a.csv", *options)
    assert failed.code == 2
    assert sentence in failed.err
