"""References over the layout of another: of the same events the same, of others its cells."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from driftline.detectors.outcomes import Outcomes
from driftline.detectors.reference import Reference
from driftline.producer.errors import InputError
from driftline.producer.reference.build import (
    BuiltReference,
    ReferenceSettings,
    reference_from_events,
)

Event = dict[str, Any]


def made(n: int, seed: int, shift: float, answer: Callable[[random.Random], Event]) -> list[Event]:
    """Return events of some days, in two regions, with one number and one category."""
    rng = random.Random(seed)
    return [
        {
            "timestamp": 1_700_000_000 + 600 * i,
            "model": "m",
            "features": {"income": rng.gauss(shift, 1), "plan": rng.choice(["a", "b"])},
            "tags": {"region": rng.choice(["north", "south"])},
            **answer(rng),
        }
        for i in range(n)
    ]


def classes(rng: random.Random) -> Event:
    score = rng.random()
    actual = str(int(rng.random() < score))
    return {"prediction": {"score": score, "label": str(int(score > 0.5))}, "actual": actual}


def numbers(rng: random.Random) -> Event:
    value = rng.gauss(10, 2)
    return {"prediction": {"score": value}, "actual": value + rng.gauss(0, 1)}


def unanswered(rng: random.Random) -> Event:
    return {"prediction": {"score": rng.random(), "label": rng.choice(["0", "1"])}}


def build(events: list[Event], over: Reference | None = None) -> BuiltReference:
    segments = ("region",) if over is None else ()
    settings = ReferenceSettings("m", grid=64, segments=segments, timezone="UTC", layout_of=over)
    return reference_from_events(events, settings)


@pytest.mark.parametrize("answer", [classes, numbers, unanswered])
def test_the_same_events_give_the_same_reference(answer: Callable[[random.Random], Event]) -> None:
    events = made(3_000, 1, 0.0, answer)
    base = build(events)
    again = build(events, base.reference)
    assert again.reference.id == base.reference.id
    assert again.features == base.features


@pytest.mark.parametrize("answer", [classes, numbers])
def test_other_events_are_counted_in_the_same_cells(
    answer: Callable[[random.Random], Event],
) -> None:
    base = build(made(3_000, 1, 0.0, answer)).reference
    other = build(made(800, 2, 1.0, answer), base).reference
    assert other.layout_id == base.layout_id
    assert other.streams == base.streams
    assert other.stream_events.tolist()[0] == 800
    assert other.stream_events[1:].sum() == 800
    outcomes, known = Outcomes.of(other), Outcomes.of(base)
    assert outcomes is not None
    assert known is not None
    assert outcomes.layout.size == known.layout.size


def test_a_class_that_the_layout_does_not_have() -> None:
    base = build(made(3_000, 1, 0.0, classes)).reference
    events = made(600, 2, 0.0, classes)
    events[0] |= {"prediction": {"score": 0.2, "label": "2"}, "actual": "1"}
    events[1] |= {"prediction": {"score": 0.2, "label": "0"}, "actual": "2"}
    other = build(events, base).reference
    outcomes = Outcomes.of(other)
    assert other.layout_id == base.layout_id
    assert outcomes is not None
    confusion = outcomes.layout.view(outcomes.counts[0], "confusion")
    assert confusion.sum() == 599  # the second event's truth is of no class that is counted
    assert confusion[:, 2].tolist() == [0, 1]


def test_without_ground_truth_the_layout_keeps_its_cells() -> None:
    base = build(made(3_000, 1, 0.0, classes)).reference
    other = build(made(600, 2, 0.0, unanswered), base).reference
    assert other.layout_id == base.layout_id
    assert other.outcome is not None
    assert other.outcome["n"] == 0


def test_ground_truth_of_another_kind_is_refused() -> None:
    base = build(made(3_000, 1, 0.0, numbers)).reference
    with pytest.raises(InputError, match="are of another kind than those of the layout"):
        build(made(600, 2, 0.0, classes), base)


def test_fields_that_only_one_of_them_has() -> None:
    base = build(made(3_000, 1, 0.0, unanswered)).reference
    events = made(600, 2, 0.0, unanswered)
    for event in events:
        event["features"] = {"plan": "a", "bonus": 1.0}
    built = build(events, base)
    assert built.reference.layout_id == base.layout_id
    assert built.notes == (
        "bonus is left out: the layout does not have it",
        "income never has a usable value",
    )
