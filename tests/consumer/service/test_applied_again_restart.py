"""Models are removed and soon applied again while workers are killed: lives stay apart."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from msgspec.structs import replace
from tests.consumer.service.drawing import MODELS, SECOND, START, Labelling, draw_labelling
from tests.consumer.service.small import labelled_reference

from driftline.consumer.join.model import ModelJoin, Output
from driftline.consumer.judge.model import ModelJudge
from driftline.consumer.judge.succession import AppliedJudge
from driftline.consumer.log.protocol import TopicPartition
from driftline.consumer.service import merging
from driftline.consumer.service.opening import Opening
from driftline.consumer.sketch.state import SketchState
from driftline.consumer.wire.messages import Block

from .test_applied_restart import Moment, compare_runs, draw_moments


def draw_again(rng: random.Random, layouts: int, limits: int) -> list[Moment]:
    """Draw models that are removed, and applied again before or after that is through."""
    models = dict.fromkeys(MODELS, (0, 0))
    moments, at = [Moment(START, models)], 0
    for _ in range(rng.choice([1, 2])):
        name, at = rng.choice(MODELS), at + rng.randrange(30, 130)
        models = {other: each for other, each in models.items() if other != name}
        moments.append(Moment(START + at * SECOND, models))
        for _ in range(rng.choice([1, 1, 2])):
            at += rng.choice([1, 3, 8, 15, 30])
            models = models | {name: (rng.randrange(layouts), rng.randrange(limits))}
            moments.append(Moment(START + at * SECOND, models))
    return moments


def differs(seed: int) -> str | None:
    return compare_runs(seed, draw=draw_again)


@pytest.mark.parametrize(("seed", "wait"), [(17, 30_000), (1, 0), (2, 3_000)])
def test_so_do_lives_whose_panes_are_added_up(
    seed: int, wait: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the first a version was over in the midst of what is read again: that must go on."""
    monkeypatch.setattr(merging, "WAIT_MS", wait)
    assert compare_runs(seed, merged=True, draw=draw_again) is None


@pytest.mark.parametrize("seed", range(8))
def test_what_is_applied_again_is_judged_as_in_a_calm_run(seed: int) -> None:
    assert differs(seed) is None


def forget_what_came_early(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a judge begin again where the former life was over, whatever other partitions sent."""
    original = ModelJudge.needed_from

    def needed_from(self: AppliedJudge, since: int | None = None) -> int:
        return self.position if since is not None else original(self)

    monkeypatch.setattr(ModelJudge, "needed_from", needed_from)


def begin_where_others_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the next life count what is read since its former one was over, not what was written."""
    original = Opening._with_new_models

    def with_new_models(
        self: Opening, at: TopicPartition, known: SketchState, now: int
    ) -> SketchState:
        found = original(self, at, known, now)
        models = {
            name: each if each is known.models.get(name) else replace(each, start=known.position)
            for name, each in found.models.items()
        }
        return replace(found, models=models, behind=known.behind, rewind=known.rewind)

    monkeypatch.setattr(Opening, "_with_new_models", with_new_models)


@pytest.mark.parametrize(
    ("weaken", "first"), [(forget_what_came_early, 17), (begin_where_others_are, 0)]
)
def test_each_rule_is_needed(
    weaken: Callable[[pytest.MonkeyPatch], Any], first: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run in which it is missed is found, most often the `first` one that is tried."""
    weaken(monkeypatch)
    seeds = sorted(range(30), key=lambda seed: seed != first)
    assert next((seed for seed in seeds if differs(seed) is not None), None) is not None


LABELLED = (labelled_reference(MODELS[0]),)


def draw_labels(rng: random.Random, partitions: int) -> Labelling:
    """Draw how labels come; no row makes room for another, so that their order does not matter."""
    return dataclasses.replace(draw_labelling(rng, partitions), compared=None, most=1_000)


def performance_differs(seed: int) -> str | None:
    return compare_runs(seed, layouts=LABELLED, draw=draw_again, draw_labels=draw_labels)


@pytest.mark.parametrize("seed", [0, 4, 5, 7])
def test_so_is_its_performance(seed: int) -> None:
    """Labels that come around a removal count in the life of their time, whoever hears of it."""
    assert performance_differs(seed) is None


@pytest.mark.parametrize("seed", [0, 4])
def test_so_is_its_performance_around_a_change(seed: int) -> None:
    """A pane of labels is counted by the version of its time, wherever a block ends."""

    def draw(rng: random.Random, layouts: int, limits: int) -> list[Moment]:
        return draw_moments(rng, layouts)

    assert compare_runs(seed, layouts=LABELLED, draw=draw, draw_labels=draw_labels) is None


def wait_for_no_labels(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a judge end when all events are judged."""
    monkeypatch.setattr(AppliedJudge, "_labels_over", True)


def take_rows_of_every_life(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the join take what is there of another life."""
    original = ModelJoin.feed

    def feed(self: ModelJoin, block: Block, offset: int) -> Iterator[Output]:
        yield from original(self, replace(block, life=self.begun or 0), offset)

    monkeypatch.setattr(ModelJoin, "feed", feed)


@pytest.mark.parametrize(
    ("weaken", "first"),
    [(wait_for_no_labels, 4), (take_rows_of_every_life, 5)],
)
def test_each_rule_of_labels_is_needed(
    weaken: Callable[[pytest.MonkeyPatch], Any], first: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run in which it is missed is found, most often the `first` one that is tried."""
    weaken(monkeypatch)
    seeds = sorted(range(20), key=lambda seed: seed != first)
    assert next((seed for seed in seeds if performance_differs(seed) is not None), None) is not None
