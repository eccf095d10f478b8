"""A program that counts a topic on Spark, and may die at a given place: see `test_stream.py`.

    python -m tests.spark.streaming CONFIG TOPIC CHECKPOINT JARS [DEATH]

`DEATH` is `PLACE:BATCH`: `panes`, behind what a batch sends; `state`, behind its record; `all`,
amid a batch; `worker`, of one Python worker alone; `hold`, which waits for a file of that name in
the checkpoint's folder before a batch is made known.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

from driftline.consumer.spark import sketch_stream, starting_offsets
from driftline.consumer.spark.driver import SketchDriver


def children(of: int) -> list[int]:
    """Return the processes below one, the nearest first."""
    parents: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:  # it has ended
            continue
        parents.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    found = list(parents.get(of, []))
    for one in found:
        found += parents.get(one, [])
    return found


def die() -> None:
    """`kill -9` everything."""
    for process in children(os.getpid()):
        os.kill(process, signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)


def kill_a_worker() -> None:
    """`kill -9` the youngest Python worker."""
    workers = [
        process
        for process in children(os.getpid())
        if b"pyspark" in Path(f"/proc/{process}/cmdline").read_bytes()
        and b"java" not in Path(f"/proc/{process}/cmdline").read_bytes().split(b"\0")[0]
    ]
    print(f"killed a worker of {len(workers)}", flush=True)
    os.kill(workers[-1], signal.SIGKILL)


def arrange(death: str, checkpoint: Path) -> None:
    """Let the driver die as it is told to."""
    place, _, number = death.partition(":")
    task, done, record = SketchDriver.task, SketchDriver.done, SketchDriver._record
    here = threading.local()

    def recorded(self: SketchDriver, states: Any) -> None:
        if place == "panes" and getattr(here, "batch", None) == int(number):
            die()
        record(self, states)

    def made_known(self: SketchDriver, batch: int, counted: Any) -> None:
        here.batch = batch
        if place == "hold" and batch == int(number):
            print("held", flush=True)
            while not (checkpoint.parent / "go").exists():
                time.sleep(0.1)
        done(self, batch, counted)
        if place == "state" and batch == int(number):
            die()

    def asked(self: SketchDriver, batch: int) -> Any:
        if batch == int(number) and place == "all":
            threading.Timer(0.3, die).start()
        if batch == int(number) and place == "worker":
            threading.Timer(0.2, kill_a_worker).start()
        return task(self, batch)

    for name, method in (("_record", recorded), ("done", made_known), ("task", asked)):
        setattr(SketchDriver, name, method)


def main() -> None:
    config, topic, checkpoint, jars, *death = sys.argv[1:]
    if death:
        arrange(death[0], Path(checkpoint))
    from pyspark.sql import SparkSession
    from tests.spark.conftest import MASTER, SETTINGS

    builder = SparkSession.builder.master(MASTER)
    for name, value in {**SETTINGS, "spark.jars": jars}.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    bootstrap = os.environ["BOOTSTRAP"]
    stream = (
        session.readStream.format("kafka")
        .option("kafka.bootstrap.servers", bootstrap)
        .option("subscribe", topic)
        .option("startingOffsets", starting_offsets(config=config, topic=topic))
        .option("includeHeaders", "true")
        .option("maxOffsetsPerTrigger", os.environ.get("MOST", "700"))
        .load()
    )
    query = (
        sketch_stream(stream, config=config, topic=topic, take_over="TAKE_OVER" in os.environ)
        .option("checkpointLocation", checkpoint)
        .trigger(availableNow=True)
        .start()
    )
    query.awaitTermination()
    for thread in threading.enumerate():  # what it says at its end
        if thread.name.startswith("driftline-") and thread.name != "driftline-http":
            thread.join(30)
    session.stop()
    print("ended", flush=True)


if __name__ == "__main__":
    main()
