"""A reference of a DataFrame: the product's own readings, of rows that come a batch at a time."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from driftline.consumer.config import Config, load
from driftline.consumer.config.seasons import UTC
from driftline.consumer.offline import file_rows
from driftline.consumer.offline.feedback import Feedback
from driftline.consumer.offline.ground_truth import check_measured
from driftline.consumer.offline.reference_settings import with_config
from driftline.consumer.spark.errors import SparkError
from driftline.consumer.spark.probe import probe
from driftline.consumer.spark.versions import check_session
from driftline.detectors.build import DEFAULT_GRID
from driftline.detectors.reference import Reference
from driftline.producer.files.arrow import arrow_table
from driftline.producer.files.given import Given
from driftline.producer.records.table import Table
from driftline.producer.reference.build import ReferenceSettings, reference_from_tables
from driftline.producer.reference.derive import FieldType

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def build_reference(
    df: DataFrame,
    *,
    model: str,
    segments: Sequence[str] = (),
    config: str | Path | None = None,
    actual: str | None = None,
    positive_label: str | None = None,
    types: Mapping[str, FieldType] | None = None,
    ignore: Sequence[str] = (),
    grid: int | None = DEFAULT_GRID,
    timezone: str | None = None,
) -> Reference:
    """Freeze a table as what is normal: the bytes of `driftline reference build` of the same rows.

    The order of the rows does not matter. They come to the driver some thousand at a time, up to
    eight times, from a copy that the executors keep on their disks until it is done: its memory is
    that of the command, and its time too, beside what Spark needs.

    Args:
        df: the events, a column a field.
        model: its name.
        segments: tags by whose values the events are also counted apart.
        config: maps the columns by the source of the model's topic, and has its segments and types;
            None: the columns are guessed.
        actual: the column with the ground truth; None to guess it by its name.
        positive_label: the class that the score speaks of.
        types: feature to type, where the inferred one is wrong.
        ignore: globs of columns that are no features.
        grid: the most values of a numeric feature's grid; None for all.
        timezone: whose clocks tell the hour and the day that features may follow; None: UTC's.

    Returns:
        The reference; `Path(...).write_bytes(reference.to_json())` keeps it.

    Raises:
        SparkError: the session will not do, or the table changed while it was read.
        DriftlineError: the rows cannot be used.
    """
    derived = sorted(name for name, kind in (types or {}).items() if kind in ("vector", "text"))
    if derived:
        raise SparkError(
            f"types: of {derived[0]} features would be derived, which depends on the order of the"
            " rows: leave it out, or write the rows and run  driftline reference build"
        )
    session = df.sparkSession
    check_session(session)
    probe(session, None)
    settings = ReferenceSettings(
        model, grid, types or {}, tuple(dict.fromkeys(segments)), positive_label,
        ignore=tuple(ignore), timezone=timezone or UTC,
    )  # fmt: skip
    whole = topic = None
    if config is not None:
        whole = load(config, environ=os.environ, offline=True).config
        topic = _topic(whole, model)
        settings = with_config(settings, whole.models[model])
    with _Kept(df) as kept:
        given = Given("the table", kept.scan)
        mapping = file_rows.mapping_for(whole, topic, given, Feedback(), actual)
        mapping = file_rows.with_actual(mapping, actual)
        built = reference_from_tables(kept.scan, mapping, settings)
        check_measured(built, mapping, actual, given)
    return built.reference


def _topic(config: Config, model: str) -> str:
    if model not in config.models:
        raise SparkError(
            f"the configuration has no model {model}; it has {', '.join(config.models)}"
        )
    return config.models[model].predictions[0]


class _Kept:
    """The rows of a table, kept on the executors' disks while they are read again and again."""

    def __init__(self, df: DataFrame) -> None:
        from pyspark import StorageLevel

        self._packed = df.mapInArrow(packed, "rows binary").persist(StorageLevel.DISK_ONLY)
        self._rows: int | None = None

    def __enter__(self) -> _Kept:
        return self

    def __exit__(self, *of: object) -> None:
        self._packed.unpersist()

    def scan(self) -> Iterator[Table]:
        """Yield the rows, some thousand at a time.

        Raises:
            SparkError: there are others than at the first time.
        """
        rows = 0
        for row in self._packed.toLocalIterator(prefetchPartitions=True):
            for table in unpacked(bytes(row.rows), rows):
                yield table
                rows += table.rows
        if self._rows not in (None, rows):
            raise SparkError(
                f"the table had {self._rows:,} rows, and then {rows:,}: write it, and read that"
            )
        self._rows = rows


def packed(batches: Iterator[Any]) -> Iterator[pa.RecordBatch]:
    """Yield each batch of rows as one value, so that it comes to the driver as columns."""
    for batch in batches:
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, batch.schema) as stream:
            stream.write_batch(batch)
        data = pa.array([sink.getvalue().to_pybytes()], pa.binary())
        yield pa.RecordBatch.from_arrays([data], ["rows"])


def unpacked(data: bytes, first: int) -> Iterator[Table]:
    """Yield what was packed as tables, of which the first row has the place `first`."""
    with pa.ipc.open_stream(data) as stream:
        for batch in stream:
            yield arrow_table(batch, first)
            first += batch.num_rows
