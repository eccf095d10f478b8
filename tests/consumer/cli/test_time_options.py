"""`--timestamp`, `--time-format` and `--timezone`, and what `init` writes of them."""

from __future__ import annotations

from pathlib import Path

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
