"""The outputs of random runs: workers that are killed, and some that are not."""

from __future__ import annotations

import random

from tests.consumer.golden.outputs import Outputs, record_lines, state_lines
from tests.consumer.service.drawing import Inputs, Labelling, draw_input, draw_labelling
from tests.consumer.service.simulation import OUTPUTS, Run, Schedule

CALM, KILLED = (1, 2, 5), (3, 4, 7, 9, 12)
"""Seeds; the odd ones have labels."""


def random_runs() -> Outputs:
    """Each topic of each run."""
    found: Outputs = {}
    for seed in (*CALM, *KILLED):
        run = _run(seed, killed=seed in KILLED)
        found[f"random {seed}/run"] = [f"{run.kills} kills"]
        for name in OUTPUTS:
            lines = state_lines if name == "state" else record_lines
            found[f"random {seed}/{name}"] = lines(run.broker.records(f"driftline.{name}"))
    return found


def drawn(seed: int) -> tuple[random.Random, bool, Inputs, Labelling | None]:
    """What a seed stands for: whether events are still to arrive, the input, and its labels."""
    rng = random.Random(seed)
    gradual = rng.random() < 0.4
    partitions, disorder = rng.choice([1, 2, 3, 5]), rng.choice([0, 4] if gradual else [0, 4, 12])
    labelling = draw_labelling(rng, partitions) if seed % 2 else None
    return rng, gradual, draw_input(rng, partitions, disorder, gradual, labelling), labelling


def _run(seed: int, *, killed: bool) -> Run:
    rng, gradual, inputs, labelling = drawn(seed)
    schedule = Schedule("off" if gradual else "20s", gradual=gradual)
    if killed:
        schedule.workers = rng.choice([1, 2, 3])
        schedule.batch = rng.choice([7, 50])
        schedule.kill = rng.choice([0.02, 0.1])
    return Run(inputs, schedule, random.Random(seed + 1), labelling).go()
