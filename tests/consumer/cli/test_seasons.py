"""Seasons from the first file on: what is guessed, written, checked and judged."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.consumer.cli.conftest import Driftline

from driftline.consumer.config import load
from driftline.consumer.service.references import load_reference

DAYS, PER_HOUR = 10, 110
EXPLAINED = (
    "the hour of the day explains most of the change of heat: 24 hours are compared each with its"
    " own normal, by the clocks of Europe/Berlin"
)


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rows of which `heat` follows the hour of the day, without any other change."""
    rng = np.random.default_rng(2)
    hours = np.arange(DAYS * 24 * PER_HOUR) / PER_HOUR
    times = (np.datetime64("2026-03-02") + (hours * 3_600).astype("timedelta64[s]")).astype(str)
    heat = rng.normal(size=hours.size) + np.sin(hours / 24 * 2 * np.pi)
    noise = rng.normal(size=hours.size)
    lines = ["timestamp,heat,noise"]
    lines += [f"{t},{a:.3f},{b:.3f}" for t, a, b in zip(times, heat, noise, strict=True)]
    file = tmp_path_factory.mktemp("seasons") / "rows.csv"
    file.write_text("\n".join(lines))
    return file


def test_seasons_are_found_written_and_checked(
    driftline: Driftline, tmp_path: Path, rows: Path
) -> None:
    ran = driftline("init", "--from", str(rows), "--timezone", "Europe/Berlin")
    assert ran.code == 0, ran.err
    assert f"note  {EXPLAINED}\n" in ran.err
    file = tmp_path / "driftline.yaml"
    assert "    seasons: {timezone: Europe/Berlin}" in file.read_text()
    config = load("driftline.yaml", environ={}, offline=True).config
    assert config.models["rows"].zone == "Europe/Berlin"
    assert config.models["rows"].window.length < 86_400_000
    reference = load_reference(tmp_path / "references" / "rows.json.gz")
    assert reference.seasons is not None
    assert reference.seasons.timezone == "Europe/Berlin"
    ran = driftline("check", "--offline")
    assert ran.code == 0
    assert f"ok       rows              {EXPLAINED}\n" in ran.out

    file.write_text(file.read_text().replace("seasons: {timezone: Europe/Berlin}", "seasons: off"))
    ran = driftline("check", "--offline")
    assert ran.code == 0
    assert "warning  rows              seasons is off, but the reference has the hours" in ran.out
    wanted = ("--model", "rows", "-c", "driftline.yaml", "-o", "again.json")
    ran = driftline("reference", "build", "-i", str(rows), *wanted)
    assert ran.code == 0
    assert "explains" not in ran.err
    assert load_reference(tmp_path / "again.json").seasons is None


def test_a_cycle_alone_alarms_in_no_backtest_and_asks_for_no_whole_days(
    driftline: Driftline, rows: Path
) -> None:
    ran = driftline("backtest", "--input", str(rows), "--timezone", "Europe/Berlin")
    assert ran.code == 0
    assert f"assumed  {EXPLAINED}\n" in ran.err
    assert "assumed  windows of 12h, about 1,300 events each" in ran.err
    assert "no alert" in ran.out
