"""Where the demo is shown: on a terminal a table that changes, elsewhere lines."""

from __future__ import annotations

from typing import Protocol, Self

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.text import Text

from driftline.consumer.cli.demo_board import Board, render
from driftline.consumer.cli.terminal import out, painted

_WIDTH = 100


class Screen(Protocol):
    """Where the demo is shown."""

    def line(self, text: str) -> None:
        """Show a line that stays."""

    def show(self, board: Board, done: float | None) -> None:
        """Show the present; `done` is the share of the stream, None for one without end."""


class PlainScreen:
    """Prints the lines that stay; nobody watches the present."""

    def line(self, text: str) -> None:
        """Print a line."""
        out(text)

    def show(self, board: Board, done: float | None) -> None:
        """Leave the present alone."""


class LiveScreen:
    """Draws the present below the lines that stay, and takes it away at the end.

    Args:
        console: the terminal; None for that of stdout.
    """

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console()
        self._live = Live(console=self._console, auto_refresh=False, transient=True)

    def line(self, text: str) -> None:
        """Print a line above the table."""
        self._console.print(painted(text))

    def show(self, board: Board, done: float | None) -> None:
        """Draw the table, and how much of the stream is done."""
        table = painted("\n" + render(board, ascii_only=self._console.options.ascii_only) + "\n")
        table.no_wrap, table.overflow = True, "ellipsis"
        width = min(_WIDTH, self._console.width)
        bar = Text("Ctrl-C ends it") if done is None else ProgressBar(1.0, done, width)
        self._live.update(Group(table, bar), refresh=True)

    def __enter__(self) -> Self:
        """Take the terminal."""
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Give it back."""
        self._live.stop()
