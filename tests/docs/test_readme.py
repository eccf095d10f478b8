"""What the README shows is what happens."""

from __future__ import annotations

import gzip
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import yaml

from driftline.consumer.config import load
from driftline.consumer.sketch.decode import Decoder, ModelSchema
from driftline.detectors import Feature, Layout
from driftline.producer import Mapping

from .readme import ROOT, TEXT, blocks, driftline_commands

DATA = ROOT / "tests" / "data"
DRIFTLINE = [sys.executable, "-c", "from driftline.consumer.cli import main; main()"]
# These need a broker: tests/kafka/test_readme.py runs them.
WITH_A_BROKER = [
    ["topics", "create"],
    ["check"],
    ["run"],
    ["alerts", "tail"],
    ["alerts", "exec", "--", "./retrain.sh"],
    ["alerts", "webhook", "http://localhost:9093/api/v2/alerts"],
]


def run(arguments: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*DRIFTLINE, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "COLUMNS": "150"},
    )


def test_the_demo_prints_what_the_readme_shows() -> None:
    found = run(["demo"], ROOT)
    assert found.returncode == 0, found.stderr
    for beginning in ("payments, 1,500", "what was done"):
        shown = next(block for block in blocks("") if block.startswith(beginning))
        printed = found.stderr.splitlines(keepends=True)[0] + found.stdout
        assert shown in printed


def test_the_backtest_prints_what_the_readme_shows() -> None:
    shown = next(block for block in blocks("") if block.startswith("car_loan_analysis"))
    found = run(["backtest", "--input", "tests/data/car_loan_analysis.csv.gz"], ROOT)
    assert found.returncode == 0, found.stderr
    assert found.stdout == shown


def test_the_code_of_the_readme_is_that_of_the_example() -> None:
    (code,) = blocks("python")
    example = (ROOT / "examples" / "fastapi_app.py").read_text(encoding="utf-8")
    assert all(line in example for line in code.splitlines())


def test_the_event_of_the_readme_is_one() -> None:
    (event,) = [block for block in blocks("json") if "event_id" in block]
    features = json.loads(event)["features"]
    layout = Layout.of(
        [
            Feature("car_value", "numeric", np.array([1.0, 2.0])),
            Feature("salary_range", "categorical", np.empty(0), ("40K - 60K €",)),
        ]
    )
    decoder = Decoder(
        Mapping.native(), [ModelSchema("car-loan", layout, {"channel": ("web",)})], 1, 10_000
    )
    rows = decoder.decode([event.encode()], [2**42]).models["car-loan"]
    assert rows.columns.numeric.tolist() == [[features["car_value"]]]
    assert rows.columns.codes.tolist() == [[0]]
    assert rows.segments["channel"].tolist() == [0]


def test_the_configuration_of_the_readme_is_valid(tmp_path: Path) -> None:
    (text,) = blocks("yaml")
    (tmp_path / "driftline.yaml").write_text(text, encoding="utf-8")
    loaded = load(tmp_path / "driftline.yaml", environ={}, offline=True)
    assert list(loaded.config.models) == list(yaml.safe_load(text)["models"])


def test_every_command_without_a_broker(tmp_path: Path) -> None:
    with gzip.open(DATA / "car_loan_reference.csv.gz") as packed:
        (tmp_path / "last-quarter.csv").write_bytes(packed.read())
    (tmp_path / "references").mkdir()
    commands = [c for c in driftline_commands() if c not in WITH_A_BROKER]
    assert commands  # each is run
    for command in commands:
        found = run(command, tmp_path)
        assert found.returncode == 0, (command, found.stderr)


def test_every_command_with_a_broker_is_named() -> None:
    assert [c for c in driftline_commands() if c in WITH_A_BROKER] == WITH_A_BROKER


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", TEXT):
        assert (ROOT / target).exists(), target


def test_make_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"^\s*make (\w+)", TEXT, re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
