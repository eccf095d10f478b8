"""What a worker holds of many models: of those that it judges, and of those that it only counts.

Run: python -m benchmarks.plan_memory [--models N] [--judged N] [--features N]

Every model has a reference file of its own, with five streams of which the configuration watches
one. Each line is a process of its own; CPU seconds are its, memory is what it holds in the end.
"""

from __future__ import annotations

import argparse
import gc
import gzip
import json
import multiprocessing
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from benchmarks.workload import Workload, peak_memory

from driftline.consumer.cli.load_models import read_plan
from driftline.consumer.config import load
from driftline.consumer.judge.state import JudgeState
from driftline.consumer.log.protocol import TopicPartition
from driftline.consumer.service.plan import Plan
from driftline.consumer.service.references import load_reference
from driftline.consumer.sketch.state import SketchState
from driftline.consumer.sketch.totals import InputTotals

MODELS, JUDGED, FEATURES = 50, 5, 100
TOPIC = "events"
_FILES = 10  # written; the others are links to them, as each is read for itself


def write(folder: Path, models: int, features: int) -> None:
    """Write the configuration and the references of a fleet."""
    categorical = features // 4
    reference = Workload("model-0", features - categorical, categorical).reference()
    for i in range(models):
        path = folder / f"model-{i}.json.gz"
        if i < _FILES:
            own = replace(reference, model=f"model-{i}")
            path.write_bytes(gzip.compress(own.to_json(), 6, mtime=0))
        else:
            path.hardlink_to(folder / f"model-{i % _FILES}.json.gz")
    config = {
        "kafka": {"bootstrap_servers": "localhost:9092"},
        "models": {
            f"model-{i}": {"predictions": TOPIC, "reference": str(folder / f"model-{i}.json.gz")}
            for i in range(models)
        },
    }
    (folder / "driftline.yaml").write_text(json.dumps(config))


def start(folder: Path, judged: int) -> Plan:
    """Read what is watched, as `driftline run` does before it asks the broker."""
    return read_plan(load(folder / "driftline.yaml", environ={}))


def judge(folder: Path, judged: int) -> object:
    """Open the judges of some of the models."""
    plan = start(folder, judged)
    return plan, [plan.judge(f"model-{i}", JudgeState(0, 0)) for i in range(judged)]


def sketch(folder: Path, judged: int) -> object:
    """Open one partition of the topic in which all models are."""
    plan = start(folder, judged)
    state = SketchState("id", 1, 0, 0, 0, {})
    return plan, plan.sketch(TopicPartition(TOPIC, 0), 1, state, 0, InputTotals(), 0)


def whole(folder: Path, judged: int) -> object:
    """Read the references themselves, each with its id."""
    found = [load_reference(folder / f"model-{i}.json.gz") for i in range(judged)]
    return found, [(each.id, each.layout_id) for each in found]


WHAT: dict[str, Callable[[Path, int], object]] = {
    "references of the judged alone": whole,
    "start": start,
    "start and judge": judge,
    "start and sketch": sketch,
}


def measured(what: str, folder: Path, judged: int) -> None:
    """Do it and print what it took; in a process of its own."""
    gc.collect()
    before, began = _held(), time.process_time()
    kept = WHAT[what](folder, judged)
    spent = time.process_time() - began
    gc.collect()
    print(
        f"{what:<32} {spent:7.2f} CPU s   {_held() - before:7.1f} MB held"
        f"   {peak_memory():7.0f} MB at the peak",
        flush=True,
    )
    del kept


def _held() -> float:
    """Memory of this process now, MB."""
    status = Path("/proc/self/status").read_text()
    kibibytes = next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]
    return int(kibibytes) * 1024 / 1e6


def main() -> None:
    """Write a fleet, then measure each part of a worker's start."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=int, default=MODELS)
    parser.add_argument("--judged", type=int, default=JUDGED)
    parser.add_argument("--features", type=int, default=FEATURES)
    options = parser.parse_args()
    spawn = multiprocessing.get_context("spawn")
    print(f"{options.models} models x {options.features} features, {options.judged} judged:")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        writing = spawn.Process(target=write, args=(folder, options.models, options.features))
        writing.start()
        writing.join()
        for what in WHAT:
            process = spawn.Process(target=measured, args=(what, folder, options.judged))
            process.start()
            process.join()


if __name__ == "__main__":
    main()
