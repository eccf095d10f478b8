"""The site of docs/, as `make docs` builds it, in a browser."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from tests.docs.pages import PAGES

pytestmark = pytest.mark.page

BUILT = Path(__file__).parents[2] / "build" / "site"
WIDTHS = (1360, 375)


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Print nothing."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    assert (BUILT / "index.html").exists(), "run  make build/site/index.html"
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(BUILT)))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("width", WIDTHS)
def test_every_page_fits_and_loads_nothing_from_elsewhere(
    browser: Any, address: str, width: int
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900})
    tab, asked, errors = context.new_page(), [], []
    tab.on("request", lambda request: asked.append(request.url))
    tab.on("pageerror", lambda error: errors.append(str(error)))
    tab.on("console", lambda line: errors.append(line.text) if line.type == "error" else None)
    wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    broken = "[...document.images].filter(image => !image.naturalWidth).map(image => image.src)"
    for name in PAGES:
        tab.goto(f"{address}/{name.removesuffix('.md')}.html", wait_until="load")
        assert not tab.evaluate(wide), name
        assert tab.evaluate(broken) == [], name
    context.close()
    assert errors == []
    assert [url for url in asked if not url.startswith((address, "data:", "blob:"))] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_first_page_is_accessible(browser: Any, address: str, scheme: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    context = browser.new_context(color_scheme=scheme)
    tab = context.new_page()
    tab.goto(f"{address}/index.html")
    found = Axe().run(tab)
    context.close()
    assert found.violations_count == 0, found.generate_report()


def test_what_another_page_says_is_found(browser: Any, address: str) -> None:
    context = browser.new_context()
    tab = context.new_page()
    tab.goto(f"{address}/index.html")
    tab.locator(".md-search__button").click()
    tab.get_by_role("combobox", name="Search").fill("dead letter batch")
    tab.get_by_text("that cannot be unpacked").first.wait_for()
    context.close()
