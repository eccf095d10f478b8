"""The page as it lives: what changes shows without a reload, and what is cut off says so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.page.answers import ALERT, MODEL, Board
from tests.page.site import TOKEN, Site, served
from tests.page.streams import alive, event, streams
from tests.page.window import tab

pytestmark = pytest.mark.page


@pytest.fixture
def site() -> Iterator[Site]:
    """A page that a test may change."""
    with served(Board()) as running:
        yield running


def test_an_alert_appears_without_a_reload(browser: Any, site: Site) -> None:
    """As soon as it is published."""
    site.board.be(alarmed=False)
    with tab(browser, site.url) as own:
        page = own.open("/")
        page.evaluate("window.before = true")
        assert "No alert is open." in page.inner_text("main")
        site.board.be(alarmed=True)
        site.listeners.publish(MODEL, alerts=True)
        page.wait_for_selector(".alert.critical")
        assert page.inner_text(".alert.critical .sentence") == site.board.rows[0].summary
        assert page.evaluate("window.before")
        assert own.complaints == []


def test_the_chart_moves(browser: Any, site: Site) -> None:
    """With each window: its picture, and what is read aloud of it."""
    with tab(browser, site.url) as own:
        page = own.open(f"/models/{MODEL}/features/amount")
        chart, look = (
            page.locator(".plot svg").first,
            "each => each.querySelector('.line').getAttribute('d')",
        )
        before, picture = chart.get_attribute("aria-label"), chart.evaluate(look)
        site.push(6)
        page.wait_for_function(
            "before => document.querySelector('.plot svg').ariaLabel !== before", arg=before
        )
        assert site.board.axis.ends[-1][:10] in (chart.get_attribute("aria-label") or "")
        page.wait_for_function(
            "before => document.querySelector('.plot .line').getAttribute('d') !== before",
            arg=picture,
        )


def test_from_an_alert_to_what_broke_and_back(browser: Any, site: Site) -> None:
    """The link in a chat: what, since when and how bad stand there; one click opens the feature."""
    with tab(browser, site.url) as own:
        page = own.open(f"/alerts/{ALERT}")
        text = page.inner_text("main")
        row = site.board.rows[0]
        for told in (
            row.summary,
            "2026-03-04 08:00 UTC",
            "0.910",
            "What moved with it",
            "the budget allows",
        ):
            assert told in text
        page.get_by_role("link", name="See amount").click()
        page.wait_for_selector(".plot .line")
        assert page.url.startswith(f"{site.url}/models/{MODEL}/features/amount?window=")
        page.go_back()
        page.wait_for_selector("text=What moved with it")
        assert page.url == f"{site.url}/alerts/{ALERT}"


def test_back_is_where_one_was(browser: Any, site: Site) -> None:
    """The view, its address and its place on the page; names may hold any text."""
    with tab(browser, site.url) as own:
        page = own.open(f"/models/{MODEL}")
        page.get_by_role("table").get_by_role(
            "link", name="merchant/category"
        ).scroll_into_view_if_needed()
        place = page.evaluate("scrollY")
        page.get_by_role("table").get_by_role("link", name="merchant/category").click()
        page.wait_for_selector(".plot .line")
        assert page.url == f"{site.url}/models/{MODEL}/features/merchant%2Fcategory"
        assert page.evaluate("document.activeElement.tagName") == "H1"
        assert page.title() == f"merchant/category, {MODEL} · Driftline"
        page.go_back()
        page.wait_for_selector(".timeline")
        page.wait_for_function("place => scrollY === place", arg=place)
        page.reload()
        page.wait_for_selector(".timeline")


def test_the_keyboard_is_enough(browser: Any, site: Site) -> None:
    """Past the head to the content, through a table, and cell by cell through the picture."""
    with tab(browser, site.url) as own:
        page = own.open("/")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == MODEL
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline == "solid"
        page.keyboard.press("Enter")
        page.wait_for_selector(".timeline .cell")
        page.locator(".timeline .cell").focus()
        for key in ("ArrowDown", "ArrowLeft", "ArrowLeft"):
            page.keyboard.press(key)
        end = site.board.axis.ends[-3]
        page.wait_for_function(
            """() => document.activeElement.ariaLabel
                ?.startsWith('country, window to 2026-03-05 22:00')"""
        )
        page.keyboard.press("Enter")
        page.wait_for_selector(".bins")
        assert page.url.endswith(f"/features/country?window={end.replace(':', '%3A')}")


def test_what_is_cut_off_says_so_and_goes_on(browser: Any, site: Site) -> None:
    """From the broker, and from the server: what was last read stays."""
    with tab(browser, site.url) as own:
        page = own.open("/")
        site.board.be(connected=False)
        site.listeners.publish(None)
        page.wait_for_selector("text=Cut off from the broker: localhost:9092 does not answer")
        site.board.be(connected=True)
        site.listeners.publish(None)
        page.wait_for_selector(".watch:has-text('live')")
        assert page.locator(".banner").count() == 0
        site.server.close()
        page.wait_for_selector("text=The server does not answer")
        assert MODEL in page.inner_text("main")


def test_marks_need_the_token(browser: Any, site: Site) -> None:
    """Who and why stand on the page once they are read back; nothing is kept beyond the session."""
    with tab(browser, site.url) as own:
        page = own.open(f"/alerts/{ALERT}")
        page.get_by_role("button", name="Acknowledge").click()
        page.get_by_label("Who").fill("ada")
        page.get_by_label("Why").fill("a release")
        page.get_by_label("Token").fill("a guess")
        page.locator("form .go").click()
        page.wait_for_selector("text=send the token")
        assert site.board.marks == {}
        page.get_by_label("Token").fill(TOKEN)
        page.locator("form .go").click()
        page.wait_for_selector("text=acknowledged by ada: “a release”")
        assert page.evaluate("[localStorage.length, sessionStorage.who]") == [0, "ada"]


def test_the_present_is_accepted_with_the_token(browser: Any, site: Site) -> None:
    """From an alert, and from the page of a feature."""
    with tab(browser, site.url) as own:
        for path in (f"/alerts/{ALERT}", f"/models/{MODEL}/features/amount"):
            page = own.open(path)
            page.get_by_role("button", name="Accept as normal").click()
            page.get_by_label("Who").fill("ada")
            page.get_by_label("Why").fill("a new market")
            page.get_by_label("Token").fill(TOKEN)
            page.locator("form .go").click()
            page.wait_for_selector("text=Accepted. The next pane is compared")
    assert [(each.model, each.who, each.why) for each in site.board.accepted] == [
        (MODEL, "ada", "a new market"),
    ] * 2
    assert site.board.accepted[1].feature == "amount"


def test_an_open_page_does_not_grow(browser: Any, site: Site) -> None:
    """Nodes and listeners are no more after seven windows than after two."""
    with tab(browser, site.url) as own:
        page = own.open(f"/models/{MODEL}/features/amount")
        probe = page.context.new_cdp_session(page)
        probe.send("Performance.enable")

        def counted() -> dict[str, float]:
            probe.send("HeapProfiler.collectGarbage")
            found = probe.send("Performance.getMetrics")["metrics"]
            return {each["name"]: each["value"] for each in found}

        def follow(windows: int) -> None:
            for _ in range(windows):
                site.push()
                end = site.board.axis.ends[-1].replace("T", " ")[:16]
                page.wait_for_function(
                    "end => document.querySelector('.plot svg').ariaLabel.includes(end)", arg=end
                )

        follow(2)
        early = counted()
        follow(5)
        late = counted()
        print(f"heap {early['JSHeapUsedSize']:,.0f} bytes, then {late['JSHeapUsedSize']:,.0f}")
        assert late["JSEventListeners"] == early["JSEventListeners"]
        assert late["Nodes"] <= early["Nodes"] * 1.02


def test_fifty_streams_do_not_stand_in_the_way(browser: Any, site: Site) -> None:
    """Each is told of a change, and `/livez` answers meanwhile."""
    with tab(browser, site.url) as own, streams(site.url) as others:
        page = own.open("/")
        page.wait_for_selector(".watch:has-text('live')")
        site.push()
        for other in others:
            assert event(other) == b"changed"
            alive(site.url)
