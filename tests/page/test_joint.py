"""An alert on features that belong together: its tables, as a browser draws them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from tests.page.answers import Board
from tests.page.site import Site, served
from tests.page.window import VIEWS, tab

from driftline.consumer.views.answers import AlertView
from driftline.consumer.wire.records import Extremes, Pair, Table

pytestmark = pytest.mark.page

NORMALLY: Table = [[0.19, 0.1, 0.04], [0.1, 0.14, 0.1], [0.04, 0.1, 0.19]]
NOW: Table = [[0.12, 0.11, 0.11], [0.1, 0.13, 0.1], [0.15, 0.14, 0.04]]


class JointBoard(Board):
    """A board whose alert is on two pairs, and on extremes."""

    def alert(self, alert_id: str) -> AlertView | None:
        """Return the alert."""
        view = super().alert(alert_id)
        if view is None:
            return None
        cuts = ((31.0, 52.0), (18_000.0, 42_500.0))
        pairs = [Pair(("age", name), cuts, NORMALLY, NOW, 0.31, None) for name in ("income", "x")]
        extremes = Extremes(3, [0.8, 0.15, 0.05, 0.0], [0.85, 0.03, 0.12, 0.0], 0.2, None)
        replaced = {"kind": "joint_drift", "feature": None}
        record = msgspec.structs.replace(view.record, pairs=pairs, extremes=extremes, **replaced)
        row = msgspec.structs.replace(view.row, **replaced)
        return msgspec.structs.replace(view, record=record, row=row, verdict=None)


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """A page of such an alert."""
    with served(JointBoard()) as running:
        yield running


def test_each_pair_is_two_tables_of_shares(browser: Any, site: Site) -> None:
    from axe_playwright_python.sync_playwright import Axe

    size = {"width": 375, "height": 700}
    with tab(browser, site.url, viewport=size) as own:
        page = own.open(VIEWS["alert"])
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
