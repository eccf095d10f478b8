"""`driftline check` of a model whose reference moves: what is kept, and since when."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.consumer.service.rig import Rig
from tests.consumer.service.small import MODEL, REFERENCE, SECOND, plan, rows

from driftline.consumer.cli.check_moving import kept_past, moving_finding
from driftline.consumer.log.memory import MemoryLog
from driftline.consumer.service.plan import Plan
from driftline.detectors.replaced_counts import with_counts
from driftline.detectors.seasons import FeatureSeason, Seasons

SETUP = plan(
    reference={"layout": "unused.json", "rolling": "80s"},
    window={"length": "40s", "every": "20s", "grace": "0s", "min_events": 3},
    thresholds={"ks": {"critical": 0.6}},
)


def kept(rig: Rig, setup: Plan) -> list[str]:
    log = MemoryLog(rig.broker)
    topics = log.topics(frozenset([setup.output("state")]))
    return [found.message for found in kept_past(setup.config, log, topics)]


def test_what_is_in_the_state() -> None:
    rig = Rig(SETUP)
    assert kept(rig, SETUP) == ["nothing of the stream is kept yet"]
    rng = np.random.default_rng(3)
    rig.write(rows(0, 400, SECOND, rng))
    rig.write(rows(400 * SECOND, 60, SECOND, rng, x=3.0))
    rig.start()
    rig.settle()
    (found,) = kept(rig, SETUP)
    said = "of the stream 0.0 MB are kept in driftline.state, since 2020-09-20 00:0"
    assert found.startswith(said)
    assert found.endswith("; what comes of 1 feature with an open alert is held apart")
    assert kept(rig, plan()) == []


@pytest.mark.parametrize(
    ("way", "said"),
    [
        (
            {"rolling": "28d"},
            "the last 28d of the stream are normal, kept in 28 parts of 1d; before the stream is"
            f" known for so long, reference {REFERENCE.id} is",
        ),
        (
            {"previous": "1 window"},
            "the window before each is normal; before the stream is known for so long, reference"
            f" {REFERENCE.id} is",
        ),
        (
            {"previous": "3 windows"},
            "3 windows before each are normal; before the stream is known for so long, reference"
            f" {REFERENCE.id} is",
        ),
    ],
)
def test_what_is_normal(way: dict[str, str], said: str) -> None:
    model = plan(reference={"layout": "r", **way}, window={"length": "1h"}).config.models[MODEL]
    assert moving_finding(MODEL, model, REFERENCE).message == said


def test_features_that_follow_a_cycle_stay() -> None:
    season = FeatureSeason("day_of_week", 300.0, np.ones((7, 5), np.int64))
    streams = tuple({REFERENCE.layout.position["c"]: season} for _ in REFERENCE.streams)
    counted = replace(with_counts(REFERENCE, {}).counted, seasons=Seasons("UTC", streams))
    seasonal = replace(REFERENCE, counted=counted)
    model = SETUP.config.models[MODEL]
    assert moving_finding(MODEL, model, seasonal).message.endswith(
        ";\nit stays normal for 1 feature that follows the hour or the day"
    )
