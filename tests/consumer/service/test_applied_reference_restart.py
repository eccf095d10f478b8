"""Another reference of the same layout is applied while workers are killed: evidence goes on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tests.consumer.service.drawing import MODELS
from tests.consumer.service.simulation import dispersed, reference

from driftline.consumer.judge.features.changes import ChangeWatch
from driftline.consumer.service.versions import earlier as earlier_of
from driftline.detectors import Reference

from .test_applied_restart import compare_runs
from .test_restart import alarm_early

SETTINGS: dict[str, Any] = {"window": {"pane": "2s"}, "budget": "1 per 10m"}
FIRST = dispersed(reference(MODELS[0]))


def moved(found: Reference, feature: str) -> Reference:
    """Return a reference of the same layout, in which one feature has its counts the other way."""
    counts, starts = found.counts.copy(), found.layout.starts
    f = found.layout.position[feature]
    own = slice(int(starts[f]), int(starts[f + 1]))
    counts[:, own] = np.roll(counts[:, own], 1, axis=1)
    return replace(found, counted=replace(found.counted, counts=counts))


REFERENCES = (FIRST, moved(FIRST, "c"), moved(FIRST, "x"), dispersed(reference(MODELS[0], seed=6)))


def differs(seed: int) -> str | None:
    return compare_runs(seed, settings=SETTINGS, layouts=REFERENCES)


def test_references_that_are_applied_are_judged_as_in_a_calm_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    alarm_early(monkeypatch)
    carried: list[bool] = []
    original = ChangeWatch.carry

    def carry(self: ChangeWatch, old: ChangeWatch) -> None:
        original(self, old)
        carried.extend(self.of(f) is not None for f in range(len(FIRST.layout.features)))

    monkeypatch.setattr(ChangeWatch, "carry", carry)
    for seed in range(4):
        assert differs(seed) is None, f"seed {seed}"
    assert 0 < sum(carried) < len(carried)  # that of a feature that moved begins anew


def begin_with_the_new_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a judge be opened with the new reference wherever the evidence is not there yet."""
    opened: set[str] = set()

    def earlier(versions: Any, judged: Any) -> Any:
        again = judged.version in opened
        opened.add(judged.version)
        return None if again else earlier_of(versions, judged)

    monkeypatch.setattr("driftline.consumer.service.plan.earlier_of", earlier)


def test_the_old_reference_is_needed_until_the_new_one_holds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    alarm_early(monkeypatch)
    begin_with_the_new_one(monkeypatch)
    assert any(differs(seed) for seed in (3, 8, *range(9, 20)))
