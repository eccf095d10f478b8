"""The pictures of the page in README and docs: `make screenshots` takes them of real runs."""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import Any

import pytest
from tests.page.process import serving
from tests.page.window import tab

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / "docs" / "screenshots"
NAMES = ("home", "model", "alert", "feature", "performance")
WIDTH, HEIGHT = 1280, 800
HEIGHTS = {"home": 320, "performance": 520}
LARGEST = 150_000  # bytes
CAR_LOAN = [
    "--input", "tests/data/car_loan_analysis.csv.gz",
    "--labels", "tests/data/car_loan_analysis_target.csv.gz",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_is_there_and_small(name: str) -> None:
    """A PNG of the size that it is taken in, which the docs show."""
    content = (PICTURES / f"{name}.png").read_bytes()
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", content[16:24]) == (WIDTH, HEIGHTS.get(name, HEIGHT))
    assert len(content) < LARGEST
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    assert any(f"screenshots/{name}.png" in page.read_text("utf-8") for page in pages)


@pytest.mark.page
@pytest.mark.skipif("DRIFTLINE_SCREENSHOTS" not in os.environ, reason="run  make screenshots")
def test_screenshots_are_taken(browser: Any) -> None:
    """Of the demo when all three troubles are on, and of a backtest with labels."""
    PICTURES.mkdir(exist_ok=True)

    def take(own: Any, name: str, path: str) -> None:
        own.page.set_viewport_size({"width": WIDTH, "height": HEIGHTS.get(name, HEIGHT)})
        page = own.open(path)
        page.wait_for_selector(".data")
        page.screenshot(path=PICTURES / f"{name}.png")
        assert own.complaints == []

    with serving("demo", "--ui", "--port", "0") as url:
        with tab(browser, url) as own:
            page = own.open("/")
            page.wait_for_selector(".alert .sentence:has-text('country is missing')")
            alert = page.locator(".sentence", has_text="amount rose").get_attribute("href")
            take(own, "home", "/")
            take(own, "model", "/models/payments")
            take(own, "feature", "/models/payments/features/amount")
        with tab(browser, url, color_scheme="dark") as own:
            take(own, "alert", alert)
    with (
        serving("backtest", *CAR_LOAN, "--ui", "--port", "0") as url,
        tab(browser, url) as own,
    ):
        page = own.open("/")
        page.wait_for_selector(".model h2 a")
        model = page.locator(".model h2 a").first.get_attribute("href")
        take(own, "performance", f"{model}/performance")
