"""Models are applied whose normal is accepted, or moves, while workers are killed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from driftline.consumer.judge.acceptances import Acceptances
from driftline.consumer.judge.moving import MovingReference

from .test_applied_again_restart import draw_again
from .test_applied_restart import compare_runs
from .test_restart import MOVING


def accepted(seed: int) -> str | None:
    return compare_runs(seed, accepted=True)


def moved(seed: int) -> str | None:
    return compare_runs(seed, settings=MOVING[seed % 2])


def test_what_is_accepted_outlives_what_is_applied(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[str] = []
    original = Acceptances.take

    def take(self: Acceptances, *given: Any) -> list[str]:
        found = original(self, *given)
        taken.extend(found)
        return found

    monkeypatch.setattr(Acceptances, "take", take)
    for seed in range(4):
        assert accepted(seed) is None, f"seed {seed}"
    assert compare_runs(1, accepted=True, draw=draw_again) is None
    assert {*taken} == {"x", "c"}


def test_a_reference_that_moves_goes_on_through_what_is_applied() -> None:
    for seed in range(4):
        assert moved(seed) is None, f"seed {seed}"
    assert compare_runs(1, settings=MOVING[0], draw=draw_again, accepted=True) is None


def forget_what_was_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Acceptances, "state", lambda self: msgspec.UNSET)


def forget_what_was_learnt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MovingReference, "keep", lambda *_: None)


@pytest.mark.parametrize(
    ("forget", "differs"),
    [(forget_what_was_accepted, accepted), (forget_what_was_learnt, moved)],
)
def test_it_is_found_out_where_a_state_forgets(
    forget: Callable[[pytest.MonkeyPatch], None],
    differs: Callable[[int], str | None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    forget(monkeypatch)
    assert any(differs(seed) for seed in range(12))
