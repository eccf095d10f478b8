"""A tab of the browser, which opens views and notes what its console complains of."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

VIEWS = {
    "home": "/",
    "model": "/models/fraud-scorer",
    "feature": "/models/fraud-scorer/features/amount",
    "performance": "/models/fraud-scorer/performance",
    "joint": "/models/fraud-scorer/joint",
    "alerts": "/alerts",
    "alert": "/alerts/56f29dcfdc4e44e8",
    "pipeline": "/pipeline",
}
"""Each view of a `Board`."""


class Tab:
    """One tab.

    Attributes:
        page: Playwright's.
        complaints: errors and warnings of the console, and exceptions.
    """

    def __init__(self, page: Any, url: str) -> None:
        self.page, self._url = page, url
        self.complaints: list[str] = []
        page.set_default_timeout(60_000)
        page.on("console", self._listen)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _listen(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def open(self, path: str) -> Any:
        """Go to an address and wait until its view is drawn."""
        self.page.goto(self._url + path)
        self.drawn()
        return self.page

    def drawn(self) -> None:
        """Wait until the view that was asked for is drawn."""
        self.page.wait_for_selector("h1")


@contextmanager
def tab(browser: Any, url: str, **options: Any) -> Iterator[Tab]:
    """Open a tab of its own; options are those of Playwright's `new_context`."""
    context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
    try:
        yield Tab(context.new_page(), url)
    finally:
        context.close()
