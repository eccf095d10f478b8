"""What became of the records, for Prometheus: one page for all queries of a driver.

It is that of a worker, on `http.host` and `http.port`; of what is judged a worker tells.
"""

from __future__ import annotations

import threading

from driftline.consumer.http import Server, serve
from driftline.consumer.log.protocol import Ownership
from driftline.consumer.service.status import Status
from driftline.consumer.sketch.totals import InputTotals
from driftline.consumer.spark.driver import SketchDriver
from driftline.consumer.spark.watched import Watched

_served: dict[tuple[str, int], Metrics] = {}
_lock = threading.Lock()


class Metrics:
    """The page of one port, as long as a query uses it.

    Args:
        watched: the configuration of the first that does.
    """

    def __init__(self, watched: Watched) -> None:
        config = watched.config
        self.key = (config.http.host, config.http.port)
        self.users = 0
        self._clock = watched.clock
        self._status = Status(watched.plan)
        self._server: Server = serve(config, self._status, watched.clock)
        self._status.polled = watched.clock()

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self._server.port

    def totals(self, topic: str) -> InputTotals:
        """Return where a topic's records are counted."""
        return self._status.totals.setdefault(topic, InputTotals())

    def look(self, driver: SketchDriver) -> None:
        """Note what a query has done."""
        stages = {**self._status.stages, **driver.stages()}
        self._status.own(Ownership(0, frozenset(stages), frozenset()), stages)
        self._status.polled = self._status.checkpointed = self._clock()

    def close(self) -> None:
        """Note that one query less uses it."""
        with _lock:
            self.users -= 1
            if not self.users:
                _served.pop(self.key, None)
                self._server.close()


def metrics_of(watched: Watched) -> Metrics:
    """Return the page of a configuration's port, which queries of one driver share.

    Raises:
        HttpError: the port cannot be used; a worker beside it needs one of its own.
    """
    key = (watched.config.http.host, watched.config.http.port)
    with _lock:
        found = _served.get(key)
        if found is None:
            found = Metrics(watched)
            if watched.config.http.port:  # a free port is each query's own
                _served[key] = found
        found.users += 1
        return found
