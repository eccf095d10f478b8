"""`driftline demo`: a stream that drifts, watched in this process."""

from __future__ import annotations

import os
import sys
import time
from contextlib import ExitStack
from typing import Annotated

import typer

from driftline.consumer.cli.page_options import (
    DEFAULT_PORT,
    PagePort,
    TokenFile,
    read_access,
    require_page,
)
from driftline.consumer.cli.terminal import out, say


def demo(
    keep: Annotated[bool, typer.Option("--keep", help="Go on until Ctrl-C.")] = False,
    ui: Annotated[
        bool, typer.Option("--ui", help="Show it on the page too, slowly, until Ctrl-C.")
    ] = False,
    port: PagePort = None,
    token_file: TokenFile = None,
) -> None:
    """Watch a bundled stream that drifts.

    Needs neither Kafka nor files: it is the service of `driftline run` on a log in memory. On a
    terminal two hours of events pass in a second; elsewhere it is as fast as it can be. With --ui
    half an hour passes in a second.
    """
    started = time.monotonic()
    access, address = read_access("127.0.0.1", token_file), None
    if ui:
        require_page()
        port = DEFAULT_PORT if port is None else port
        address = f"http://localhost:{port}" if port else None
    from driftline.consumer.cli import demo_screen, demo_show, demo_stream

    live = sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
    say("payments, 1,500 events an hour: a quiet day is the reference, the next day is watched")
    with ExitStack() as opened:
        screen: demo_screen.Screen = demo_screen.PlainScreen()
        speed, ahead = demo_show.SPEED if live else None, 0
        if ui:
            speed, ahead = demo_show.PAGE_SPEED, demo_show.HEAD_START
        shown = demo_show.Demo(screen, time.monotonic, time.sleep, speed, address, ahead)
        if ui:
            from driftline.consumer.cli import demo_page

            server = opened.enter_context(demo_page.serving(shown, port or 0, access))
            say(f"the page is at {server.url}")
        if live:
            shown.screen = opened.enter_context(demo_screen.LiveScreen())
        try:
            shown.run(None if keep or ui else demo_stream.HOURS)
        except KeyboardInterrupt:
            opened.close()
            say("ended by Ctrl-C")
    encoding = (sys.stdout.encoding or "").lower()
    out("\n" + demo_show.report(shown, ascii_only=not encoding.startswith("utf")))
    if shown.alerted is not None:
        say(f"first alert after {shown.alerted - started:.1f} s")
