"""A body on Spark: the same counts and verdicts, where the data is.

The session and the DataFrames are yours: nothing here makes or stops one. What needs pyspark is
imported when it is first called: `pip install "driftline[spark]"`.
"""

from typing import TYPE_CHECKING

from driftline.detectors.lazy import later

if TYPE_CHECKING:
    from driftline.consumer.spark.batch import backtest, panes
    from driftline.consumer.spark.errors import SparkError
    from driftline.consumer.spark.reference import build_reference
    from driftline.consumer.spark.stream import sketch_stream, starting_offsets
else:
    _LATER = {
        "batch": ("backtest", "panes"),
        "errors": ("SparkError",),
        "reference": ("build_reference",),
        "stream": ("sketch_stream", "starting_offsets"),
    }
    __getattr__ = later(__name__, _LATER)

__all__ = [
    "SparkError",
    "backtest",
    "build_reference",
    "panes",
    "sketch_stream",
    "starting_offsets",
]
