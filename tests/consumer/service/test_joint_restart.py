"""`kill -9` any worker at any time where features are watched for belonging together."""

from __future__ import annotations

import os
import random
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tests.consumer.service.drawing import (
    MODELS,
    SECOND,
    draw_accepted,
    draw_input,
    draw_labelling,
)
from tests.consumer.service.simulation import WITH_OUTCOMES, Run, Schedule

from driftline.consumer.config.joint import JointConfig
from driftline.consumer.judge.features import changes
from driftline.consumer.judge.joint import judge
from driftline.consumer.judge.joint.judge import JointJudge
from driftline.consumer.judge.joint.state import JointState
from driftline.consumer.service import parts
from driftline.consumer.service.plan import Plan
from driftline.detectors.dispersion import DIRECTIONS, JOINS, Dispersion
from driftline.detectors.joint.layout import JointLayout
from driftline.detectors.joint.normal import JointNormal
from driftline.detectors.reference import Reference

SETTINGS: dict[str, Any] = {
    "window": {"pane": "2s"},
    "budget": "1 per 10m",
    # An alert on a feature would keep its pairs quiet.
    "thresholds": {"missing": {"warning": 0.9}},
}
# `make restarts` makes ten times as many.
SEEDS = range(1, 1 + max(int(os.environ.get("DRIFTLINE_RUNS", "30")) // 30, 1))


def together(found: Reference) -> Reference:
    """Return a reference whose numbers, the score among them, go together as if by chance."""
    names = [feature.name for feature in found.layout.features[: found.layout.numeric]]
    layout = JointLayout.of(found.layout, found.counts[0], names)
    counts = np.zeros(layout.size, np.int64)
    counts[[1, 3, 5]] = 320, 70, 10
    layout.tables(counts)[:] = 44
    size = len(layout.table.features)
    phi = np.ones((len(JOINS), len(DIRECTIONS), size))
    known = Dispersion(2 * SECOND, 600, np.full(size, 10.0), phi)
    counted = replace(found.counted, joint=JointNormal(layout, counts, known))
    return replace(found, counted=counted)


def run(seed: int, schedule: Schedule, order: int) -> Run:
    """Return a run of an input, over a plan in which the first model's numbers are watched."""
    rng = random.Random(seed)
    labelling = draw_labelling(rng, 3)
    inputs = draw_input(rng, 3, 4, False, labelling)
    found = Run(inputs, schedule, random.Random(order), labelling)
    config = found.plan.config
    models = {
        name: model.model_copy(update={"joint": JointConfig() if name == MODELS[0] else None})
        for name, model in config.models.items()
    }
    references = {**WITH_OUTCOMES, MODELS[0]: together(WITH_OUTCOMES[MODELS[0]])}
    found.plan = Plan(config.model_copy(update={"models": models}), references)
    return found.go()


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let little evidence do, and a small state be in many parts."""
    monkeypatch.setattr(judge, "evidence_limit", lambda *_: -1.0)
    monkeypatch.setattr(changes, "surely", lambda *_: True)
    monkeypatch.setattr(parts, "_SMALL", 40)
    monkeypatch.setattr(parts, "_USUAL", 200)
    monkeypatch.setattr(parts, "_LARGEST", 1_000)


def compare(seed: int, cut: float = 0.0, *, accepted: bool = False) -> tuple[bool, int]:
    """Return whether a disturbed run publishes what a calm one does, and how many such alerts."""
    said = draw_accepted(random.Random(seed)) if accepted else []
    calm = run(seed, Schedule(settings=SETTINGS, accepted=said), 1)
    disturbed = Schedule(workers=2, batch=7, kill=0.1, settings=SETTINGS, cut=cut, accepted=said)
    wild = run(seed, disturbed, seed + 1)
    same = all(calm.published(topic) == wild.published(topic) for topic in ("verdicts", "alerts"))
    records = calm.broker.records("driftline.alerts")
    return same, sum(b'"joint_drift"' in (record.value or b"") for record in records)


def test_a_disturbed_run_publishes_what_a_calm_one_does() -> None:
    found = [compare(seed) for seed in SEEDS]
    assert [same for same, _ in found] == [True] * len(SEEDS)
    assert min(alerts for _, alerts in found) > 0


def test_so_does_one_whose_panes_come_in_parts() -> None:
    assert compare(1, cut=0.2)[0]


def test_so_does_one_in_which_pairs_are_accepted() -> None:
    assert compare(1, accepted=True)[0]


def test_a_state_without_what_fired_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    state = JointJudge.state

    def forgetting(self: JointJudge) -> JointState:
        return JointState(state(self).changes)

    monkeypatch.setattr(JointJudge, "state", forgetting)
    assert not compare(1)[0]
