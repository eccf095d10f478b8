"""The page of a backtest, once it is done."""

from __future__ import annotations

from driftline.consumer.cli import alert_actions
from driftline.consumer.cli.terminal import say
from driftline.consumer.offline.published import Published, missed_by
from driftline.consumer.offline.setup import Setup
from driftline.consumer.ui.access import Access
from driftline.consumer.ui.page import Site, finished


def serve(setup: Setup, published: Published, title: str, port: int) -> None:
    """Serve what a backtest found until SIGTERM or Ctrl-C.

    Raises:
        HttpError: the port cannot be used.
    """
    site = Site("127.0.0.1", port, Access(), title)
    missed = missed_by(setup.backtest, setup.model)
    with (
        alert_actions.until_stopped() as stop,
        finished(site, published.views, missed) as server,
    ):
        say(f"the page is at {server.url}")
        stop.wait()
