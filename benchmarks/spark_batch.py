"""What a backtest on Spark costs, beside one plain process over the same files, in one run.

    python -m benchmarks.spark_batch [--rows N] [--files N] [--seed N]

A lake of 22 features and 48 hours is made (`columns` makes the rows). `driftline backtest` judges
it in a process of its own; then `local[1]` and `local[2]` do, each in a session of its own and
twice: the first job loads classes and the workers' imports, the second is what a job costs in a
session that runs. Seconds are of the wall and of the CPU: of the process, its JVM and its Python
workers. It needs Java 17 and `make .venv/.spark`.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from benchmarks import columns

PLAIN = "from driftline.consumer.cli import main; main()"
SPARK = """
import os, sys, time
from pathlib import Path
from pyspark.sql import SparkSession
from driftline.consumer.spark import backtest

def cpu():
    total, seen = 0.0, {os.getpid()}
    tick, stats = os.sysconf("SC_CLK_TCK"), []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            head, _, rest = path.read_text().rpartition(")")
        except OSError:
            continue
        fields = rest.split()
        stats.append((int(head.split()[0]), int(fields[1]), sum(map(int, fields[11:15]))))
    grown = True
    while grown:
        own = {pid for pid, parent, _ in stats if parent in seen}
        grown = not own <= seen
        seen |= own
    return sum(ticks for pid, _, ticks in stats if pid in seen) / tick

settings = {
    "spark.driver.memory": "1g", "spark.ui.enabled": "false", "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1", "spark.sql.session.timeZone": "UTC",
    "spark.ui.showConsoleProgress": "false", "spark.sql.shuffle.partitions": sys.argv[2],
}
builder = SparkSession.builder.master(f"local[{sys.argv[2]}]")
for name, value in settings.items():
    builder = builder.config(name, value)
session = builder.getOrCreate()
session.sparkContext.setLogLevel("ERROR")
for turn in ("first", "second"):
    wall, used = time.perf_counter(), cpu()
    rows = backtest(session.read.parquet(sys.argv[1]), config="driftline.yaml").collect()
    wall, used = time.perf_counter() - wall, cpu() - used
    print(turn, len(rows), wall, used, flush=True)
    if turn == "first":
        lines = sorted(row.json for row in rows if row.kind == "alert")
        Path(f"alerts-{sys.argv[2]}").write_text("".join(f"{line}\\n" for line in lines))
session.stop()
"""


def lake(folder: Path, rows: int, files: int, seed: int) -> None:
    """Write the files, a stretch of time each, and the reference."""
    (folder / "driftline.yaml").write_text(columns.CONFIG, encoding="utf-8")
    rng, size = np.random.default_rng(seed), rows // files
    columns.write(folder / "normal.parquet", 200_000, rng, 0.0)
    (folder / "lake").mkdir()
    for i in range(files):
        part = columns.table(i * size, size, rows, rng, 0.2)
        pq.write_table(part, folder / "lake" / f"part-{i:03}.parquet", row_group_size=100_000)
    build = ["reference", "build", "-c", "driftline.yaml", "--model", "fraud"]
    command = [*build, "-i", "normal.parquet", "-o", "normal.json.gz"]
    subprocess.run(
        [sys.executable, "-c", PLAIN, *command], cwd=folder, check=True, stdout=subprocess.DEVNULL
    )


def show(what: str, rows: int, wall: float, used: float) -> None:
    pace = f"{rows / used:>12,.0f} rows/CPU s"
    print(f"{what:<32}{rows:>12,} rows {wall:>8.1f} s {used:>8.1f} CPU s {pace}", flush=True)


def plain(folder: Path, rows: int) -> list[str]:
    """Judge the lake in a plain process; return its alerts."""
    command = [sys.executable, "-c", PLAIN, "backtest", "--config", "driftline.yaml"]
    command += ["--input", "lake", "--alerts", "alerts.jsonl"]
    wall, before = time.perf_counter(), os.times()
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    after = os.times()
    used = after.children_user + after.children_system
    used -= before.children_user + before.children_system
    show("driftline backtest", rows, time.perf_counter() - wall, used)
    return sorted((folder / "alerts.jsonl").read_text(encoding="utf-8").splitlines())


def on_spark(folder: Path, rows: int, cores: int) -> list[str]:
    """Judge it on local[cores]; return the alerts of the first job."""
    command = [sys.executable, "-c", SPARK, "lake", str(cores)]
    environ = {**os.environ, "PYSPARK_PYTHON": sys.executable}
    ran = subprocess.run(
        command, cwd=folder, check=True, env=environ, stdout=subprocess.PIPE, text=True
    )
    for line in ran.stdout.splitlines():
        turn, _, wall, used = line.split()
        show(f"local[{cores}], {turn} job", rows, float(wall), float(used))
    return (folder / f"alerts-{cores}").read_text(encoding="utf-8").splitlines()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--files", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        lake(folder, given.rows, given.files, given.seed)
        own = plain(folder, given.rows)
        for cores in (1, 2):
            found = on_spark(folder, given.rows, cores)
            print(f"  {len(found)} alerts, {'equal' if found == own else 'NOT EQUAL'}", flush=True)


if __name__ == "__main__":
    main()
