"""What backtesting a file as columns costs, beside row by row, and beside Evidently's DataDrift.

    python -m benchmarks.columns [--rows N] [--small N] [--seed N]

Files of 22 features and 48 hours are made, of two sizes. `driftline backtest` with a configuration
judges each in a process of its own, and `driftline reference build` reads the larger, with its
ground truth. The same rows are then counted as events of JSON, one by one, a CSV file is read
twice, and Evidently compares the smaller file with the reference, in an environment of its own that
is made from `requirements-evidently.txt`. CPU seconds are those of the whole process. Beside the
figures of ten million rows stand the bars that they have to keep.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
from benchmarks import environments

ROOT = environments.ROOT
START, SPAN = 1_767_225_600_000, 48 * 3_600_000
AT_ONCE = 100_000
ROWS = 10_000_000
CONFIG = """
kafka: {bootstrap_servers: "localhost:9092"}
sources:
  ml.events:
    fields: {event_id: event_id, timestamp: ts, model_version: version, prediction.score: score,
      prediction.label: label, actual: actual, tags.channel: channel, features: "*"}
models:
  fraud:
    predictions: ml.events
    reference: normal.json.gz
    window: {length: 1h, every: 15m, grace: 1m}
"""
DRIFTLINE = "from driftline.consumer.cli import main; main()"
ROW_BY_ROW = """
import sys
from pathlib import Path
from driftline.consumer.config import load
from driftline.consumer.log.memory import MemoryRecord
from driftline.consumer.log.protocol import TopicPartition
from driftline.consumer.service.plan import Plan
from driftline.consumer.service.references import load_reference
from driftline.consumer.sketch.state import SketchState
from driftline.consumer.sketch.totals import InputTotals
from driftline.producer.files.rows import read_rows
from driftline.producer.replay.replay import encode_event
config = load(Path("driftline.yaml"), environ={}, overrides={}, offline=True).config
source = config.sources.pop("ml.events")
plan = Plan(config, {"fraud": load_reference(Path("normal.json.gz"))})
place = TopicPartition("ml.events", 0)
sketch = plan.sketch(place, 1, SketchState("file", 1, 0, 0, 0, {}), 0, InputTotals(), 1)
done = 0
for rows in read_rows(sys.argv[1]):
    events = map(encode_event, map(source.mapping.to_event, rows))
    sketch.feed([MemoryRecord(*place, done + i, -1, *e) for i, e in enumerate(events)], 0)
    done += len(rows)
"""
CSV = """
import sys, time
from driftline.producer.files.tables import read_tables
for what in ("the first time", "again"):
    began = time.process_time()
    rows = sum(table.rows for table in read_tables("few.csv"))
    seconds = time.process_time() - began
    pace = f"{rows / seconds:>12,.0f} rows/CPU s"
    print(f"CSV, read {what:<24}{rows:>12,} rows {seconds:>8.1f} CPU s {pace}", file=sys.stderr)
"""
EVIDENTLY = """
import sys
import pandas
from evidently import DataDefinition, Dataset, Report
from evidently.presets import DataDriftPreset
numbers = [f"num_{i}" for i in range(14)] + ["score"]
texts = [f"cat_{i}" for i in range(6)] + ["label"]
kinds = DataDefinition(numerical_columns=numbers, categorical_columns=texts)
sides = [
    Dataset.from_pandas(pandas.read_parquet(file, columns=numbers + texts), data_definition=kinds)
    for file in sys.argv[1:]
]
Report([DataDriftPreset()]).run(*sides).dict()
"""


@dataclass(frozen=True)
class Cost:
    """Of a process: CPU seconds, and the most memory that it held (MB)."""

    seconds: float
    memory: int

    def __str__(self) -> str:
        """Return both."""
        return f"{self.seconds:,.0f} CPU s and {self.memory:,} MB"


BARS = {"backtest": Cost(15, 400), "reference build": Cost(40, 1_000)}
"""At most, of ten million rows."""
TIMES = 10
"""At least, of Evidently's rows for each CPU second."""


def table(begin: int, rows: int, total: int, rng: np.random.Generator, shift: float) -> pa.Table:
    """Return rows in the order of their times; `num_1` moves in the second half."""
    at = np.arange(begin, begin + rows)
    times = START + at * SPAN // total + rng.integers(0, 10_000, rows)
    columns = {"event_id": pa.array(np.char.add("e", at.astype(str)))}
    columns["ts"] = pa.array(times, pa.timestamp("ms", "UTC"))
    for i in range(14):
        normal = 100 + 20 * (rng.normal(size=rows) + np.where(2 * at >= total, shift * (i == 1), 0))
        kinds = (rng.poisson(40, rows), normal.round(2), rng.lognormal(5, 1, rows).round(2))
        columns[f"num_{i}"] = pa.array(kinds[i % 3], mask=rng.random(rows) < 0.02 * (i == 0))
    names = np.array([f"cat-{i}" for i in range(10)])
    for i in range(6):
        columns[f"cat_{i}"] = pa.array(rng.choice(names, rows, p=np.arange(1, 11) / 55))
    columns["score"] = pa.array(rng.beta(2, 8, rows).round(6))
    columns["label"] = pa.array(np.where(rng.random(rows) < 0.1, "fraud", "ok"))
    columns["actual"] = pa.array(np.where(rng.random(rows) < 0.1, "fraud", "ok"))
    columns["version"] = pa.array(np.where(2 * at >= total, "3.2", "3.1"))
    columns["channel"] = pa.array(np.array(["app", "shop", "web"])[rng.integers(0, 3, rows)])
    return pa.table(columns)


def write(file: Path, rows: int, rng: np.random.Generator, shift: float) -> None:
    writer = None
    for begin in range(0, rows, AT_ONCE):
        part = table(begin, min(AT_ONCE, rows - begin), rows, rng, shift)
        writer = writer or pq.ParquetWriter(file, part.schema)
        writer.write_table(part)
    if writer is not None:
        writer.close()


def cost(folder: Path, program: str, *arguments: str, python: str = sys.executable) -> Cost:
    """Run a program in a process of its own."""
    child = subprocess.Popen(
        [python, "-c", program, *arguments], cwd=folder, stdout=subprocess.DEVNULL
    )
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"{program.strip().splitlines()[-1]}: exit code {child.returncode}")
    return Cost(used.ru_utime + used.ru_stime, used.ru_maxrss >> 10)


def say(what: str, rows: int, found: Cost) -> float:
    """Print a line; return rows for each CPU second."""
    pace = rows / found.seconds
    bar = f"  (bar: {BARS[what]})" if what in BARS and rows == ROWS else ""
    print(
        f"{what:<34}{rows:>12,} rows {found.seconds:>8.1f} CPU s {pace:>12,.0f} rows/CPU s"
        f" {found.memory:>7,} MB{bar}",
        flush=True,
    )
    return pace


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--small", type=int, default=2_000_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    python = str(environments.python("evidently"))
    with tempfile.TemporaryDirectory() as name:
        folder, rng = Path(name), np.random.default_rng(options.seed)
        (folder / "driftline.yaml").write_text(CONFIG)
        for file, rows, shift in (
            ("normal", 200_000, 0.0), ("small", options.small, 0.2), ("large", options.rows, 0.2),
        ):  # fmt: skip
            write(folder / f"{file}.parquet", rows, rng, shift)
        build = [
            "reference",
            "build",
            "-c",
            "driftline.yaml",
            "--model",
            "fraud",
            "-i",
            "normal.parquet",
        ]
        cost(folder, DRIFTLINE, *build, "-o", "normal.json.gz")
        for file, rows in (("small", options.small), ("large", options.rows)):
            found = cost(folder, DRIFTLINE, "backtest", "-i", f"{file}.parquet", "--json")
            pace = say("backtest", rows, found)
        large = [*build[:-1], "large.parquet", "-o", "large.json.gz"]
        say("reference build", options.rows, cost(folder, DRIFTLINE, *large))
        few = folder / "few.parquet"
        write(few, 200_000, rng, 0.2)
        pyarrow.csv.write_csv(pq.read_table(few), folder / "few.csv")
        cost(folder, CSV)
        by_rows = say("row by row, counting alone", 200_000, cost(folder, ROW_BY_ROW, few.name))
        files = ("small.parquet", "normal.parquet")
        theirs = cost(folder, EVIDENTLY, *files, python=python)
        evidently = say("Evidently's DataDriftPreset", options.small, theirs)
        print(f"columns beside rows: {pace / by_rows:.1f} times as fast")
        print(f"columns beside Evidently: {pace / evidently:.1f} times as fast (bar: {TIMES})")


if __name__ == "__main__":
    main()
