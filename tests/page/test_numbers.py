"""Every number on the page of a feature is the one in its verdict, recomputed here."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.page.answers import MODEL, Board
from tests.page.figures import is_rounded, of_bins, of_detectors, of_window, shown
from tests.page.site import served
from tests.page.window import tab

from driftline.consumer.wire.records import Verdict


def check(page: Any, verdict: Verdict, contributions: list[float | int | None]) -> None:
    """Compare a feature's page with the verdict that it shows."""
    rows = of_bins(verdict, contributions)
    if verdict.bins and "categories" in verdict.bins:
        rows.sort(key=lambda row: -(row[2] or 0))
    counts = verdict.counts or {}
    expected = {
        "Normally and now": [*of_window(verdict), *(each for row in rows for each in row)],
        "Values by kind": [*counts.values()],
        "Detectors": of_detectors(verdict),
    }
    for panel, figures in expected.items():
        found = shown(page, panel)
        assert [value for value, _ in found] == figures
        assert [(each, text) for each, text in found if not is_rounded(each, text)] == []


@pytest.mark.page
@pytest.mark.parametrize("feature", ["amount", "country"])
def test_made_up_figures(browser: Any, feature: str) -> None:
    """Of a number and of a category, in the newest window and in one before."""
    board = Board(8)
    with served(board) as site, tab(browser, site.url) as own:
        for end in (None, board.axis.ends[-20]):
            view = board.feature(MODEL, feature, None, end)
            assert view is not None
            assert view.verdict is not None
            query = f"?window={end}" if end else ""
            page = own.open(f"/models/{MODEL}/features/{feature}{query}")
            page.wait_for_selector(".bins")
            check(page, view.verdict, view.contributions)


@given(st.floats(0.001, 1e6), st.integers(1, 3))
def test_a_text_is_what_it_rounds(value: float, digits: int) -> None:
    """The check of these tests takes what is rounded right, and nothing beside it."""
    assert is_rounded(value, f"{value:,.{digits}f}")
    assert not is_rounded(value + 2 * 10.0**-digits, f"{value:,.{digits}f}")
