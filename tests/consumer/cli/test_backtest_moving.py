"""`driftline backtest --rolling` and `--previous`: a file alone, against a past that moves."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tests.consumer.cli.conftest import Driftline

HOURS, STEP = 240, 150


@pytest.fixture
def stepped(driftline: Driftline) -> Path:
    """Ten days, of which x is another from the 150th hour on, for good."""
    rng = np.random.default_rng(4)
    path = Path("stepped.csv")
    lines = ["ts,x"]
    for hour in range(HOURS):
        values = rng.normal(2.0 if hour >= STEP else 0.0, 1, 30)
        times = 1_600_000_000 + hour * 3600 + 100 * np.arange(30)
        lines += [f"{time},{value:.3f}" for time, value in zip(times, values, strict=True)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("options", "statuses"),
    [
        ((), ["firing"]),
        (("--rolling", "1d"), ["firing", "resolved"]),
        (("--previous", "1"), ["firing", "resolved"]),
    ],
)
def test_a_step_that_stays(
    driftline: Driftline, stepped: Path, options: tuple[str, ...], statuses: list[str]
) -> None:
    given = ("backtest", "-i", stepped, "--window", "6h", "--min-events", "100", *options)
    ran = driftline(*given, "--json")
    assert ran.code == 0
    records = [json.loads(line) for line in ran.out.splitlines()]
    found = [each for each in records if each.get("schema") == "driftline.alert.v1"]
    assert [each["status"] for each in found if each["feature"] == "x"] == statuses


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--rolling", "1h", "--window", "6h"), "--rolling: it is shorter than a window of 6h"),
        (("--rolling", "1d", "--rows", "200"), "--rolling: windows of rows have no times: give"),
        (("--rolling", "soon"), "--rolling soon: write a duration such as 90s, 6h or 7d"),
        (("--rolling", "1d", "--previous", "1"), "give either --rolling or --previous"),
        (("--previous", "1", "-c", "none.yaml"), "--rolling, --previous: the configuration has"),
        (
            ("--previous", "1", "--compare", "A", "B"),
            "--rolling and --previous, which it does not use",
        ),
    ],
)
def test_slips(driftline: Driftline, stepped: Path, options: tuple[str, ...], said: str) -> None:
    ran = driftline("backtest", "-i", stepped, *options)
    assert ran.code == 2
    assert said in ran.err


def test_windows_of_rows_have_windows_before_them(driftline: Driftline, stepped: Path) -> None:
    ran = driftline("backtest", "-i", stepped, "--rows", "200", "--previous", "2", "--json")
    assert ran.code == 0
    assert '"resolved"' in ran.out
