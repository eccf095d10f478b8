"""A program for `spark-submit`: a backtest of a lake, a reference of it, or a topic that it counts.

    spark-submit $(python -m driftline.consumer.spark) backtest --config driftline.yaml \
        --input s3a://lake/predictions --output s3a://lake/verdicts

It alone makes a session, and stops it.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from driftline.consumer.config import load
from driftline.consumer.spark.batch import backtest
from driftline.consumer.spark.errors import SparkError
from driftline.consumer.spark.reference import build_reference
from driftline.consumer.spark.stream import sketch_stream, starting_offsets
from driftline.consumer.spark.versions import check_pyspark
from driftline.errors import DriftlineError

_FORMATS = ("parquet", "orc", "avro", "delta", "iceberg", "json")


def main(arguments: Sequence[str]) -> int:
    """Run one verb; return the exit code: 2 where an operator must act."""
    given = _parser().parse_args(arguments)
    try:
        check_pyspark()
        _run(given)
    except DriftlineError as error:
        print(f"driftline {given.verb}: {error}", file=sys.stderr)  # noqa: T201 (a program)
        return 2
    return 0


def _run(given: argparse.Namespace) -> None:
    from pyspark.sql import SparkSession

    session = SparkSession.builder.appName(f"driftline {given.verb}").getOrCreate()
    try:
        verb: Callable[[Any, argparse.Namespace], None] = given.run
        verb(session, given)
    finally:
        session.stop()


def _backtest(session: Any, given: argparse.Namespace) -> None:
    found = backtest(
        _table(session, given),
        config=given.config,
        topic=given.topic,
        references_by_path=given.references_by_path,
        comparisons=not given.without_comparisons,
    )
    found.write.mode("overwrite").parquet(given.output)


def _reference(session: Any, given: argparse.Namespace) -> None:
    built = build_reference(
        _table(session, given),
        model=given.model,
        segments=given.segment,
        config=given.config,
        actual=given.actual,
    )
    Path(given.output).write_bytes(built.to_json())


def _sketch(session: Any, given: argparse.Namespace) -> None:
    config = load(given.config, environ=os.environ).config
    stream = (
        session.readStream.format("kafka")
        .option("kafka.bootstrap.servers", ",".join(config.kafka.bootstrap_servers))
        .option("subscribe", given.topic)
        .option("startingOffsets", starting_offsets(config=given.config, topic=given.topic))
        .option("includeHeaders", "true")
    )
    for name, value in given.option:
        stream = stream.option(name, value)
    writer = sketch_stream(
        stream.load(), config=given.config, topic=given.topic, take_over=given.take_over
    ).option("checkpointLocation", given.checkpoint)
    writer = (
        writer.trigger(availableNow=True)
        if given.every is None
        else writer.trigger(processingTime=given.every)
    )
    writer.start().awaitTermination()


def _option(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise argparse.ArgumentTypeError(f"{text}: write NAME=VALUE")
    return name, value


def _table(session: Any, given: argparse.Namespace) -> Any:
    """Return the table that is to be read.

    Raises:
        SparkError: it is not there.
    """
    from pyspark.errors import AnalysisException

    try:
        return session.read.format(given.format).load(given.input)
    except AnalysisException as error:
        why = (str(error).splitlines() or [""])[0]
        raise SparkError(f"--input {given.input}: {why}") from None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="driftline on Spark")
    verbs = parser.add_subparsers(dest="verb", required=True)
    backtest = verbs.add_parser("backtest", help="the alerts that a table would have raised")
    _reading(backtest)
    backtest.add_argument("--config", required=True, help="the configuration")
    backtest.add_argument("--topic", help="the topic that the rows stand for")
    backtest.add_argument("--output", required=True, help="where verdicts and alerts go: Parquet")
    backtest.add_argument(
        "--references-by-path",
        action="store_true",
        help="executors read the references by their addresses; else they are broadcast",
    )
    backtest.add_argument(
        "--without-comparisons", action="store_true", help="judge no comparisons of models"
    )
    backtest.set_defaults(run=_backtest)
    reference = verbs.add_parser("reference", help="freeze a table as what is normal")
    _reading(reference)
    reference.add_argument("--config", help="the configuration; else the columns are guessed")
    reference.add_argument("--model", required=True, help="its name")
    reference.add_argument("--segment", action="append", default=[], help="a tag to count apart")
    reference.add_argument("--actual", help="the column with the ground truth")
    reference.add_argument("--output", required=True, help="the file, of the driver: JSON")
    reference.set_defaults(run=_reference)
    sketch = verbs.add_parser("sketch", help="count a topic, beside workers that join and judge")
    sketch.add_argument("--config", required=True, help="the configuration")
    sketch.add_argument("--topic", required=True, help="the input topic")
    sketch.add_argument("--checkpoint", required=True, help="where Spark keeps how far it has come")
    sketch.add_argument(
        "--every",
        help="begin a batch so often, such as '30 seconds'; else: end"
        " when what is there is counted",
    )
    sketch.add_argument("--take-over", action="store_true", help="go on where workers stopped")
    sketch.add_argument(
        "--option",
        action="append",
        default=[],
        type=_option,
        metavar="NAME=VALUE",
        help="of Spark's reader of Kafka, such as kafka.security.protocol=SASL_SSL",
    )
    sketch.set_defaults(run=_sketch)
    return parser


def _reading(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--input", required=True, help="a table, a folder or a glob")
    parser.add_argument("--format", default="parquet", choices=_FORMATS, help="of the input")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
