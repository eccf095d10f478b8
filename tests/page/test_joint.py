"""An alert on features that belong together: its tables, as a browser draws them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from tests.page.answers import Board
from tests.page.site import Site, served
from tests.page.together import EXTREMES, NOW, PAIRS
from tests.page.window import VIEWS, tab

from driftline.consumer.views.answers import AlertView

pytestmark = pytest.mark.page


class JointBoard(Board):
    """A board whose alert is on two pairs, and on extremes."""

    def alert(self, alert_id: str) -> AlertView | None:
        """Return the alert."""
        view = super().alert(alert_id)
        if view is None:
            return None
        replaced = {"kind": "joint_drift", "feature": None}
        record = msgspec.structs.replace(view.record, pairs=PAIRS, extremes=EXTREMES, **replaced)
        row = msgspec.structs.replace(view.row, **replaced)
        return msgspec.structs.replace(view, record=record, row=row, verdict=None)


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """A page of such an alert."""
    with served(JointBoard()) as running:
        yield running


@pytest.mark.parametrize("view", ["alert", "joint"])
def test_each_pair_is_two_tables_of_shares(browser: Any, site: Site, view: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    size = {"width": 375, "height": 700}
    with tab(browser, site.url, viewport=size) as own:
        page = own.open(VIEWS[view])
        tables = page.get_by_role("table", name="income")
        assert tables.count() == 2
        now = tables.nth(1)
        assert "Now: age (rows) by income (columns)" in now.inner_text()
        cells = now.get_by_role("row").nth(3).locator("data")
        exact = [cells.nth(i).get_attribute("value") for i in range(3)]
        assert [float(value) for value in exact] == NOW[2]
        extremes = page.get_by_role("table", name="features are extreme")
        assert extremes.get_by_role("row").count() == 4  # a head, and no line of what never comes
        assert page.evaluate("document.documentElement.scrollWidth") == size["width"]
        broken = Axe().run(page).response["violations"]
        assert ([each["id"] for each in broken], own.complaints) == ([], [])


def test_the_view_is_reached_from_its_model_and_its_alert(browser: Any, site: Site) -> None:
    with tab(browser, site.url) as own:
        page = own.open(VIEWS["model"])
        page.get_by_role("link", name="together", exact=True).click()
        page.wait_for_selector("text=Features that went together")
        assert page.url == site.url + VIEWS["joint"]
        page = own.open(VIEWS["alert"])
        page.get_by_role("link", name="See how features go together").click()
        page.wait_for_selector("text=Evidence that features no longer go together")
        assert own.complaints == []
