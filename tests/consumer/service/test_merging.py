"""Panes of a worker's partitions are added up: when they are sent, and what is sent alone."""

from __future__ import annotations

from typing import Any

import pytest
from tests.consumer.service.rig import Rig
from tests.consumer.service.small import MODEL, SECOND, START, TOPIC, plan, reference, row

from driftline.consumer.service import merging
from driftline.consumer.service.merging import WAIT_MS
from driftline.consumer.service.plan import Plan
from driftline.consumer.sketch import pane_counts
from driftline.consumer.sketch.pane_counts import merged
from driftline.consumer.sketch.state import SketchState
from driftline.consumer.wire.messages import Horizon, Pane, decode_panes

OTHER = "n"
PARTITIONS = 3
PANE, BEHIND = 0, 17 * SECOND  # an event of the first pane, and one that closes it


def merging_plan(*, merge: bool = True, models: tuple[str, ...] = ()) -> Plan:
    """The plan of a small model, and others on the same topic, which are idle after an hour."""
    references = {name: reference(model=name) for name in models}
    return plan(
        references,
        output={"merge_panes": merge},
        limits={"idle_after": "1h"},
        models={name: {} for name in models},
    )


def events(*models: str) -> list[dict[str, Any]]:
    return [row(time, model=model) for time in (PANE, BEHIND) for model in models or (MODEL,)]


def sent(rig: Rig, model: str = MODEL) -> list[tuple[int, ...]]:
    """The partitions of each message of the first pane."""
    messages = [decode_panes(record.value or b"") for record in rig.records("panes")]
    return [
        tuple(part.partition for part in each.whole)
        for each in messages
        if isinstance(each, Pane) and each.model == model
    ]


def told(rig: Rig) -> set[int]:
    """The partitions that have said that the first pane is final."""
    messages = [decode_panes(record.value or b"") for record in rig.records("panes")]
    horizons = [each for each in messages if isinstance(each, Horizon) and each.model == MODEL]
    return {each.partition for each in horizons if (each.horizon or 0) >= START + 10 * SECOND}


def steps(rig: Rig, seconds: int) -> None:
    """Let the workers run for some seconds of the wall clock."""
    for _ in range(seconds):
        rig.broker.now += SECOND
        for worker, _, _ in rig.workers:
            worker.step()


def started(*places: int, **settings: Any) -> Rig:
    """A worker that has read a pane, and what closes it, in some partitions."""
    rig = Rig(merging_plan(**settings), PARTITIONS)
    rig.start()
    read(rig)
    for place in places:
        rig.write(events(MODEL, *settings.get("models", ())), place)
    read(rig)
    return rig


def read(rig: Rig) -> None:
    """Let the workers read all there is, a partition a poll, before a second has passed."""
    for worker, _, _ in rig.workers:
        for _ in range(60):
            worker.step()


def kept(rig: Rig, partition: int) -> list[int]:
    """The panes that are on record as kept."""
    (state,) = rig.states(f"sketch/{TOPIC}/{partition}", SketchState)[-1:]
    return sorted(state.models[MODEL].closed or ())


def test_what_all_have_closed_goes_in_one_message() -> None:
    rig = started(0, 1, 2)
    assert sent(rig) == []
    assert told(rig) == set()
    steps(rig, 2)
    assert sent(rig) == [(0, 1, 2)]
    assert told(rig) == {0, 1, 2}
    steps(rig, 4)
    assert kept(rig, 1) == []


def test_one_that_is_not_there_is_waited_for_but_not_for_ever() -> None:
    rig = started(0, 1)
    rig.write(events()[:1], 2)
    read(rig)
    steps(rig, WAIT_MS // SECOND - 2)
    assert sent(rig) == []
    assert kept(rig, 0) == kept(rig, 1) == [START]
    assert kept(rig, 2) == []
    steps(rig, 6)
    assert sent(rig) == [(0, 1)]
    assert told(rig) == {0, 1}
    rig.write(events()[1:], 2)
    steps(rig, 6)
    assert sent(rig) == [(0, 1), (2,)]
    assert told(rig) == {0, 1, 2}


def test_a_worker_that_stops_leaves_nothing_to_be_sent() -> None:
    rig = started(0, 1)
    rig.write(events()[:1], 2)
    steps(rig, 2)
    rig.stop()
    assert sent(rig) == [(0, 1)]
    rig.start()
    steps(rig, 20)
    assert sent(rig) == [(0, 1)]


@pytest.mark.parametrize("merge", [True, False])
def test_what_a_killed_one_kept_goes_alone(merge: bool) -> None:
    rig = started(0, 1)
    rig.write(events()[:1], 2)
    read(rig)
    steps(rig, 4)
    assert sent(rig) == []
    rig.kill()
    rig.start(merging_plan(merge=merge))
    steps(rig, 4 + WAIT_MS // SECOND)
    assert sent(rig) == [(0,), (1,)]
    assert told(rig) == {0, 1}


def test_what_would_be_too_large_goes_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = started(0, 1, 2)
    monkeypatch.setattr(pane_counts, "LARGEST_MESSAGE", 100)
    steps(rig, 2)
    found = sent(rig)
    assert set(found) == {(0,), (1,), (2,)}
    assert len(found) > 3  # in pieces
    assert told(rig) == {0, 1, 2}


def test_a_model_that_fails_leaves_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(panes: Any, model: Any, source: Any) -> Any:
        if model.name == MODEL:
            raise RuntimeError("no")
        return merged(panes, model, source)

    with monkeypatch.context() as broken:
        broken.setattr(merging, "merged", failing)
        rig = started(0, 1, 2, models=(OTHER,))
        steps(rig, 9)
        assert sent(rig, OTHER) == [(0, 1, 2)]
        # It rests in the partition that would have sent the sum, then in the next one.
        assert sent(rig) == [(2,)]
        assert told(rig) == {2}
    rig.kill()
    rig.start()
    steps(rig, 20)
    assert sorted(sent(rig)) == [(0,), (1,), (2,)]
    assert told(rig) == {0, 1, 2}


def test_many_partitions_of_few_events_are_one_message() -> None:
    found = Rig(merging_plan(), 40)
    found.start()
    read(found)
    for place in range(40):
        found.write(events(), place)
    read(found)
    steps(found, 6)
    assert sent(found) == [tuple(range(40))]
