"""What is accepted as normal is so whatever happens to workers: see `test_restart`."""

from __future__ import annotations

from typing import Any

import pytest

from driftline.consumer.judge.acceptances import Acceptances

from .test_restart import MOVING, compare


def test_what_is_accepted_is_so_whatever_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[str] = []
    original = Acceptances.take

    def take(self: Acceptances, *given: Any) -> list[str]:
        found = original(self, *given)
        taken.extend(found)
        return found

    monkeypatch.setattr(Acceptances, "take", take)
    for seed in range(4):
        moving = MOVING[0] if seed == 3 else None
        assert compare(seed, accepted=True, settings=moving) is None, f"seed {seed}"
    assert {*taken} == {"x", "c"}
