"""`driftline backtest --ui`: the page of a file shows what the verb prints, to the figure."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.page.figures import shown
from tests.page.process import DRIFTLINE, serving
from tests.page.test_numbers import check
from tests.page.window import tab

from driftline.consumer.wire.records import Verdict

pytestmark = pytest.mark.page

DATA = Path(__file__).parents[1] / "data"
FILE = [
    "backtest",
    "--input", str(DATA / "car_loan_analysis.csv.gz"),
    "--labels", str(DATA / "car_loan_analysis_target.csv.gz"),
]  # fmt: skip
MODEL = "car_loan_analysis"


@pytest.fixture(scope="module")
def verdicts() -> list[Verdict]:
    """All that the verb prints of the file."""
    command = [DRIFTLINE, *FILE, "--json", "--verdicts"]
    lines = subprocess.run(command, capture_output=True, check=True).stdout.splitlines()
    documents = [json.loads(line) for line in lines]
    return [
        msgspec.convert(each, Verdict)
        for each in documents
        if each.get("schema") == "driftline.verdict.v1"
    ]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """Where the page of the file is."""
    with serving(*FILE, "--ui", "--port", "0") as address:
        yield address


@pytest.mark.parametrize("feature", ["car_value", "salary_range", "repaid_loan_on_prev_car"])
def test_a_feature(browser: Any, url: str, verdicts: list[Verdict], feature: str) -> None:
    """Each number of its newest window, and of its first: a number, a category, a boolean."""
    own_verdicts = [each for each in verdicts if each.feature == feature and each.bins]
    with tab(browser, url) as own:
        for verdict in (own_verdicts[-1], own_verdicts[0]):
            page = own.open(f"/models/{MODEL}/features/{feature}?window={verdict.window.end}")
            page.wait_for_selector(".bins")
            shares = [value for value, _ in shown(page, "Normally and now")][2:]
            parts = shares[-3 * len((verdict.bins or {})["window"]) :][2::3]
            assert sum(part or 0 for part in parts) == pytest.approx(1, abs=1e-4)
            if "categories" in (verdict.bins or {}):
                parts = _in_order(page, verdict, parts)
            check(page, verdict, parts)
        assert own.complaints == []


def _in_order(page: Any, verdict: Verdict, parts: list[Any]) -> list[Any]:
    """Return the parts in the order of the verdict's categories, not in that of the page."""
    names = page.locator(".bins tbody th").all_inner_texts()
    known = dict(zip(names, parts, strict=True))
    return [known[name] for name in (verdict.bins or {})["categories"]]


def test_the_features_of_the_model(browser: Any, url: str, verdicts: list[Verdict]) -> None:
    """Effect and share of missing values of each, worst first."""
    newest = {
        each.feature: each for each in verdicts if each.feature and each.type != "performance"
    }
    with tab(browser, url) as own:
        page = own.open(f"/models/{MODEL}")
        page.wait_for_selector(".features [role=rowheader]")
        rows = page.evaluate(
            """() => [...document.querySelectorAll('.features .rows [role=row]')].map((row) => [
              row.querySelector('[role=rowheader] a').textContent,
              ...[...row.querySelectorAll('data')].map((each) => +each.value)])"""
        )
    found = {name: (effect, missing) for name, effect, missing in rows}
    assert found == {
        name: (each.effect, ((each.counts or {})["missing"] + (each.counts or {})["absent"])
               / each.window.events)
        for name, each in newest.items()
    }  # fmt: skip


def test_the_metrics(browser: Any, url: str, verdicts: list[Verdict]) -> None:
    """Value and interval of each metric in each window, as the table under its picture has it."""
    accuracy = [each for each in verdicts if each.feature == "performance.accuracy"]
    judged = {each.window.end: each.detectors["accuracy"] for each in accuracy if each.detectors}
    with tab(browser, url) as own:
        page = own.open(f"/models/{MODEL}/performance")
        panel = page.locator(".panel", has=page.locator("h2", has_text="accuracy")).first
        panel.locator("summary").click()
        panel.locator("table tbody tr").first.wait_for()
        rows = panel.locator("table tbody tr").all_inner_texts()
        names = panel.locator("table thead th").all_inner_texts()
    assert names[:4] == ["window to", "measured", "95 % from", "to"]
    table = {cells[0]: cells[1:4] for cells in (row.split("\t") for row in rows)}
    for end, figure in judged.items():
        low, high = figure.interval or (None, None)
        moment = f"{(end or '')[:10]} {(end or '')[11:16]} UTC"
        assert [f"{value:.3f}" for value in (figure.value, low, high)] == table[moment]
    assert len(judged) > 20
