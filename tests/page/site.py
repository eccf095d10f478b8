"""The page over a made-up `Board`, served as `driftline ui` serves it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.page.answers import Board

from driftline.consumer.ui.access import Access
from driftline.consumer.ui.app import application
from driftline.consumer.ui.listeners import Listeners
from driftline.consumer.ui.server import PageServer

TOKEN = "s3cret"


class Site:
    """A page that is served: where, what it shows, and who listens."""

    def __init__(self, board: Board, server: PageServer, listeners: Listeners) -> None:
        self.board, self.server, self.listeners = board, server, listeners
        self.url = f"http://127.0.0.1:{server.port}"

    def push(self, windows: int = 1) -> None:
        """Let hours pass, and tell the open pages."""
        for _ in range(windows):
            self.board.push()
        self.listeners.publish(None, alerts=True)


@contextmanager
def served(board: Board) -> Iterator[Site]:
    """Serve a board on a free port until the block ends."""
    listeners = Listeners()
    server = PageServer(application(board, listeners, Access(TOKEN)), listeners, "127.0.0.1", 0)
    try:
        yield Site(board, server, listeners)
    finally:
        server.close()
