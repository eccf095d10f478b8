"""What the command line says of the length of panes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml
from tests.consumer.cli.conftest import CAR_LOAN, Driftline

from driftline.producer.records.mapping import Mapping
from driftline.producer.records.table import Numbers, Table, Times
from driftline.producer.reference.build import ReferenceSettings, reference_from_tables

HOUR = 3_600_000
START = 1_600_041_600_000
CONFIG = """\
kafka: {bootstrap_servers: "localhost:9092"}
models:
  m: {predictions: in, reference: ref.json}
"""


@pytest.fixture
def busy(tmp_path: Path) -> None:
    """The reference of a model with 1,500 events an hour."""
    rng = np.random.default_rng(1)
    times = START + np.sort(rng.integers(0, 5 * HOUR, 7_500))
    table = Table(len(times), {"at": Times(times), "x": Numbers(rng.normal(size=7_500))})
    mapping = Mapping({"timestamp": "at", "features": "*"})
    built = reference_from_tables(lambda: iter([table]), mapping, ReferenceSettings("m"))
    (tmp_path / "ref.json").write_bytes(built.reference.to_json())
    (tmp_path / "driftline.yaml").write_text(CONFIG)


@pytest.mark.usefixtures("busy")
def test_what_was_chosen_is_shown_and_what_it_costs(driftline: Driftline, tmp_path: Path) -> None:
    shown = driftline("config", "show").out
    assert yaml.safe_load(shown)["models"]["m"]["window"]["pane"] == "5m"
    ran = driftline("check", "--offline")
    assert ran.code == 0
    assert "panes of 5m: 12 pane messages an hour and partition" in ran.out
    (tmp_path / "driftline.yaml").write_text(
        CONFIG.replace("ref.json", "ref.json, window: {pane: 1h}")
    )
    assert "panes of" not in driftline("check", "--offline").out
    (tmp_path / "driftline.yaml").write_text(shown)
    assert driftline("config", "show").out == shown


def test_nothing_is_shown_of_a_model_without_its_reference(
    driftline: Driftline, tmp_path: Path
) -> None:
    (tmp_path / "driftline.yaml").write_text(CAR_LOAN)
    shown = yaml.safe_load(driftline("config", "show").out)
    assert "pane" not in shown["models"]["car-loan"]["window"]
