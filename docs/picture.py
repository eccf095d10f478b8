# ruff: noqa: INP001 - a script, not a package
"""Draw docs/demo.svg: what a terminal shows when `driftline demo` has run."""

from __future__ import annotations

import io
import re
import time
from pathlib import Path

from rich.console import Console

from driftline.consumer.cli.demo_board import render
from driftline.consumer.cli.demo_screen import PlainScreen
from driftline.consumer.cli.demo_show import Demo
from driftline.consumer.cli.demo_stream import HOURS, troubles_until
from driftline.consumer.cli.demo_text import compared
from driftline.consumer.cli.terminal import painted

PICTURE = Path(__file__).with_name("demo.svg")
WIDTH = 118
_FONTS = re.compile(r" *@font-face \{.*?\}\n", re.DOTALL)  # from a foreign host


class Lines(PlainScreen):
    """Keeps the lines that a terminal would show above the table."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def line(self, text: str) -> None:
        """Keep a line."""
        self.lines.append(text)


def draw() -> str:
    """Run the demo as fast as it goes, and return its last screen as SVG."""
    screen = Lines()
    demo = Demo(screen, time.monotonic, time.sleep, None)
    demo.run(HOURS)
    console = Console(
        record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, _environ={}
    )
    alerts = demo.board.alerts
    console.print(painted("\n".join(screen.lines) + "\n"))
    console.print(painted(render(demo.board) + "\n"))
    console.print(painted(compared(troubles_until(demo.now), alerts, demo.now)))
    # The same id every time: the picture changes only when what it shows does.
    svg = console.export_svg(title="driftline demo", unique_id="demo")
    return _FONTS.sub("", svg)


if __name__ == "__main__":
    PICTURE.write_text(draw(), encoding="utf-8")
