"""`driftline demo`: a stream that drifts, watched in this process."""

from __future__ import annotations

import os
import sys
import time
from contextlib import ExitStack
from typing import Annotated

import typer

from driftline.consumer.cli.terminal import out, say


def demo(
    keep: Annotated[bool, typer.Option("--keep", help="Go on until Ctrl-C.")] = False,
) -> None:
    """Watch a bundled stream that drifts.

    Needs neither Kafka nor files: it is the service of `driftline run` on a log in memory. On a
    terminal two hours of events pass in a second; elsewhere it is as fast as it can be.
    """
    started = time.monotonic()
    from driftline.consumer.cli import demo_screen, demo_show, demo_stream

    live = sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
    say("payments, 1,500 events an hour: a quiet day is the reference, the next day is watched")
    with ExitStack() as opened:
        screen: demo_screen.Screen = demo_screen.PlainScreen()
        if live:
            screen = opened.enter_context(demo_screen.LiveScreen())
        speed = demo_show.SPEED if live else None
        shown = demo_show.Demo(screen, time.monotonic, time.sleep, speed)
        try:
            shown.run(None if keep else demo_stream.HOURS)
        except KeyboardInterrupt:
            opened.close()
            say("ended by Ctrl-C")
    encoding = (sys.stdout.encoding or "").lower()
    out("\n" + demo_show.report(shown, ascii_only=not encoding.startswith("utf")))
    if shown.alerted is not None:
        say(f"first alert after {shown.alerted - started:.1f} s")
