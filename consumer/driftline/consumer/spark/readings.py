"""Readings of a table by executors: each task adds its rows to a copy; copies are merged."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import pyarrow as pa

from driftline.consumer.spark.errors import SparkError
from driftline.errors import DriftlineError
from driftline.producer.files.arrow import arrow_table
from driftline.producer.records.mapping import Mapping
from driftline.producer.records.table import Table
from driftline.producer.reference.events import events_of
from driftline.producer.reference.readings import R, Reading
from driftline.producer.reference.settings import ReferenceSettings

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_SAMPLE = 1_000  # rows of which columns are guessed
_PART = pa.schema([("rows", pa.int64()), ("part", pa.binary()), ("problem", pa.string())])
_PART_DDL = "rows long, part binary, problem string"


class TableRows:
    """The rows of a table, which are read again and again.

    Args:
        df: the table.
    """

    def __init__(self, df: DataFrame) -> None:
        self._df = df
        self._rows: int | None = None

    def scan(self) -> Iterator[Table]:
        """Yield some rows in the driver; then all of them, where more are wanted.

        Types and roles of columns are guessed of the first: a partition may be too large for it.
        """
        sample = self._df.limit(_SAMPLE).toArrow().combine_chunks()
        yield from map(arrow_table, sample.to_batches())
        packs = self._df.mapInArrow(packed, "rows binary")
        rows = sample.num_rows
        for row in packs.toLocalIterator():
            for table in unpacked(bytes(row.rows), rows):
                yield table
                rows += table.rows

    def read(self, work: PartWork) -> Iterator[bytes]:
        """Have executors do some work, and yield what they found, a few parts.

        Raises:
            SparkError: a task says that the rows cannot be used, or they are others than before.
        """

        def read(batches: Iterator[Any]) -> Iterator[Any]:
            yield from work.read(batches)

        def merge(batches: Iterator[Any]) -> Iterator[Any]:
            yield from merged(batches, work.packing)

        parts = self._df.mapInArrow(read, _PART_DDL)
        # Tasks merge what the others read: as many as that is large, for Spark joins small ones.
        few = parts.repartition("part").mapInArrow(merge, _PART_DDL)
        rows = 0
        for row in few.toLocalIterator():
            if row.problem is not None:
                raise SparkError(row.problem)
            rows += row.rows
            yield bytes(row.part)
        if self._rows not in (None, rows):
            raise SparkError(
                f"the table had {self._rows:,} rows, and then {rows:,}: write it, and read that"
            )
        self._rows = rows


@dataclass(frozen=True)
class Executors:
    """Reads the events of a model; see `driftline.producer.reference.readings.Reader`.

    Attributes:
        kept: the rows.
        mapping: how they become events.
        settings: of the reference.
    """

    kept: TableRows
    mapping: Mapping
    settings: ReferenceSettings

    def read(self, reading: R) -> R:
        """Return the reading with all events taken in.

        Raises:
            SparkError: as of `TableRows.read`.
        """
        model, tags, packing = self.settings.model, tuple(self.settings.tags), AsSpark()
        whole: R | None = None
        work = PartWork(packing.pack(reading), packing, self.mapping, model, tags)
        for part in self.kept.read(work):
            found: R = packing.unpack(part)
            if whole is None:
                whole = found
            else:
                whole.merge(found)
        return reading if whole is None else whole


class Packing(Protocol):
    """How a reading goes from one process of a job to another."""

    def pack(self, reading: Any) -> bytes:
        """Return it as bytes."""
        ...

    def unpack(self, data: bytes) -> Any:
        """Return what was packed."""
        ...


@dataclass(frozen=True)
class AsSpark:
    """As Spark sends what its own tasks return; deflated, for most are cells without a count."""

    def pack(self, reading: Any) -> bytes:
        """Return it as bytes."""
        data: bytes = _serializer().dumps(reading)
        return zlib.compress(data, 1)

    def unpack(self, data: bytes) -> Any:
        """Return what was packed."""
        return _serializer().loads(zlib.decompress(data))


@dataclass(frozen=True)
class PartWork:
    """What a task does with its rows.

    Attributes:
        reading: packed.
        packing: how.
        mapping: how rows become events.
        model: whose.
        tags: that are wanted.
    """

    reading: bytes
    packing: Packing
    mapping: Mapping
    model: str
    tags: tuple[str, ...]

    def read(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Yield the reading with the events of some rows; nothing of no rows."""
        reading: Reading = self.packing.unpack(self.reading)
        rows = 0
        try:
            for batch in batches:
                reading.add(events_of(arrow_table(batch), self.mapping, self.model, self.tags))
                rows += batch.num_rows
        except DriftlineError as error:
            yield _row(rows, None, str(error))
            return
        if rows:
            yield _row(rows, self.packing.pack(reading), None)


def merged(batches: Iterable[pa.RecordBatch], packing: Packing) -> Iterator[pa.RecordBatch]:
    """Yield one part of what is in several; the first problem where there is any."""
    whole: Any = None
    rows = 0
    for batch in batches:
        for row in batch.to_pylist():
            if row["problem"] is not None:
                yield _row(rows, None, row["problem"])
                return
            rows += row["rows"]
            found = packing.unpack(row["part"])
            try:
                if whole is None:
                    whole = found
                else:
                    whole.merge(found)
            except DriftlineError as error:
                yield _row(rows, None, str(error))
                return
    if whole is not None:
        yield _row(rows, packing.pack(whole), None)


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


def _serializer() -> Any:
    from pyspark.serializers import CPickleSerializer

    return CPickleSerializer()


def _row(rows: int, part: bytes | None, problem: str | None) -> pa.RecordBatch:
    columns = [
        pa.array([each], kind)
        for each, kind in zip((rows, part, problem), _PART.types, strict=True)
    ]
    return pa.RecordBatch.from_arrays(columns, schema=_PART)
