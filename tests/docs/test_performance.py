"""What docs/performance.md and the README show of performance is what happens."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from driftline.consumer.config import METRICS
from driftline.consumer.http.label_series import OUTCOMES
from driftline.consumer.wire.kinds import Reason

from .commands import of_page, run
from .labelled import labelled
from .pages import PAGES, README
from .shell import Shell

PAGE = PAGES["performance.md"]


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the page's commands print, the last of them the backtest."""
    shell = Shell(Path(tmp_path_factory.mktemp("labelled")))
    labelled(shell)
    return [run(command, shell) for command in of_page("performance.md", broker=False)][-1]


def test_the_backtest_prints_what_the_page_shows(printed: str) -> None:
    assert PAGE.blocks("text")[-1] == printed


def test_the_readme_shows_a_part_of_it(printed: str) -> None:
    (shown,) = (block for block in README.blocks("") if "performance.accuracy" in block)
    lines = shown.splitlines()
    assert len(lines) > 2
    assert [line for line in printed.splitlines() if line in lines] == lines


def test_every_outcome_and_every_metric_is_explained() -> None:
    assert {*OUTCOMES} - {*re.findall(r'outcome="(\w+)"', PAGE.text)} == set()
    rows = [line for line in PAGE.text.splitlines() if line.startswith("| `")]
    assert set(METRICS) <= set(re.findall(r"`(\w+)`", " ".join(rows)))


def test_reasons_of_dead_letters_are_those_there_are() -> None:
    named = set(re.findall(r"dead letter, `(\w+)`", PAGE.text))
    assert named == set(get_args(Reason)) - {"malformed", "too_large"}
