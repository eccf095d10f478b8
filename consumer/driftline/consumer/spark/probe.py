"""A first, small job: whether executors can run the product, and read what they are to read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from driftline.consumer.spark.errors import SparkError
from driftline.consumer.spark.versions import check_worker

if TYPE_CHECKING:
    from driftline.consumer.spark.tables import CountTable

_OTHER_PYTHON = "PYTHON_VERSION_MISMATCH"
_LACKING = ("No module named 'driftline", "No module named 'pyarrow'")


def probe(session: Any, task: Callable[[], CountTable] | None) -> None:
    """Run one task, which imports the product and reads the references that it is to read itself.

    Args:
        session: whose.
        task: gives what is to be read; None: nothing is.

    Raises:
        SparkError: it could not; the message is one sentence.
    """

    def ask(batches: Iterator[Any]) -> Iterator[Any]:
        for _ in batches:
            text = ""
            try:
                check_worker()
                if task is not None:
                    shipped = task().shipped
                    for name in shipped.config.models:
                        shipped.reference(name)
            except SparkError as error:
                text = str(error)
            yield pa.RecordBatch.from_pydict({"text": [text]})

    try:
        rows = session.range(1, numPartitions=1).mapInArrow(ask, "text string").collect()
    except Exception as error:
        said = reason_of(str(error))
        if said is None:
            raise
        raise SparkError(said) from None
    for row in rows:
        if row.text:
            raise SparkError(row.text)


def reason_of(text: str) -> str | None:
    """Return what an error of a first task says of the workers' Python; None: nothing known.

    >>> reason_of("[PYTHON_VERSION_MISMATCH] Python in worker has different version: 3.9 ...")
    "the executors run another Python than the driver: set spark.pyspark.python to the driver's \
version, 3.11 or newer"
    """
    if _OTHER_PYTHON in text:
        return (
            "the executors run another Python than the driver: set spark.pyspark.python to the"
            " driver's version, 3.11 or newer"
        )
    if any(each in text for each in _LACKING):
        return (
            'the executors lack Driftline: install "driftline[spark]" in the Python that'
            " spark.pyspark.python names, or ship it with spark.archives"
        )
    return None
