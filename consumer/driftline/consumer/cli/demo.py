"""`driftline demo`: a stream that drifts, watched in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from driftline.consumer.cli.demo_show import Demo


def demo(
    keep: Annotated[bool, typer.Option("--keep", help="Go on until Ctrl-C.")] = False,
) -> None:
    """Watch a bundled stream that drifts.

    Needs neither Kafka nor files: it is the service of `driftline run` on a log in memory. On a
    terminal two hours of events pass in a second; elsewhere it is as fast as it can be.
    """
    import os
    import sys
    import time
    from contextlib import ExitStack

    started = time.monotonic()
    from driftline.consumer.cli.demo_screen import LiveScreen, PlainScreen, Screen
    from driftline.consumer.cli.demo_show import SPEED, Demo
    from driftline.consumer.cli.demo_stream import HOURS
    from driftline.consumer.cli.terminal import out, say

    live = sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
    say("payments, 1,500 events an hour: a quiet day is the reference, the next day is watched")
    with ExitStack() as opened:
        screen: Screen = opened.enter_context(LiveScreen()) if live else PlainScreen()
        shown = Demo(screen, time.monotonic, time.sleep, SPEED if live else None)
        try:
            shown.run(None if keep else HOURS)
        except KeyboardInterrupt:
            opened.close()
            say("ended by Ctrl-C")
    encoding = (sys.stdout.encoding or "").lower()
    out("\n" + report(shown, ascii_only=not encoding.startswith("utf")))
    if shown.alerted is not None:
        say(f"first alert after {shown.alerted - started:.1f} s")


def report(shown: Demo, *, ascii_only: bool = False) -> str:
    """Return what has been seen, and what to do next."""
    from driftline.consumer.cli.demo_board import render
    from driftline.consumer.cli.demo_stream import troubles_until
    from driftline.consumer.cli.demo_text import NEXT, compared, in_full

    parts = [render(shown.board, ascii_only=ascii_only)]
    if shown.first is not None:
        alerts = shown.board.alerts.values()
        parts += [
            in_full(*shown.first),
            compared(troubles_until(shown.now), alerts, shown.now),
        ]
    return "\n\n".join([*parts, NEXT])
