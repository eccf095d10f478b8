"""Kills while a version comes that has a reference of its own: as in an undisturbed run."""

from __future__ import annotations

from typing import Any

import pytest

from driftline.consumer.judge.features import change_state, changes
from driftline.consumer.service import parts
from driftline.detectors.sequential.stream import StreamState

from .test_restart import alarm_early, compare

VERSIONS: dict[str, Any] = {
    "references": {"2": "unused.json"},
    "releases": ["model_version", "tier"],
    "window": {"pane": "2s"},
    "budget": "1 per 10m",
}
"""The version that comes halfway has a reference of its own; tiers are taken for releases."""


@pytest.fixture(autouse=True)
def _states_in_many_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, size in (("_SMALL", 40), ("_USUAL", 200), ("_LARGEST", 1_000)):
        monkeypatch.setattr(parts, name, size)


def test_versions_that_come_are_judged_as_in_a_calm_run() -> None:
    for seed in range(3):
        assert compare(seed, settings=VERSIONS) is None, f"seed {seed}"


def test_what_is_known_of_each_version_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the panes of each version are not, a run that is disturbed knows other shares."""
    original = change_state.unpack

    def forgetting(*given: Any) -> StreamState:
        found = original(*given)
        for group in found.groups:
            if group.season is not None:
                group.season.added[:] = 0
        return found

    alarm_early(monkeypatch)
    assert compare(4, settings=VERSIONS) is None
    monkeypatch.setattr(changes, "unpack", forgetting)
    assert any(compare(seed, settings=VERSIONS) for seed in range(4, 8))
