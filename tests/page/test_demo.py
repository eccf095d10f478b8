"""`driftline demo --ui`, as somebody sees it who has just started it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.page.process import serving
from tests.page.streams import alive, event, streams
from tests.page.window import Tab, tab

pytestmark = pytest.mark.page

TOKEN = "0123456789abcdef"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the page of a demo is."""
    token = tmp_path_factory.mktemp("demo") / "token"
    Path(token).write_text(TOKEN, encoding="ascii")
    with serving("demo", "--ui", "--port", "0", "--token-file", str(token)) as url:
        yield url


@pytest.fixture
def own(browser: Any, demo: str) -> Iterator[Tab]:
    """A tab of its own, whose console must not have complained."""
    with tab(browser, demo) as opened:
        yield opened
        assert opened.complaints == []


def test_what_drifts_appears_by_itself_and_leads_to_its_feature(own: Tab) -> None:
    """Without a reload; from the sentence to what broke, since when, how bad, in two clicks."""
    page = own.open("/")
    page.evaluate("window.before = true")
    page.locator(".alert.critical .sentence").first.click()  # whichever is open by now
    page.wait_for_selector("text=first fired")
    facts = dict(each.split("\n", 1) for each in page.locator(".facts > div").all_inner_texts())
    assert re.fullmatch(r"2026-01-\d\d \d\d:\d\d UTC", facts["since"])
    assert {"lasting", "effect", "rule", "events"} <= facts.keys()
    assert "the budget allows 1 false alarm" in page.inner_text("main")
    sentence = page.inner_text("h1")
    feature = page.get_by_role("link", name=re.compile("^See "))
    assert feature.inner_text().removeprefix("See ") in sentence
    feature.click()
    chart = page.locator(".plot svg").first
    chart.wait_for()
    assert page.evaluate("window.before")
    before = chart.get_attribute("aria-label")
    page.wait_for_function(
        "before => document.querySelector('.plot svg').ariaLabel !== before", arg=before
    )
    page.go_back()
    page.wait_for_selector("text=first fired")
    page.go_back()
    page.wait_for_selector(".models")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_its_views_break_no_rule_of_accessibility(browser: Any, demo: str, theme: str) -> None:
    """Nor is one wider than a phone."""
    from axe_playwright_python.sync_playwright import Axe

    with tab(browser, demo, color_scheme=theme) as own:
        page = own.open("/")
        page.wait_for_selector(".alert .sentence")
        alert = page.locator(".alert .sentence").first.get_attribute("href")
        model = "/models/payments"
        paths = ["/", model, f"{model}/features/amount", f"{model}/performance", "/alerts"]
        for path in [*paths, alert, "/pipeline"]:
            page.set_viewport_size({"width": 1280, "height": 900})
            own.open(path)
            found = Axe().run(page).response["violations"]
            assert (path, [each["id"] for each in found], own.complaints) == (path, [], [])
            page.set_viewport_size({"width": 375, "height": 700})
            assert page.evaluate("document.documentElement.scrollWidth") == 375


def test_an_alert_is_acknowledged(own: Tab) -> None:
    """With the token of the file; who and why come back from the demo's own log."""
    page = own.open("/")
    page.wait_for_selector(".alert .sentence")
    page.locator(".alert .sentence").first.click()
    page.get_by_role("button", name="Acknowledge").click()
    page.get_by_label("Who").fill("ada")
    page.get_by_label("Why").fill("a release")
    page.get_by_label("Token").fill(TOKEN)
    page.locator("form .go").click()
    page.wait_for_selector("text=acknowledged by ada: “a release”")


def test_open_pages_do_not_stand_in_its_way(own: Tab, demo: str) -> None:
    """Of fifty streams each hears of a change, while `/livez` answers."""
    with streams(demo) as others:
        own.open("/").wait_for_selector(".watch:has-text('live')")
        for other in others:
            assert event(other)
            alive(demo)
