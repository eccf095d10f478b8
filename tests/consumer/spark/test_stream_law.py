"""Whatever a query of Spark goes through, what is published is what workers publish."""

from __future__ import annotations

import os
import random
from typing import Any

import pytest
from tests.consumer.service.drawing import draw_input, draw_labelling, in_other_forms
from tests.consumer.service.simulation import Run, Schedule
from tests.consumer.service.test_restart import SETTINGS
from tests.consumer.spark.simulated import SparkRun

RUNS = int(os.environ.get("DRIFTLINE_RUNS", "8"))


def compare(seed: int, settings: dict[str, Any] | None = None) -> str | None:
    """Run seed `seed` on Spark, and calm by a worker; return what differs, None if nothing."""
    rng = random.Random(seed)
    partitions, disorder = rng.choice([1, 2, 3, 5]), rng.choice([0, 4, 12])
    labelling = draw_labelling(rng, partitions) if seed % 3 == 2 else None
    inputs = draw_input(rng, partitions, disorder, gradual=False, labelling=labelling)
    if seed % 4 == 3:
        inputs = {place: list(in_other_forms(log)) for place, log in inputs.items()}
    still = Schedule("20s", settings=settings or SETTINGS[seed % len(SETTINGS)])
    calm = Run(inputs, still, random.Random(1), labelling).go()
    run = SparkRun(inputs, still, random.Random(seed + 1), labelling)
    run.deaths = rng.choice([0.0, 0.2, 0.5])
    return difference(calm, run.go())


def difference(calm: Run, other: Run) -> str | None:
    for topic in ("verdicts", "alerts"):
        expected, found = calm.published(topic), other.published(topic)
        if expected != found:
            gone, new = expected.keys() - found.keys(), found.keys() - expected.keys()
            return f"{topic}: {len(gone)} missing, {len(new)} new, of {len(expected)}"
    if calm.dead_letters() != other.dead_letters():
        return "dead letters differ"
    return None


@pytest.mark.parametrize("seed", range(RUNS))
def test_a_query_publishes_what_workers_publish(seed: int) -> None:
    assert compare(seed) is None
