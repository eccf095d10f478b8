"""The versions that a body on Spark was run with, and the refusal of others."""

from __future__ import annotations

import re
import sys
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from driftline.consumer.spark.errors import SparkError

SERIES = "4.2"
"""The series of Spark; 4.2.0 is what was run."""

_PYTHON = (3, 11)


def check_pyspark() -> None:
    """Refuse a pyspark that is missing or of another series.

    Raises:
        SparkError: it will not do; the message says what to install.
    """
    try:
        found = version("pyspark")
    except PackageNotFoundError:
        raise SparkError('pyspark is not installed: run  pip install "driftline[spark]"') from None
    if not of_the_series(found):
        raise SparkError(
            f"pyspark {found} will not do, Driftline was run with {SERIES} alone:"
            f' run  pip install "pyspark[sql]=={SERIES}.*"'
        )


def check_session(session: Any) -> None:
    """Refuse a session whose cluster runs another series than the pyspark beside it.

    Raises:
        SparkError: they differ, or pyspark itself will not do.
    """
    check_pyspark()
    cluster = str(session.version)
    if not of_the_series(cluster):
        raise SparkError(
            f"the session runs Spark {cluster}, Driftline was run with {SERIES} alone:"
            f" connect to a cluster of Spark {SERIES}"
        )


def check_connector(session: Any) -> None:
    """Refuse a connector to Kafka of another version than the session's Spark.

    Raises:
        SparkError: they differ, or the driver is not in this process.
    """
    jvm = getattr(session, "_jvm", None)
    if jvm is None:
        raise SparkError(
            "sketch_stream needs the driver in this process, and this session is connected to one"
            " elsewhere: run it as a job of the cluster, with spark-submit"
        )
    loader = jvm.java.lang.Thread.currentThread().getContextClassLoader()
    provider = loader.loadClass("org.apache.spark.sql.kafka010.KafkaSourceProvider")
    source = provider.getProtectionDomain().getCodeSource()
    problem = connector_problem(
        str(session.version), "" if source is None else str(source.getLocation())
    )
    if problem is not None:
        raise SparkError(problem)


def connector_problem(spark: str, jar: str) -> str | None:
    """Return why a connector's jar does not fit a version of Spark; None where it does.

    >>> connector_problem("4.2.0", "file:/jars/spark-sql-kafka-0-10_2.13-4.2.0.jar")
    >>> connector_problem("4.2.0", "file:/jars/spark-sql-kafka-0-10_2.13-4.1.1.jar")
    'Spark is 4.2.0 and its connector to Kafka 4.1.1: give spark.jars, or --packages, \
spark-sql-kafka-0-10_2.13 of version 4.2.0'
    """
    found = re.search(r"spark-sql-kafka-0-10_([\d.]+)-(\d+\.\d+\.\d+)[^/]*$", jar)
    if found is None or found.group(2) == spark:
        return None  # a jar of another name says nothing
    return (
        f"Spark is {spark} and its connector to Kafka {found.group(2)}: give spark.jars, or"
        f" --packages, spark-sql-kafka-0-10_{found.group(1)} of version {spark}"
    )


def check_worker(found: tuple[int, ...] = sys.version_info[:3]) -> None:
    """Refuse, inside a task, a Python that is too old; a worker's Python is not the driver's.

    Args:
        found: the version of the Python.

    Raises:
        SparkError: it is older than 3.11.

    >>> check_worker((3, 13, 0))
    """
    if found[:2] < _PYTHON:
        raise SparkError(
            f"the workers run Python {found[0]}.{found[1]}, Driftline needs 3.11 or newer: set"
            " spark.pyspark.python to one that all executors have"
        )


def of_the_series(found: str) -> bool:
    """Return whether a version is one of the series.

    >>> of_the_series("4.2.0"), of_the_series("4.2.1"), of_the_series("4.20.0")
    (True, True, False)
    """
    return found.split(".")[:2] == SERIES.split(".")
