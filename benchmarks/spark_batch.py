"""What a backtest on Spark costs, beside one plain process over the same files, in one run.

    python -m benchmarks.spark_batch [--reference] [--rows N] [--files N] [--seed N]

A lake of 22 features and 48 hours is made (`columns` makes the rows). `driftline backtest` judges
it in a process of its own; then `local[1]` and `local[2]` do, each in a session of its own and
twice: the first job loads classes and the workers' imports, the second is what a job costs in a
session that runs. Seconds are of the wall and of the CPU: of the process, its JVM and its Python
workers. With `--reference` each builds a reference of the lake instead; beside it stands how much
memory the process had at most that builds it or drives Spark. It needs Java 17 and
`make .venv/.spark`.
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
import os, resource, sys, time
from pathlib import Path
from pyspark.sql import SparkSession
from driftline.consumer.spark import backtest, build_reference

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
    df = session.read.parquet(sys.argv[1])
    if sys.argv[3] == "reference":
        built = build_reference(df, model="fraud", config="driftline.yaml").to_json()
        lines = built.decode().splitlines()
    else:
        rows = backtest(df, config="driftline.yaml").collect()
        lines = sorted(row.json for row in rows if row.kind == "alert")
    wall, used = time.perf_counter() - wall, cpu() - used
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(turn, memory, wall, used, flush=True)
    if turn == "first":
        Path(f"found-{sys.argv[2]}").write_text("".join(f"{line}\\n" for line in lines))
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


def show(what: str, rows: int, wall: float, used: float, memory: int | None = None) -> None:
    pace = f"{rows / used:>12,.0f} rows/CPU s"
    held = "" if memory is None else f" {memory / 1024:>8,.0f} MB"
    print(f"{what:<32}{rows:>12,} rows {wall:>8.1f} s {used:>8.1f} CPU s {pace}{held}", flush=True)


def plain(folder: Path, rows: int, verb: str) -> list[str]:
    """Judge the lake in a plain process, or build its reference; return what is found."""
    command = [sys.executable, "-c", PLAIN]
    if verb == "backtest":
        command += ["backtest", "--config", "driftline.yaml"]
        command += ["--input", "lake", "--alerts", "found"]
    else:
        command += ["reference", "build", "--config", "driftline.yaml", "--model", "fraud"]
        command += ["--input", "lake", "--output", "found.json"]
    wall, before = time.perf_counter(), os.times()
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0
    after = os.times()
    used = after.children_user + after.children_system
    used -= before.children_user + before.children_system
    memory = usage.ru_maxrss if verb == "reference" else None
    show(f"driftline {verb}", rows, time.perf_counter() - wall, used, memory)
    if verb == "reference":
        return (folder / "found.json").read_text(encoding="utf-8").splitlines()
    return sorted((folder / "found").read_text(encoding="utf-8").splitlines())


def on_spark(folder: Path, rows: int, cores: int, verb: str) -> list[str]:
    """Do it on local[cores]; return what the first job found."""
    command = [sys.executable, "-c", SPARK, "lake", str(cores), verb]
    environ = {**os.environ, "PYSPARK_PYTHON": sys.executable}
    ran = subprocess.run(
        command, cwd=folder, check=True, env=environ, stdout=subprocess.PIPE, text=True
    )
    for line in ran.stdout.splitlines():
        turn, memory, wall, used = line.split()
        held = int(memory) if verb == "reference" else None
        show(f"local[{cores}], {turn} job", rows, float(wall), float(used), held)
    return (folder / f"found-{cores}").read_text(encoding="utf-8").splitlines()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reference", action="store_true")
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--files", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    verb = "reference" if given.reference else "backtest"
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        lake(folder, given.rows, given.files, given.seed)
        own = plain(folder, given.rows, verb)
        for cores in (1, 2):
            found = on_spark(folder, given.rows, cores, verb)
            same = "equal" if found == own else "NOT EQUAL"
            print(f"  {'alerts' if verb == 'backtest' else 'bytes'}: {same}", flush=True)


if __name__ == "__main__":
    main()
