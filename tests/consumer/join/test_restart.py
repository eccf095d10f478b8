"""A join that starts again at any place is what it was, and sends what it would have sent."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from tests.consumer.join.oracle import Rules
from tests.consumer.join.random_log import TINY, Kind, random_log, random_rules
from tests.consumer.join.running import new_join, rebuild, run
from tests.consumer.join.script import script

from driftline.consumer.join import matching
from driftline.consumer.join.matching import Matching
from driftline.consumer.join.model import ModelJoin
from driftline.consumer.join.resume_points import ResumePoints
from driftline.consumer.join.state import JoinState
from driftline.consumer.join.waiting import FREE
from driftline.consumer.wire.codec import encode
from driftline.consumer.wire.messages import Block, Pane

Spoil = Callable[[JoinState], None]


def standing(join: ModelJoin) -> tuple[object, ...]:
    """Return the rows that wait and the panes that are open, as they stand."""
    own, clock = join._matching, join._clock.now()
    if clock is not None:  # when rows are looked for whose time is over does not matter
        own._end(own.rows.ended(clock))
    held = own.rows.columns.select(np.flatnonzero(own.rows.columns.state != FREE))
    columns = (held.ids, held.state, held.times, held.until, held.actual, held.delays)
    rows = sorted(zip(*(np.nan_to_num(column).tolist() for column in columns), strict=True))
    panes = [
        encode(message)
        for start in sorted(own.panes)
        for message in own.panes[start].messages(0, 0)
    ]
    return clock, own.closed, rows, panes


def unequal_restarts(
    blocks: Sequence[Block], rules: Rules, spoil: Spoil = lambda state: None
) -> list[int]:
    """Return the offsets from which on a join that starts there is not what it was.

    Args:
        blocks: what it reads.
        rules: how it joins.
        spoil: makes the state that was recorded what it should not be.
    """
    calm = new_join(rules)
    sent, states, stood = [], [], []
    for offset, one in enumerate(blocks):
        sent.append([encode(o) for o in calm.feed(one, offset) if isinstance(o, Pane)])
        state = calm.state()
        assert state is not None
        spoil(state)
        states.append(encode(state))
        stood.append(standing(calm))
    unequal = []
    for offset, record in enumerate(states, 1):
        again = rebuild(blocks, rules, record)
        same = standing(again) == stood[offset - 1]
        for later in range(offset, len(blocks)):
            panes = [o for o in again.feed(blocks[later], later) if isinstance(o, Pane)]
            same = same and [encode(pane) for pane in panes] == sent[later]
        if not same:
            unequal.append(offset)
    return unequal


def unequal_seeds(seeds: range, kind: Kind, spoil: Spoil = lambda state: None) -> list[int]:
    """Return the seeds whose logs have places from which a restart is not equal."""
    unequal = []
    for seed in seeds:
        rng = random.Random(seed)
        rules = random_rules(rng)
        if unequal_restarts(random_log(rng, kind).blocks, rules, spoil):
            unequal.append(seed)
    return unequal


@pytest.mark.parametrize("first", range(0, 60, 20))
def test_restarts_where_nearly_every_row_meets_another(first: int) -> None:
    assert unequal_seeds(range(first, first + 20), TINY) == []


def test_restarts_in_a_longer_log() -> None:
    assert unequal_seeds(range(4), Kind(ids=20, rows=25, block=5, words=3)) == []


def test_restarts_where_marks_are_far_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ResumePoints, "note", lambda *_, **__: None)
    assert unequal_seeds(range(10), TINY) == []


RULES = [
    Rules("arrival", 30_000, 30_000),
    Rules("prediction", 30_000, 10_000),
    Rules("prediction", 30_000, 30_000),
]
TIME = ("p0 @15", "p1 @15", "l0 @15", "p0 @25", "p1 @25", "l0 @25")
LATER = ("p0 @46", "p1 @46", "l0 @46", "p0 @70", "p1 @70", "l0 @70")
SCRIPTS = {
    "a prediction waits": ("p0 P1@1", *TIME),
    "a label comes before its prediction, one without any": ("l0 L1@2 L2@2", "p0 P1@4", *TIME),
    "a label's block comes before its prediction's": ("l0 L1@4", "p0 P1@2 P2@5", *TIME, *LATER),
    "a prediction comes again after its pane": (
        *("p0 P1@1", "p1 P2@5", "l0 L1@12", *TIME),
        *("p0 P1@26", "p1 @30", "l0 @30", "p0 @30", *LATER),
    ),
    "a duplicate of what got its label": (
        *("p0 P1@1", "l0 L1@1.5", "p0 P2@2", "p0 P1@3", "p0 P2@12", *TIME),
        *("p0 P1@26", *LATER),
    ),
    "a block comes again when all of it is over": (
        *("p0 P1@1", "l0 L1@4", *TIME),
        *("p0 P1@1", *LATER),
    ),
}


@pytest.mark.parametrize("rules", RULES, ids=str)
@pytest.mark.parametrize("name", SCRIPTS)
def test_restarts_in_a_script(name: str, rules: Rules) -> None:
    assert unequal_restarts(script(*SCRIPTS[name]), rules) == []


def set_to(**fields: Any) -> Spoil:
    def spoil(state: JoinState) -> None:
        for name, value in fields.items():
            setattr(state, name, value)

    return spoil


def read_nothing_again(state: JoinState) -> None:
    state.rewind = state.position


MUTANTS: dict[str, Spoil] = {
    "nothing is read again": read_nothing_again,
    "rows from before are read too": set_to(since=None),
    "it is forgotten what was taken": set_to(positions=[]),
    "it is forgotten what was closed": set_to(closed=None),
    "early labels are forgotten": set_to(early=b""),
    "labels that have met wait again": set_to(early=None),
    "it is forgotten who met": set_to(met=b""),
    "anyone may meet labels of before": set_to(met=None),
    "it is forgotten which ids were taken": set_to(reserved_ids=b"", reserved_until=b""),
}


def unequal_scripts(spoil: Spoil = lambda state: None) -> list[str]:
    return [
        name
        for name, lines in SCRIPTS.items()
        if any(unequal_restarts(script(*lines), rules, spoil) for rules in RULES)
    ]


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_state_that_lacks_something_shows(mutant: str) -> None:
    assert unequal_scripts(MUTANTS[mutant])


def test_rows_that_decided_others_are_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Matching, "_cross", lambda *_: None)
    assert unequal_scripts()


def test_ids_that_come_again_and_again_do_not_hold_the_past(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Were all of them to be named, reading would begin where they first came, for ever."""
    monkeypatch.setattr(matching, "_MOST_RESERVED", 5)
    lines = [
        f"p0 P{number}@{time}.{number:02}" for time in range(0, 400, 3) for number in range(40)
    ]
    lines += [f"{s} @{time}" for time in (100, 200, 300, 400) for s in ("p1", "l0")]
    join = run(script(*lines), RULES[0]).join
    state = join.state()
    assert state is not None
    assert state.since is not None
    assert state.since > 350_000
    assert len(state.reserved_ids) <= 5 * 8
    assert len(join._matching.reserved) < 200


def test_after_a_restart_an_id_that_comes_again_is_what_it_was() -> None:
    lines = [f"p0 P1@{time} P{time + 2}@{time}.5" for time in range(0, 200, 3)]
    words = [f"{source} @{time}" for time in (100, 200) for source in ("p1", "l0")]
    blocks = script(*lines, *words)
    assert unequal_restarts(blocks, RULES[0]) == []
    state = run(blocks, RULES[0]).join.state()
    assert state is not None
    assert state.since is not None
    assert state.since > 150_000
