"""A topic of Kafka, counted by a streaming query of Spark: `sketch_stream`.

`driftline run --stages join,judge` beside it joins and judges what the query counts.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from driftline.consumer.config import Loaded, load
from driftline.consumer.log.broker import connect
from driftline.consumer.log.protocol import Ownership, TopicPartition
from driftline.consumer.service.opening import Opening
from driftline.consumer.service.states import States
from driftline.consumer.spark.errors import SparkError
from driftline.consumer.spark.query import SketchQuery
from driftline.consumer.spark.stream_rows import READ
from driftline.consumer.spark.versions import check_connector, check_session
from driftline.consumer.spark.watched import Watched

if TYPE_CHECKING:
    from pyspark.sql import DataFrame
    from pyspark.sql.streaming import DataStreamWriter


def sketch_stream(
    df: DataFrame, *, config: str | Path, topic: str, take_over: bool = False
) -> DataStreamWriter:
    """Count the records of a topic as `driftline run` does, in micro-batches.

    Each batch sends the merged counts of each model and pane to `driftline.panes`, dead letters,
    and what labels are joined by; then it records how far each partition has come. Give the query
    a checkpoint and a trigger and start it; beside it runs `driftline run --stages join,judge`.

    Args:
        df: the topic, and no other, as Spark reads Kafka: with `includeHeaders`, from
            `starting_offsets` on, without `minPartitions` and `maxRecordsPerPartition`.
        config: the configuration, as that of `driftline run`.
        topic: the input topic, of predictions or labels.
        take_over: go on where workers stopped, or a query whose checkpoint is gone. Afterwards it
            changes nothing.

    Returns:
        What starts the query.

    Raises:
        SparkError: the session or the DataFrame will not do. Starting the query raises it where
            another body reads the topic.
        DriftlineError: the configuration or a reference will not do.

    Example:
        >>> query = (
        ...     sketch_stream(stream, config="driftline.yaml", topic="ml.predictions")
        ...     .option("checkpointLocation", "s3://bucket/driftline/ml.predictions")
        ...     .trigger(processingTime="30 seconds")
        ...     .start()
        ... )  # doctest: +SKIP
    """
    check_session(df.sparkSession)
    check_connector(df.sparkSession)
    absent = [name for name in READ if name not in df.columns]
    if absent:
        raise SparkError(
            f"the stream has no column {absent[0]}: give sketch_stream what "
            'spark.readStream.format("kafka").option("includeHeaders", "true") loads, as it is'
        )
    query = SketchQuery(Watched.of(_loaded(config), topic), take_over=take_over)
    return query.over(df)


def starting_offsets(*, config: str | Path, topic: str) -> str:
    """Return where Spark is to begin to read a topic: what its option `startingOffsets` takes.

    That is where the topic is on record, whoever has read it; at first what `kafka.start` says.
    Once the query has a checkpoint, Spark goes by that.

    Raises:
        LogError: the broker refuses, or a topic is missing.
        Unreachable: nobody answers as a broker.
    """
    watched = Watched.of(_loaded(config), topic)
    plan = watched.plan
    broker = connect(plan.config.kafka)
    try:
        topics = watched.topics(broker.log)
        state = topics[plan.output("state")]
        records = States(broker.log, state.name, state.partitions, plan.config.kafka.group)
        records.refresh()
        places = [TopicPartition(topic, n) for n in range(topics[topic].partitions)]
        opening = Opening(plan, broker.log, records, topics)
        ownership = Ownership(0, frozenset(places), frozenset())
        found = opening.recorded(places, ownership, watched.clock())
        begins = broker.log.begin_offsets(frozenset(places))
    finally:
        broker.log.close()
    offsets = {str(at.partition): max(one.position, begins[at]) for at, one in found.items()}
    return json.dumps({topic: offsets})


def _loaded(config: str | Path) -> Loaded:
    return load(config, environ=os.environ)
