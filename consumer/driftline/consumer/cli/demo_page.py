"""The page of the demo, over its log in memory."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from prometheus_client import generate_latest

from driftline.consumer.cli.demo_show import Demo
from driftline.consumer.http.health import Health
from driftline.consumer.http.server import metrics_registry
from driftline.consumer.log.memory import MemoryLog
from driftline.consumer.ui.access import Access
from driftline.consumer.ui.marking import Marking
from driftline.consumer.ui.page import Site, following
from driftline.consumer.ui.server import PageServer
from driftline.consumer.views.flow import Scrape

HOST = "127.0.0.1"


@contextmanager
def serving(shown: Demo, port: int, access: Access) -> Iterator[PageServer]:
    """Serve a demo, before or while it runs.

    Raises:
        HttpError: the port cannot be used.
    """
    service = shown.service
    broker, config = service.broker, service.plan.config
    health = Health(service.status, lambda: broker.now)
    registry = metrics_registry(config, service.status, health)

    def scrapes() -> Sequence[Scrape]:
        return [Scrape("this process", generate_latest(registry).decode())]

    topics = config.output.topic("control"), config.output.topic("panes")
    marks = None if access.token is None else Marking(lambda: broker, *topics, _now)
    site = Site(HOST, port, access, "the demo", scrapes=scrapes, marks=marks)
    with following(site, lambda: MemoryLog(broker), config, config.output) as server:
        yield server


def _now() -> int:
    return time.time_ns() // 1_000_000
