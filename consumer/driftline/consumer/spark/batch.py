"""Backtests and panes of a DataFrame: tasks count, panes are added up by model, models are judged.

The session is the DataFrame's own.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from driftline.consumer.config import Loaded, load
from driftline.consumer.offline import file_rows
from driftline.consumer.offline.feedback import Feedback
from driftline.consumer.offline.setup import with_source
from driftline.consumer.spark.errors import SparkError
from driftline.consumer.spark.judging import RECORDS_DDL, judged
from driftline.consumer.spark.probe import probe
from driftline.consumer.spark.shipped import Shipped
from driftline.consumer.spark.tables import COUNTED_DDL, VALUE, CountTable
from driftline.consumer.spark.versions import check_session
from driftline.producer.files.arrow import arrow_table
from driftline.producer.files.given import Given
from driftline.producer.records.places import OFFSET, PARTITION

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_SAMPLE = 1_000  # rows from which the columns of a table are guessed


def backtest(
    df: DataFrame,
    *,
    config: str | Path,
    topic: str | None = None,
    references_by_path: bool = False,
    comparisons: bool = True,
) -> DataFrame:
    """Tell the alerts that a table would have raised, as `driftline backtest` does of its rows.

    Args:
        df: the events: columns, mapped by `sources.<topic>.fields` or guessed as a file's are; or
            one column `value` of JSON events. In any order: none is late.
        config: the configuration; its models of `topic` are judged.
        topic: the input topic that the rows stand for; None for the only one.
        references_by_path: executors read the references by their addresses, such as on a volume;
            else the driver reads them, and broadcasts them.
        comparisons: those of the topic's models are judged, too.

    Returns:
        A DataFrame of `model`, `seq`, `kind` and `json`: `verdict` and `alert`, numbered within the
        model (or comparison) in their order, and `dead-letter`, rows that are no events. Nothing is
        computed before it is used, and it is computed each time: write it, or cache it.

    Raises:
        SparkError: the session, or what its executors can read, will not do.
        DriftlineError: the configuration, a reference or the columns will not do.
    """
    job = _Job(df, config, topic, references_by_path, comparisons=comparisons)
    task = job.task

    def judge(key: tuple[Any, ...], table: Any) -> Any:
        return judged(task().shipped, key[0].as_py(), table)

    return job.merged().groupBy("model").applyInArrow(judge, RECORDS_DDL)


def panes(
    df: DataFrame,
    *,
    config: str | Path,
    topic: str | None = None,
    references_by_path: bool = False,
) -> DataFrame:
    """Count a table, for those who judge elsewhere; arguments and errors as of `backtest`.

    Returns:
        A DataFrame of `model`, `kind`, `start` (ms) and `value`: of kind `pane` the records of
        `driftline.panes`, one for each pane of a model unless that would be too large, and beside
        them what `tables.COUNTED` names.
    """
    return _Job(df, config, topic, references_by_path, comparisons=False).merged()


class _Job:
    """One table under one configuration.

    Attributes:
        task: gives a task what it does; it holds a name for it only.
    """

    def __init__(
        self,
        df: DataFrame,
        config: str | Path,
        topic: str | None,
        by_path: bool,
        *,
        comparisons: bool,
    ) -> None:
        session = df.sparkSession
        check_session(session)
        loaded = load(config, environ=os.environ, offline=True)
        topic = topic_of(loaded, topic)
        loaded = compared_in(loaded, topic, judged=comparisons)
        loaded, values = mapped(df, loaded, topic)
        shipped = Shipped.of(loaded, topic, by_path=by_path)
        count = CountTable(shipped, values)
        wanted = None if values else columns_of(shipped)
        self._df = df if wanted is None else df.select(*_quoted(df.columns, wanted))
        self.task = sent(session, count, by_path=by_path)
        probe(session, self.task if by_path else None)

    def merged(self) -> DataFrame:
        """Return what is counted, with one part of each pane."""
        task = self.task

        def count(batches: Iterator[Any]) -> Iterator[Any]:
            from pyspark import TaskContext

            context = TaskContext.get()
            assert context is not None  # noqa: S101 (this is a task)
            yield from task().count(batches, context.partitionId())

        def merge(batches: Iterator[Any]) -> Iterator[Any]:
            yield from task().merge(batches)

        parts = self._df.mapInArrow(count, COUNTED_DDL)
        # All parts of a pane meet in one task: a group for each would be a call for each.
        return parts.repartition("model", "start").mapInArrow(merge, COUNTED_DDL)


def sent(session: Any, count: CountTable, *, by_path: bool) -> Callable[[], CountTable]:
    """Return what gives a task its work: by broadcast, where references are sent at all."""
    fresh = replace(count, shipped=replace(count.shipped))  # without what was read here
    if by_path:
        return lambda: fresh
    broadcast = session.sparkContext.broadcast(fresh)
    return lambda: broadcast.value


def topic_of(loaded: Loaded, topic: str | None) -> str:
    """Return the topic that rows stand for.

    Raises:
        SparkError: it has no models, is one of several, or its windows are of rows.
    """
    topics = sorted({each for m in loaded.config.models.values() for each in m.predictions})
    if topic is None and len(topics) > 1:
        raise SparkError(f"the configuration reads {', '.join(topics)}: give topic, one of them")
    chosen = topics[0] if topic is None else topic
    if chosen not in topics:
        raise SparkError(f"no model reads {chosen}: give topic, one of {', '.join(topics)}")
    for name, model in loaded.config.models.items():
        if chosen in model.predictions and model.window.rows is not None:
            raise SparkError(
                f"models.{name}.window.rows: the rows of a table have no order: give length, or"
                " run  driftline backtest"
            )
        if chosen in model.predictions and model.predictions[0] != chosen:
            raise SparkError(
                f"models.{name}.predictions: a backtest is of the first topic,"
                f" {model.predictions[0]}: give topic={model.predictions[0]!r}"
            )
    return chosen


def compared_in(loaded: Loaded, topic: str, *, judged: bool) -> Loaded:
    """Return the configuration with the comparisons that are judged over a topic's rows.

    Raises:
        SparkError: one needs the rows of another topic.
    """
    config = loaded.config
    for name, comparison in config.comparisons.items() if judged else ():
        topics = {config.models[side.model].predictions[0] for side in comparison.sides}
        if topic in topics and topics != {topic}:
            raise SparkError(
                f"comparisons.{name}: its models read {' and '.join(sorted(topics))}, and the rows"
                f" are of {topic}: give comparisons=False to leave comparisons out"
            )
    kept = config.comparisons if judged else {}
    config = config.model_copy(update={"comparisons": kept})
    return Loaded(config, loaded.locations, loaded.files, loaded.warnings)


def mapped(df: Any, loaded: Loaded, topic: str) -> tuple[Loaded, bool]:
    """Return the configuration with how rows become events, and whether they are JSON events.

    Raises:
        SparkError: the table is a recording of a topic, in which rows have an order.
        InputError: no mapping can be guessed.
    """
    names = set(df.columns)
    if names == {VALUE}:
        return loaded, True
    if {PARTITION, OFFSET} <= names:
        raise SparkError(
            f"a table with columns {PARTITION} and {OFFSET} is a recording of a topic, whose rows"
            " may be late: leave one of them out to judge it as a set, or run  driftline backtest"
        )
    sample = df.limit(_SAMPLE).toArrow()
    given = Given("the table", lambda: map(arrow_table, sample.to_batches()))
    mapping = file_rows.mapping_for(loaded.config, topic, given, Feedback())
    config = with_source(loaded.config, topic, mapping)
    return Loaded(config, loaded.locations, loaded.files, loaded.warnings), False


def columns_of(shipped: Shipped) -> frozenset[str] | None:
    """Return the columns that are read; None where any may be a feature."""
    mapping = shipped.plan.mapping_of(shipped.topic)
    if mapping.wildcard:
        return None
    return CountTable(shipped, values=False).columns


def _quoted(names: list[str], wanted: frozenset[str]) -> list[str]:
    """Return columns as `select` takes them, whatever is in their names."""
    tick = "`"
    return [f"`{name.replace(tick, tick * 2)}`" for name in names if name in wanted]
