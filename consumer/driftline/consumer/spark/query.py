"""A query while it runs: what Spark calls with each batch, and what looks at the clock."""

from __future__ import annotations

import json
import logging
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from driftline.consumer.log.broker import connect
from driftline.consumer.log.protocol import Broker
from driftline.consumer.spark.counted import CountTask
from driftline.consumer.spark.driver import SketchDriver
from driftline.consumer.spark.errors import SparkError
from driftline.consumer.spark.metrics import Metrics, metrics_of
from driftline.consumer.spark.probe import reason_of
from driftline.consumer.spark.stream_rows import COUNTED_DDL, READ, count, merge, read
from driftline.consumer.spark.versions import check_worker
from driftline.consumer.spark.watched import Watched
from driftline.errors import DriftlineError

if TYPE_CHECKING:
    from pyspark.sql import DataFrame
    from pyspark.sql.streaming import DataStreamWriter, StreamingQuery

logger = logging.getLogger(__name__)

_LONGEST_WAIT = 10.0  # seconds between two looks at the clock; /livez allows for a minute
_SENTENCE = re.compile(r"driftline\.consumer\.spark\.errors\.SparkError: (.+)")


class SketchQuery:
    """Counts each batch; opened when the query starts, and again where it starts again.

    What it has open is not pickled with it.

    Args:
        watched: the configuration.
        take_over: see `sketch_stream`.
    """

    def __init__(self, watched: Watched, *, take_over: bool) -> None:
        self._watched, self._take_over = watched, take_over
        self._finite = False  # whether the query ends with what is there
        self._lock = threading.Lock()
        self._open: _Open | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {"watched": self._watched, "take_over": self._take_over, "finite": self._finite}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["watched"], take_over=state["take_over"])  # type: ignore[misc]  # it is what makes one
        self._finite = state["finite"]

    def over(self, df: DataFrame) -> DataStreamWriter:
        """Return what starts it over a stream."""
        writer = df.writeStream.foreachBatch(self)
        trigger, start = writer.trigger, writer.start

        def triggered(*args: Any, **named: Any) -> DataStreamWriter:
            self._finite = bool(named.get("availableNow") or named.get("once"))
            return trigger(*args, **named)

        def started(*args: Any, **named: Any) -> StreamingQuery:
            with self._lock:
                self._opened(df.sparkSession)  # what is refused is refused here
            try:
                query = start(*args, **named)
            except BaseException:
                self.close()
                raise
            name = f"driftline-{self._watched.topic}"
            threading.Thread(target=self.watch, args=(query,), name=name, daemon=True).start()
            return query

        writer.trigger, writer.start = triggered, started
        return writer

    def __call__(self, batch: DataFrame, number: int) -> None:
        """Count a batch and make known what it counts to."""
        with self._lock:
            try:
                opened = self._opened(batch.sparkSession)
                task = opened.driver.task(number)
                opened.driver.done(number, read(self._rows(batch, task, opened.shipped).toArrow()))
                opened.metrics.look(opened.driver)
            except BaseException as error:
                self._close()
                said = None if isinstance(error, SparkError) else sentence_of(str(error))
                if said is not None:
                    raise SparkError(said) from None
                raise

    def watch(self, query: StreamingQuery) -> None:
        """Look at the clock until the query ends: what is silent is reported."""
        idle_after = self._watched.config.limits.idle_after / 1_000
        wait = min(idle_after / 2, _LONGEST_WAIT)
        ticked = time.monotonic()
        try:
            while not query.awaitTermination(wait):
                if time.monotonic() - ticked >= idle_after / 2:
                    self.look(query)
                    ticked = time.monotonic()
            if self._finite:
                self.look(query, over=True)
        except Exception as error:
            if query.exception() is None:  # else whoever waits for the query hears of it
                logger.warning("%s: nobody looks at the clock now: %s", self._watched.topic, error)
        finally:
            self.close()

    def look(self, query: StreamingQuery, *, over: bool = False) -> None:
        """Look at the clock once; where the broker does not take it, the next look says it again.

        Args:
            query: it, started.
            over: whether nothing more is read.
        """
        with self._lock:
            if self._open is None:
                return
            try:
                if self._open.lapsed:
                    self._open.driver.reconnect()
                self._open.lapsed = True
                self._open.driver.tick(read_to(query.lastProgress, self._watched.topic), over=over)
                self._open.lapsed = False
            except DriftlineError as error:
                logger.warning(
                    "%s: silent partitions were not reported, which is tried again: %s",
                    self._watched.topic, error,
                )  # fmt: skip
            self._open.metrics.look(self._open.driver)

    def close(self) -> None:
        """Give up what is open."""
        with self._lock:
            self._close()

    def _opened(self, session: Any) -> _Open:
        if self._open is None:
            broker = connect(self._watched.plan.config.kafka)
            try:
                self._open = _Open(self._watched, broker, session, take_over=self._take_over)
            except BaseException:
                broker.log.close()
                raise
        return self._open

    def _close(self) -> None:
        opened, self._open = self._open, None
        if opened is not None:
            opened.driver.close()
            opened.metrics.close()

    def _rows(self, batch: DataFrame, task: CountTask, shipped: Any) -> DataFrame:
        """Return what a batch counts to: tasks count, then the parts of each pane are added up."""
        job = {each.name: getattr(task, each.name) for each in fields(task) if each.name != "plan"}

        def counted(batches: Iterator[Any]) -> Iterator[Any]:
            check_worker()
            yield from count(CountTask(plan=shipped.value.plan, **job), batches)

        def merged(batches: Iterator[Any]) -> Iterator[Any]:
            yield from merge(CountTask(plan=shipped.value.plan, **job), batches)

        parts = batch.select(*READ).mapInArrow(counted, COUNTED_DDL)
        return parts.repartition("model", "start").mapInArrow(merged, COUNTED_DDL)


class _Open:
    """What a query has open on the driver."""

    def __init__(self, watched: Watched, broker: Broker, session: Any, *, take_over: bool) -> None:
        self.lapsed = False  # whether the last look at the clock failed
        self.metrics: Metrics = metrics_of(watched)
        try:
            self.driver = SketchDriver(
                watched.plan, watched.topic, broker, watched.clock,
                self.metrics.totals(watched.topic), take_over=take_over,
            )  # fmt: skip
        except BaseException:
            self.metrics.close()
            raise
        # Without what was read here: each Python worker reads it once, from these bytes.
        self.shipped = session.sparkContext.broadcast(replace(watched))


def sentence_of(text: str) -> str | None:
    r"""Return what an operator has to know of an error that a task raised; None: nothing known.

    >>> sentence_of("... driftline.consumer.spark.errors.SparkError: start it again\n  at ...")
    'start it again'
    """
    found = _SENTENCE.search(text)
    return reason_of(text) if found is None else found.group(1).strip()


def read_to(progress: Any, topic: str) -> dict[int, int]:
    """Return the offset up to which Spark has read each partition; empty where it does not say.

    >>> class Source:
    ...     endOffset = '{"in": {"0": 7}}'
    >>> class Progress:
    ...     sources = [Source()]
    >>> read_to(Progress(), "in"), read_to(None, "in")
    ({0: 7}, {})
    """
    found: dict[int, int] = {}
    for source in getattr(progress, "sources", None) or ():
        try:
            offsets = json.loads(source.endOffset or "{}").get(topic, {})
        except (ValueError, AttributeError):
            continue
        found |= {int(number): int(offset) for number, offset in offsets.items()}
    return found
