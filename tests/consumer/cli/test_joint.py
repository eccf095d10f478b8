"""Features that belong together on the command line: built, configured, backtested."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from tests.consumer.cli.conftest import Driftline
from tests.consumer.judge.joint.world import A_PANE, STEP, events, stream
from tests.detectors.joint.correlated import drawn

from driftline.detectors.reference import Reference

CONFIG = """\
kafka: {bootstrap_servers: "localhost:9092"}
models:
  m:
    predictions: ml.predictions
    reference: ref.json
    window: {length: 2h, every: 1h, pane: 10m, min_events: 100}
"""
BUILD = ("reference", "build", "--model", "m", "-i", "rows.ndjson", "-o", "ref.json")


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    """Rows of four days; the configuration stands beside them, without joint."""
    made = events(drawn(np.random.default_rng(1), 4_000), -4_000 * STEP)
    write(tmp_path / "rows.ndjson", made)
    (tmp_path / "driftline.yaml").write_text(CONFIG)
    return tmp_path


def write(path: Path, made: list[Any]) -> None:
    path.write_bytes(b"".join(msgspec.json.encode(each) + b"\n" for each in made))


def names(folder: Path) -> tuple[str, ...]:
    found = Reference.from_json((folder / "ref.json").read_bytes()).joint
    return () if found is None else found.layout.names


def test_the_option_and_the_configuration_say_which(driftline: Driftline, rows: Path) -> None:
    assert driftline(*BUILD).code == 0
    assert names(rows) == ()
    ran = driftline(*BUILD, "--joint", "3")
    assert "4 features, 3 numbers together in 3 pairs" in ran.out
    assert names(rows) == ("age", "debt", "income")
    more = "    joint: {top: 2}\n    features: {km: {weight: 3}}\n"
    (rows / "driftline.yaml").write_text(CONFIG + more)
    assert driftline(*BUILD, "-c", "driftline.yaml").code == 0
    assert names(rows) == ("age", "km")


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ("    joint: {top: 4}\n", "build it again with driftline reference build --joint 4"),
        ("    joint: {top: 4}\n    budget: off\n", "it alarms by the budget, which is off"),
        ("    joint: {top: 51}\n", "must be 2 to 50"),
        ("    joint: {top: 1}\n", "must be 2 to 50"),
    ],
)
def test_what_cannot_be(driftline: Driftline, rows: Path, more: str, told: str) -> None:
    assert driftline(*BUILD).code == 0
    (rows / "driftline.yaml").write_text(CONFIG + more)
    ran = driftline("backtest", "-c", "driftline.yaml", "-i", "rows.ndjson")
    assert ran.code == 2
    assert told in ran.err


def test_a_backtest_shows_what_changed(driftline: Driftline, rows: Path) -> None:
    assert driftline(*BUILD, "--joint", "4").code == 0
    (rows / "driftline.yaml").write_text(CONFIG + "    joint: {}\n")
    apart = drawn(np.random.default_rng(8), 18 * A_PANE, 0)
    write(rows / "live.ndjson", stream(3, apart))
    asked = ("backtest", "-c", "driftline.yaml", "-i", "live.ndjson")
    ran = driftline(*asked)
    assert (ran.code, "joint_drift" in ran.out) == (0, True)
    assert "normally" in ran.out
    table = driftline(*asked, "--verdicts")
    assert "joint " in table.out.splitlines()[-1]
