"""Every view, drawn by a browser: accessible, within its width and its weight, without an error."""

from __future__ import annotations

import http.client
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests.page.answers import MODEL, Board
from tests.page.site import Site, served
from tests.page.window import VIEWS, tab

pytestmark = pytest.mark.page

RAW, ZIPPED = 120_000, 45_000  # bytes


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """A page of two dozen features."""
    with served(Board()) as running:
        yield running


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_view_breaks_a_rule_of_accessibility(browser: Any, site: Site, theme: str) -> None:
    """By axe's rules; nor does the console complain."""
    from axe_playwright_python.sync_playwright import Axe

    axe = Axe()
    with tab(browser, site.url, color_scheme=theme) as own:
        for name, path in VIEWS.items():
            page = own.open(path)
            found = axe.run(page).response["violations"]
            broken = [(each["id"], [node["html"] for node in each["nodes"]]) for each in found]
            assert (name, broken, own.complaints) == (name, [], [])
            ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
            assert (sum(map(int, ground[4:-1].split(","))) < 200) == (theme == "dark")


@pytest.mark.parametrize(
    "size",
    [
        {"viewport": {"width": 375, "height": 700}},
        {"viewport": {"width": 640, "height": 450}, "device_scale_factor": 2},
    ],
    ids=["a phone", "twice as large"],
)
def test_nothing_is_wider_than_the_window(browser: Any, site: Site, size: dict[str, Any]) -> None:
    """Tables scroll by themselves, the page never sideways; 1280 px at 200 % are 640."""
    with tab(browser, site.url, **size) as own:
        for path in VIEWS.values():
            page = own.open(path)
            assert (
                page.evaluate("document.documentElement.scrollWidth") == size["viewport"]["width"]
            )


def test_a_feature_says_how_far_labels_are_behind(browser: Any, site: Site) -> None:
    """By a mark on its axis of time, and by a line that leads to the performance."""
    with tab(browser, site.url) as own:
        page = own.open(VIEWS["feature"])
        assert page.locator(".plot").first.locator("text=labels to here").count() == 1
        page.get_by_role(
            "link", name=re.compile("^labels 812 of 1,127 .*, 1 d 5 h behind$")
        ).click()
        page.wait_for_selector("h2:has-text('Labels')")
        assert "1 d 5 h behind" in page.locator("section", has_text="Labels").last.inner_text()
        assert page.locator("text=labels to here").count() == 0


def test_an_alert_has_the_commands_that_look_at_its_rows(browser: Any, site: Site) -> None:
    """Ready to copy, each with the id."""
    with tab(browser, site.url) as own:
        page = own.open(VIEWS["alert"])
        shown = page.locator(".commands code").all_inner_texts()
        assert shown == [
            "driftline explain 56f29dcfdc4e44e8",
            "driftline export 56f29dcfdc4e44e8 --output drifted.parquet",
        ]
        assert page.locator(".commands button").all_inner_texts() == ["Copy the command"] * 2


def _sent(url: str, path: str, encoding: str) -> bytes:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
    connection.request("GET", path, headers={"Accept-Encoding": encoding})
    body = connection.getresponse().read()
    connection.close()
    return body


def test_the_whole_page_is_light(browser: Any, site: Site) -> None:
    """All files that all views load, as the server sends them; not the data."""
    names = {"/"}
    with tab(browser, site.url) as own:
        for path in VIEWS.values():
            page = own.open(path)
            found = page.evaluate(
                "performance.getEntriesByType('resource').map((each) => each.name)"
            )
            names |= {urlsplit(each).path for each in found if "/api/" not in each}
    sizes = [
        (len(_sent(site.url, name, "identity")), len(_sent(site.url, name, "gzip")))
        for name in names
    ]
    raw, zipped = (sum(each) for each in zip(*sizes, strict=True))
    print(f"the page: {len(sizes)} files, {raw:,} bytes, {zipped:,} as sent")
    assert raw < RAW
    assert zipped < ZIPPED


def test_no_model_says_what_to_do(browser: Any) -> None:
    """Before anything is published."""
    board = Board(quiet=0)
    board.models_known = False
    with served(board) as empty, tab(browser, empty.url) as own:
        assert "No verdict has been published yet" in own.open("/").inner_text("main")
        assert "Not found" in own.open(f"/models/{MODEL}").inner_text("h1")
        assert "There is no such page" in own.open("/nowhere").inner_text("main")


def test_three_thousand_features_are_drawn_a_window_at_a_time(browser: Any) -> None:
    """Rows that nobody sees are not in the document; every one can be reached, and found."""
    with served(Board(3000)) as large, tab(browser, large.url) as own:
        page = own.open(f"/models/{MODEL}")
        took = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
        print(f"3,000 features: first content after {took:.0f} ms, of the whole visit")
        again = page.evaluate(
            """async () => {
              const begin = performance.now();
              const link = document.querySelector('.top a[href="/"]');
              link.click();
              while (!document.querySelector('.models')) await new Promise(requestAnimationFrame);
              const there = performance.now();
              history.back();
              while (!document.querySelector('.features [role=rowheader]'))
                await new Promise(requestAnimationFrame);
              await new Promise(requestAnimationFrame);
              return performance.now() - there;
            }"""
        )
        print(f"3,000 features: drawn from data at hand in {again:.0f} ms")
        rows = page.locator(".features [role=rowheader]")
        assert 5 < rows.count() < 200
        page.evaluate("scrollTo(0, document.body.scrollHeight)")
        last = page.locator(".features .rows [role=row]").last
        page.wait_for_function(
            "() => document.querySelector('.features [aria-rowindex=\"3001\"]') !== null"
        )
        assert last.get_attribute("aria-rowindex") == "3001"
        page.get_by_label("Find a feature").fill("_2718")
        page.wait_for_function(
            "() => document.querySelectorAll('.features .rows [role=row]').length === 1"
        )
        assert rows.inner_text() == "feature_2718"
