"""The page, served while a block runs: over topics that are followed, or what is finished."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from driftline.consumer.config import Config, OutputConfig
from driftline.consumer.log.protocol import Log
from driftline.consumer.ui.access import Access
from driftline.consumer.ui.app import application
from driftline.consumer.ui.listeners import Listeners
from driftline.consumer.ui.live import Finished, Live
from driftline.consumer.ui.marking import Marking
from driftline.consumer.ui.server import PageServer
from driftline.consumer.ui.workers import Scrapes, no_workers
from driftline.consumer.views.fold import WINDOWS, Changes, Views
from driftline.consumer.views.follow import Follower
from driftline.consumer.views.pipeline import PipelineView
from driftline.consumer.views.settings import Settings

logger = logging.getLogger(__name__)

LOOK = 0.5
"""Seconds between two looks for what is new."""
_SECONDS_TO_END = 3.0


@dataclass(frozen=True)
class Site:
    """Where the page is, and what it says of itself.

    Attributes:
        host, port: where it listens; port 0 takes a free one.
        access: who may read and write.
        title: what is watched.
        windows: of each stream that are held at most.
        scrapes: reads the metrics of the workers.
        marks: writes what people say; None: nobody may.
    """

    host: str
    port: int
    access: Access
    title: str
    windows: int = WINDOWS
    scrapes: Scrapes = no_workers
    marks: Marking | None = None


@contextmanager
def following(
    site: Site, connect: Callable[[], Log], config: Config | None, output: OutputConfig
) -> Iterator[PageServer]:
    """Serve what a deployment publishes; a thread of its own follows the topics.

    Args:
        site: the page.
        connect: reaches the log; called again after it was away.
        config: of the deployment, where it is known.
        output: names the topics.

    Raises:
        HttpError: the port or the address cannot be used.
    """
    listeners = Listeners()

    def changed(changes: Changes) -> None:
        for model in changes.models:
            listeners.publish(model, alerts=changes.alerts)
        if changes.alerts and not changes.models:
            listeners.publish(None, alerts=True)

    settings = None if config is None else Settings.of(config)
    follower = Follower(connect, output, settings, site.windows, changed=changed)
    stop = threading.Event()
    reach = _Reach(listeners)

    def wait() -> bool:
        reach.look(follower.status().problem)
        return not stop.wait(LOOK)

    thread = threading.Thread(target=follower.run, args=(wait,), name="driftline-follow")
    thread.daemon = True  # it may wait for a broker that is away
    live = Live(follower, site.title, site.scrapes, site.marks)
    server = PageServer(application(live, listeners, site.access), listeners, site.host, site.port)
    thread.start()
    try:
        yield server
    finally:
        stop.set()
        server.close()
        thread.join(_SECONDS_TO_END)
        if not thread.is_alive():
            follower.close()
        if site.marks is not None:
            site.marks.close()


class _Reach:
    """Says once when the topics cannot be read, and when they can again; pages show it too."""

    def __init__(self, listeners: Listeners) -> None:
        self._listeners = listeners
        self._problem: str | None = None

    def look(self, problem: str | None) -> None:
        """Take note of what keeps the topics from being read now; None: nothing."""
        if problem == self._problem:
            return
        self._problem = problem
        if problem is None:
            logger.warning("the topics are read again")
        else:
            logger.warning("the topics cannot be read, trying on: %s", problem)
        self._listeners.publish(None)


@contextmanager
def finished(site: Site, views: Views, pipeline: PipelineView) -> Iterator[PageServer]:
    """Serve views to which nothing is added any more.

    Raises:
        HttpError: the port or the address cannot be used.
    """
    listeners = Listeners()
    live = Live(Finished(views), site.title, site.scrapes, pipeline_known=pipeline)
    app = application(live, listeners, site.access)
    server = PageServer(app, listeners, site.host, site.port)
    try:
        yield server
    finally:
        server.close()
