"""The examples of the page for whoever carries on, followed in a copy of the code."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .pages import PAGES, ROOT

PAGE = PAGES["how-it-is-made.md"]
PACKAGES = ("detectors", "producer", "consumer")
FUTURE = "from __future__ import annotations\n"

DETECTOR = """
from tests.contract.completeness import lacking
assert list(lacking("largest_change")) == ["an oracle", "a page"], list(lacking("largest_change"))
"""
METRIC = """
from tests.consumer.service.small import *
from driftline.consumer.config import Config
import numpy as np
from driftline.detectors.outcomes.confusion import class_metrics
from driftline.detectors.outcomes.layout import OutcomeLayout
layout = OutcomeLayout.classification(["no", "yes"], "yes", True)
found = class_metrics(layout, np.array([70, 10, 0, 5, 15, 0]))["misclassification"]
assert found.value == 0.15 and found.low < 0.15 < found.high, found
made = plan({MODEL: labelled_reference()}, performance={"misclassification": {"max": 0.1}},
            labels={"topic": "labels", "horizon": "1h"})
assert made.config.models[MODEL].performance["misclassification"].max == 0.1
"""
FORMAT = """
from pathlib import Path
from driftline.producer.files.rows import read_rows
Path("events.tab").write_text("id\\tplan\\n1\\tfree\\n2\\tpaid\\n")
rows = [row for chunk in read_rows(Path("events.tab")) for row in chunk]
assert rows == [{"id": "1", "plan": "free"}, {"id": "2", "plan": "paid"}], rows
"""
SINK = """
from typer.testing import CliRunner
from driftline.consumer.cli import app
from driftline.consumer.deliver.sinks import sink_of
from driftline.consumer.deliver.target import Access
url = "plain+https://chat.example/s3cret"
opened = sink_of(url).open(url, Access())
assert opened.name == "chat.example", opened.name
said = CliRunner().invoke(app, ["alerts", "notify", "--help"]).output
assert "plain+https://" in said, said
"""
STAGE = """
from tests.consumer.service.rig import Rig
from tests.consumer.service.small import SECOND, START, plan, row
from driftline.consumer.service.verdict_count import VerdictCountState
rig = Rig(plan())
rig.start()
rig.write([row(second * SECOND) for second in range(300)])
rig.settle()
rig.kill()
rig.start()
rig.write([row(second * SECOND) for second in range(300, 600)])
rig.settle()
counted = [rig.states(f"verdict-count/{n}", VerdictCountState)[-1].verdicts for n in range(2)]
assert sum(counted) == len(rig.records("verdicts")) > 100, counted
"""
TRIED = {
    "Add a detector": DETECTOR,
    "Add a metric": METRIC,
    "Add a format of files": FORMAT,
    "Add a sink": SINK,
    "Add a stage": STAGE,
}


def follow(example: str, copy: Path) -> str:
    """Do what a block says: write the file it names, or put its lines into one; return which."""
    head, _, body = example.partition("\n")
    path, _, anchor = head.removeprefix("# ").partition(", after: ")
    file = copy / path
    if not anchor:
        assert not file.exists(), path
        file.write_text(body, encoding="utf-8")
        return path
    imports = "".join(re.findall(r"^from .*\n", body, re.MULTILINE))
    lines = re.sub(r"^from .*\n+", "", body, flags=re.MULTILINE)
    text = file.read_text(encoding="utf-8")
    at = re.search(rf"^ *{re.escape(anchor)}.*\n", text, re.MULTILINE)
    assert at is not None, f"{path} has no line {anchor}"
    text = text[: at.end()] + lines + text[at.end() :]
    file.write_text(text.replace(FUTURE, f"{FUTURE}\n{imports}", 1), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("copy")
    for package in PACKAGES:
        shutil.copytree(
            ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    return folder


def section(title: str) -> list[str]:
    text = PAGE.text.split(f"\n## {title}\n")[1].split("\n## ")[0]
    return re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("title", TRIED)
def test_an_example_works(title: str, copy: Path, tmp_path: Path) -> None:
    touched = [follow(block, copy) for block in section(title)]
    assert len(touched) == 2
    paths = [str(copy / package) for package in PACKAGES]
    # A copy is not the code whose coverage is measured.
    unmeasured = {name: text for name, text in os.environ.items() if "COVERAGE" not in name}
    ran = subprocess.run(
        [sys.executable, "-c", TRIED[title]],
        cwd=tmp_path,
        env=unmeasured | {"PYTHONPATH": os.pathsep.join([*paths, str(ROOT)])},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr


def test_every_example_is_tried() -> None:
    titles = re.findall(r"^## (Add .*)$", PAGE.text, re.MULTILINE)
    assert titles == list(TRIED)


def test_every_file_that_the_page_names_is_there() -> None:
    roots = (ROOT / "consumer/driftline/consumer", ROOT)
    named = set(re.findall(r"`([\w/.-]+(?:\.py|/))`", PAGE.prose))
    assert [name for name in named if not any((root / name).exists() for root in roots)] == []
