"""A seeded Parquet file of 22 features, its predictions among them, and truth; of any length."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

FIELDS = {
    "timestamp": "timestamp",
    "prediction.score": "score",
    "prediction.label": "label",
    "actual": "actual",
    "tags.channel": "channel",
    "features": "*",
}
"""What is what in it, as `sources.<topic>.fields` has it."""
FEATURES = 22

_BEGIN = 1_767_225_600_000  # ms
_GROUP = 250_000


def write_wide_file(path: Path, rows: int) -> None:
    """Write the file, an event a second, a row group at a time."""
    rng = np.random.default_rng(7)
    writer: pq.ParquetWriter | None = None
    for first in range(0, rows, _GROUP):
        table = _rows(first, min(_GROUP, rows - first), rng)
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table)
    if writer is not None:
        writer.close()


def _rows(first: int, n: int, rng: np.random.Generator) -> pa.Table:
    ms = _BEGIN + 1_000 * np.arange(first, first + n)
    columns = {"timestamp": pa.array(ms, pa.timestamp("ms", "UTC"))}
    for i in range(13):
        columns[f"n{i:02}"] = pa.array(rng.normal(50, 10, n), mask=rng.random(n) < 0.01)
    columns["distance"] = pa.array(rng.integers(0, 200_000, n))
    columns["age"] = pa.array(rng.integers(0, 90, n))
    for i in range(4):
        names = [f"c{k}" for k in range(5 + 20 * i)]
        columns[f"c{i}"] = pa.array(rng.choice(names, n))
    columns["flag"] = pa.array(rng.random(n) < 0.3)
    columns["channel"] = pa.array(rng.choice(["web", "app", "shop"], n))
    score = rng.random(n)
    columns["score"] = pa.array(score)
    columns["label"] = pa.array((score > 0.5).astype(np.int64))
    columns["actual"] = pa.array((rng.random(n) < score).astype(np.int64))
    return pa.table(columns)
