"""Serving the page of a deployment until a signal comes."""

from __future__ import annotations

import time
import webbrowser

from driftline.consumer.cli import alert_actions
from driftline.consumer.cli.load_config import Deployment
from driftline.consumer.cli.terminal import say
from driftline.consumer.config import OutputConfig, UiConfig
from driftline.consumer.log.broker import connect
from driftline.consumer.ui.access import Access
from driftline.consumer.ui.marking import Marking
from driftline.consumer.ui.page import Site, following
from driftline.consumer.ui.workers import Workers, no_workers


def serve(deployment: Deployment, section: UiConfig, access: Access, *, open_browser: bool) -> None:
    """Serve until SIGTERM or Ctrl-C; the page shows when the broker is away.

    Raises:
        HttpError: the port or the address cannot be used.
    """
    config = deployment.config
    output = config.output if config is not None else OutputConfig()
    marks = None
    if access.token is not None:
        topics = output.topic("control"), output.topic("panes")
        marks = Marking(lambda: connect(deployment.kafka), *topics, _now)
    site = Site(
        section.host,
        section.port,
        access,
        f"{output.prefix} on {', '.join(deployment.kafka.bootstrap_servers)}",
        section.windows,
        Workers(section.workers) if section.workers else no_workers,
        marks,
    )

    with (
        alert_actions.until_stopped() as stop,
        following(site, lambda: connect(deployment.kafka).log, config, output) as server,
    ):
        say(f"the page is at {server.url}")
        if open_browser:
            webbrowser.open(server.url)
        stop.wait()


def _now() -> int:
    return time.time_ns() // 1_000_000
