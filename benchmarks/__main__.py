"""All that `make bench` measures, each program in a process of its own.

`make sequential` prints the one table of what alarms promise (`sequential`, with `windowed`,
`real_data`, `sentences`, `peers` and others). The others are run by hand: `comparisons` (wrong
decisions on two sides that are equally good), `plan_memory` (what many models cost at the start
and in memory), `decode` (the decoder alone), `detectors` (counting),
`mistakes` (what the answer to a mistake costs), `moving` (false alarms and steps of references that
move), `pace` (what a worker costs at a steady rate, and how soon it says what it found), `onsets`
(how exactly a change is dated), `pane` (what a pane of 3,000 features costs, part by part),
`null_alarms` (false alarms on quiet streams), `performance_alarms` (the same of performance, and
its intervals), `seasons` (cycles of the day and the week), `untuned` (the budget and what is found,
on kinds of streams that nothing was tuned on), `spark_batch` (a backtest on Spark, on one
core and on two, beside a plain process), `segments` (what ten segments add to false alarms, and to
delays), `embeddings` (what is derived of embeddings and texts, beside a test of MMD), and
`samples` (files that packages ship).
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PROGRAMS = ("throughput", "memory", "joins", "judging", "logger", "references", "columns")

if __name__ == "__main__":
    for name in PROGRAMS:
        print(f"== {name}", flush=True)
        command = [sys.executable, "-m", f"benchmarks.{name}"]
        subprocess.run(command, cwd=Path(__file__).parents[1], check=True)
