"""A pane in parts: what was counted is sent at a cut and forgotten, and judge adds the parts up."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import msgspec
import numpy as np
import pytest
from tests.consumer.service.small import (
    SECOND,
    judge_all,
    plan,
    records,
    reference,
    row,
    rows,
    sketch,
)

from driftline.consumer.sketch.totals import Output
from driftline.consumer.wire.codec import encode
from driftline.consumer.wire.messages import Horizon, Pane

PLAN = plan(
    segments=["tier"],
    thresholds={"ks": {"warning": 0.3}, "unseen": {"warning": 0.05}},
    show_values=True,
)


def stream(seed: int) -> list[dict[str, Any]]:
    """Events of 90 s in any order within 8 s, with grace 5 s: of three versions."""
    rng = np.random.default_rng(seed)
    times = np.arange(0, 90 * SECOND, 400) + rng.integers(0, 8 * SECOND, 225)
    return [
        row(
            int(time),
            x=round(float(rng.normal(time / 60_000)), 3),
            c=str(rng.choice(["p", "q", "r", "new"])),
            b=bool(rng.random() < 0.5),
            model_version=str(rng.choice(["1", "2", "3"])),
            **({"added": 1} if rng.random() < 0.2 else {}),
            tags={"tier": str(rng.choice(["gold", "tin", "other"]))},
        )
        for time in times
    ]


def sent(values: list[dict[str, Any]], cuts: Collection[int] = ()) -> list[Output]:
    """What one partition sends, cut before some offsets."""
    one = sketch(PLAN)
    found: list[Output] = []
    for offset, value in enumerate(values):
        found += one.cut() if offset in cuts else []
        found += one.feed(records([value], first=offset), 0)
    return found


def judged(found: list[Output]) -> list[bytes]:
    return [encode(each) for each in judge_all(PLAN, found)]


def test_nothing_is_open_after_a_cut() -> None:
    one = sketch(PLAN)
    one.feed(records(rows(0, 12, SECOND, np.random.default_rng(1))), 0)
    progress = msgspec.structs.astuple(one.progress()["m"])
    state = one.state()
    assert state is not None
    assert state.rewind < state.position
    parts = one.cut()
    assert [(part.first, part.until) for part in parts if isinstance(part, Pane)] == [
        (0, 12),
        (10, 12),
    ]
    assert len(parts) == 2  # no horizon: nothing is final that was not
    state = one.state()
    assert state is not None
    assert state.rewind == state.needed == state.position == 12
    assert msgspec.structs.astuple(one.progress()["m"]) == progress
    assert one.cut() == []


def test_what_comes_after_a_cut_is_a_part_of_its_own() -> None:
    values = [row(time * SECOND) for time in (1, 2, 3, 30)]
    parts = [each for each in sent(values, cuts={2}) if isinstance(each, Pane)]
    assert [(part.start, part.first, part.until, part.streams[0].events) for part in parts] == [
        (parts[0].start, 0, 2, 2),
        (parts[0].start, 2, 4, 1),
    ]


@pytest.mark.parametrize("seed", range(6))
def test_judge_says_of_parts_what_it_says_of_the_whole(seed: int) -> None:
    values = stream(seed)
    rng = np.random.default_rng(seed)
    whole = judged(sent(values))
    assert len(whole) > 20
    for many in (1, 5, 60):
        cuts = set(rng.integers(1, len(values), many).tolist())
        assert judged(sent(values, cuts)) == whole


def test_horizons_are_those_of_the_whole() -> None:
    values = stream(9)
    found = [sent(values, cuts) for cuts in ((), range(0, 225, 7))]
    whole, cut = ([each for each in one if isinstance(each, Horizon)] for one in found)
    assert cut == whole


def test_a_part_that_was_cut_further_on_replaces_it() -> None:
    values = [row(time * SECOND) for time in (1, 2, 3, 30)]
    # Killed behind the cut at 2, before its state was written: cut at 3 the second time.
    one, two = sketch(PLAN), sketch(PLAN)
    one.feed(records(values[:2]), 0)
    two.feed(records(values[:3]), 0)
    again = [*one.cut(), *two.cut(), *two.feed(records(values[3:], first=3), 0)]
    assert judged(again) == judged(sent(values))


def test_nothing_is_cut_while_the_past_is_read_again() -> None:
    values = [row(time * SECOND) for time in (1, 2, 3, 30)]
    one = sketch(PLAN)
    one.feed(records(values[:3]), 0)
    state = one.state()
    assert state is not None
    assert (state.rewind, state.position) == (0, 3)
    two = sketch(PLAN, state=state)
    two.feed(records(values[:2]), 0)
    assert two.cut() == []
    two.feed(records(values[2:3], first=2), 0)
    (part,) = two.cut()
    assert isinstance(part, Pane)
    assert (part.first, part.until, part.streams[0].events) == (0, 3, 3)


def test_a_model_that_fails_at_a_cut_rests_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    both = plan({"n": reference(model="n")}, models={"n": {}})
    one = sketch(both)
    one.feed(records([row(0), row(0, model="n")]), 0)
    failing = one._models["n"]

    def fail(until: int) -> list[Pane]:
        raise ZeroDivisionError(until)

    monkeypatch.setattr(failing, "cut", fail)
    assert [part.model for part in one.cut() if isinstance(part, Pane)] == ["m"]
    assert one.failures.keys() == {"n"}
    state = one.state()
    assert state is not None
    assert (state.rewind, state.needed, state.behind) == (1, 2, {"n": 2})
