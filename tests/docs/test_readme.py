"""What the README shows is what happens."""

from __future__ import annotations

import json
import re
from contextlib import chdir
from pathlib import Path

import numpy as np
import pytest

from driftline.consumer.sketch.decode import Decoder, ModelSchema
from driftline.detectors import Feature, Layout
from driftline.producer import Mapping

from .own_data import last_quarter
from .pages import EXAMPLE, PAGES, README, ROOT
from .shell import Shell

ANALYSIS = "tests/data/car_loan_analysis.csv.gz"


def test_the_demo_prints_what_the_readme_shows() -> None:
    found = Shell(ROOT).inside(["demo"])
    assert found.returncode == 0, found.stderr
    for beginning in ("payments, 1,500", "what was done"):
        shown = next(block for block in README.blocks("") if block.startswith(beginning))
        printed = found.stderr.splitlines(keepends=True)[0] + found.stdout
        assert shown in printed


def test_the_backtest_prints_what_the_readme_shows() -> None:
    shown = next(block for block in README.blocks("") if block.startswith("car_loan_analysis"))
    found = Shell(ROOT).inside(["backtest", "--input", ANALYSIS])
    assert found.returncode == 0, found.stderr
    assert found.stdout == shown


def test_a_frame_is_backtested(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The first page of the site has the same code."""
    last_quarter(Shell(tmp_path))
    code, _ = README.blocks("python")
    assert PAGES["index.md"].blocks("python") == [code]
    with chdir(tmp_path):
        exec(compile(code, "README.md", "exec"), {})
    printed = capsys.readouterr().out
    assert " features drifted: " in printed.splitlines()[0]
    assert "assumed  reference: the first 3,000 of 6,000 rows\n" in printed


def test_the_code_of_the_readme_is_that_of_the_example() -> None:
    _, code = README.blocks("python")
    assert all(line in EXAMPLE for line in code.splitlines())


def test_the_event_of_the_readme_is_one() -> None:
    (event,) = [block for block in README.blocks("json") if "event_id" in block]
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


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README.text):
        assert (ROOT / target).exists(), target


def test_make_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"^\s*make (\w+)", README.text, re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
