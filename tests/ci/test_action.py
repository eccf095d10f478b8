"""The GitHub action is one by GitHub's schema, and its steps do what it says."""

from __future__ import annotations

import gzip
import os
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml
from tests.docs.pages import PAGES

from .steps import ACTION, EXPRESSION, FOLDER, ROOT, run, step

BIN = Path(sys.executable).parent
PAGE = PAGES["how-to/in-ci.md"]


def valid(schema: str, file: Path) -> str:
    """Return what a schema says against a file, empty if nothing."""
    ran = subprocess.run(
        [BIN / "check-jsonschema", "--builtin-schema", schema, file],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    return ran.stdout if ran.returncode else ""


@pytest.mark.parametrize("changed", [False, True])
def test_the_action_is_valid(changed: bool, tmp_path: Path) -> None:
    text = (FOLDER / "action.yml").read_text("utf-8")
    (tmp_path / "action.yml").write_text(
        text.replace("using: composite", "using: compost") if changed else text, "utf-8"
    )
    assert bool(valid("vendor.github-actions", tmp_path / "action.yml")) == changed


@pytest.mark.parametrize(("block", "schema"), [(0, "github-workflows"), (1, "gitlab-ci")])
def test_the_pipelines_of_the_page_are_valid(block: int, schema: str, tmp_path: Path) -> None:
    text = PAGE.blocks("yaml")[block]
    (tmp_path / "ci.yml").write_text(text, "utf-8")
    assert valid(f"vendor.{schema}", tmp_path / "ci.yml") == ""
    if not block:
        (step,) = (
            each
            for each in yaml.safe_load(text)["jobs"]["backtest"]["steps"]
            if "driftline" in each["uses"]
        )
        assert step["with"].keys() <= ACTION["inputs"].keys()


def test_the_page_names_every_input() -> None:
    for name in ACTION["inputs"]:
        assert re.search(f"`{name}[`:]", PAGE.text), name


def test_no_script_holds_what_a_workflow_gives() -> None:
    """A name of a file with a quote in it would be a command."""
    for each in ACTION["runs"]["steps"]:
        assert not EXPRESSION.search(each["run"])
        given = EXPRESSION.findall("".join(each["env"].values()))
        assert set(given) <= {f"inputs.{name}" for name in ACTION["inputs"]}
    outputs = {each["value"] for each in ACTION["outputs"].values()}
    assert "${{ steps.backtest.outputs.exit-code }}" in outputs


@pytest.fixture(scope="module")
def rows() -> list[str]:
    with gzip.open(ROOT / "tests" / "data" / "car_loan_reference.csv.gz", "rt") as packed:
        return [next(packed) for _ in range(2_001)]


def drifted(rows: list[str]) -> str:
    """The rows, in whose later half the first column is three times as large."""
    head, *events = rows
    place = head.strip().split(",").index("car_value")
    for i in range(len(events) // 2, len(events)):
        cells = events[i].split(",")
        cells[place] = str(3 * float(cells[place]))
        events[i] = ",".join(cells)
    return head + "".join(events)


@pytest.mark.parametrize(
    ("given", "code", "outputs"),
    [
        ({}, 1, {"drift": "true", "exit-code": "1"}),
        ({"fail-on-drift": "false"}, 0, {"drift": "true", "exit-code": "1"}),
        ({"arguments": "--rows=100\n\n--min-events=500\n--budget=1 per 90 windows\n"}, 2, {}),
        ({"model": "none", "config": "none.yaml"}, 2, {}),
    ],
    ids=["drift", "allowed", "too little", "a mistake"],
)
def test_a_backtest_step(
    given: dict[str, str], code: int, outputs: dict[str, str], rows: list[str], tmp_path: Path
) -> None:
    quiet = "arguments" in given
    (tmp_path / "it's $(a) file.csv").write_text("".join(rows) if quiet else drifted(rows), "utf-8")
    path = f"{BIN}:{os.environ['PATH']}"
    ended = run("Backtest", tmp_path, {"input": "it's $(a) file.csv", **given}, path)
    assert ended.code == code, ended.printed
    assert ended.outputs == (outputs or {"drift": "false", "exit-code": "2"})
    if "config" in given:
        assert "none.yaml" in ended.printed
        return
    failed = ElementTree.parse(tmp_path / "driftline.xml").findall("*/testcase[failure]")
    assert [case.get("name") for case in failed] == ([] if quiet else ["car_value"])
    assert ("| car\\_value |" in ended.summary) != quiet
    assert ("No result" in ended.summary) == quiet
    assert (tmp_path / "driftline.html").exists()


def test_the_installation_step(tmp_path: Path) -> None:
    """With a Python that says what it is asked for: what is installed for real is `make wheel`."""
    python = tmp_path / "python"
    python.write_text(
        '#!/bin/sh\n[ "$2" = venv ] && mkdir -p "$3/bin" && cp "$0" "$3/bin/python"\necho "$@"\n'
    )
    python.chmod(0o755)
    ended = run("Install Driftline", tmp_path, {"python": str(python)}, os.environ["PATH"])
    assert ended.code == 0, ended.printed
    assert ended.path == f"{tmp_path}/temp/driftline/bin\n"
    venv, pins, sources = ended.printed.splitlines()
    assert venv == f"-m venv {tmp_path}/temp/driftline"
    words = pins.split()
    assert "--require-hashes" in words
    files = [Path(word) for flag, word in pairwise(words) if flag == "-r"]
    assert [file.name for file in files] == [
        f"requirements{part}.txt" for part in ("", "-files", "-build")
    ]
    assert all(file.is_file() for file in files)
    assert (Path(sources.split()[-1]) / "pyproject.toml").is_file()
    assert step("Install Driftline")["if"] == "inputs.install == 'true'"
