"""Panes that a worker added up: what comes of them again, alone and in any order, counts once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from driftline.consumer.config import WindowConfig
from driftline.consumer.judge.windows.panes import PaneStore
from driftline.consumer.judge.windows.passed_over import PassedOver
from driftline.consumer.judge.windows.track import Track
from driftline.consumer.wire.codec import MERGED_VERSION, decode, encode
from driftline.consumer.wire.messages import Horizon, MergedPart, Pane
from driftline.errors import RecordError

from .test_panes import EVERY, SIZE, pane, total

PARTITIONS = 4
FINAL, FLUSHED = 20, 10  # offsets up to which a part was counted when it was closed, and before
COUNTS = [[1 + place, 0, 0, 2, 0, place, 0, 0] for place in range(PARTITIONS)]


def part(place: int, until: int = FINAL, **changes: Any) -> Pane:
    """What one partition has of a pane, when it is final or before."""
    counts = COUNTS[place] if until == FINAL else [1, *[0] * (SIZE - 1)]
    return pane(counts, partition=place, first=place, until=until, **changes)


def summed(places: Sequence[int], **changes: Any) -> Pane:
    """The sum of what some partitions have of a pane."""
    counts = np.sum([COUNTS[place] for place in places], axis=0).tolist()
    first = places[0]
    whole = pane(counts, partition=first, first=first, until=FINAL, **changes)
    parts = [MergedPart(place, place, FINAL, sum(COUNTS[place])) for place in places]
    return replace(whole, parts=parts)


def expected(places: Sequence[int]) -> list[int]:
    counts: list[int] = np.sum([COUNTS[place] for place in places], axis=0).tolist()
    return counts


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_each_part_counts_once(data: st.DataObject) -> None:
    """A sum, and each of its parts alone, as new owners send them: before it or after it.

    Where it came first the others need not come; where one of them came first, all of them do.
    """
    places = sorted(data.draw(st.sets(st.integers(0, PARTITIONS - 1), min_size=2)))
    sum_first = data.draw(st.booleans())
    alone = [part(place) for place in places]
    if sum_first:
        again = data.draw(st.lists(st.sampled_from(alone)))
        messages = [summed(places), *again]
    else:
        messages = data.draw(st.permutations([*alone, summed(places)]))
    flushes = data.draw(st.lists(st.sampled_from([part(place, FLUSHED) for place in places])))
    for flush in flushes:
        messages.insert(data.draw(st.integers(0, len(messages))), flush)
    found = PaneStore(EVERY, ("ref",), SIZE)
    known: set[int] = set()
    for offset, message in enumerate(messages):
        found.add(message, offset)
        if message.parts or message.until == FINAL:
            known |= {one.partition for one in message.whole}
        for place in sorted(known if data.draw(st.booleans()) else ()):
            if found.missing.start(("in", place)) is None:  # else nothing is heard of it
                found.close(("in", place), EVERY, EVERY)
    assert total(found) == expected(places)
    assert found.events(0, EVERY, None) == sum(expected(places))
    assert found.versions(0, EVERY, None) == {"1": sum(expected(places))}
    assert not found.foreign(0, EVERY)


def take_it_always(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PaneStore, "_in_sum", lambda *_: None)


def forget_what_it_was_made_of(monkeypatch: pytest.MonkeyPatch) -> None:
    add = PaneStore._add_sum

    def adding(self: PaneStore, message: Pane, offset: int) -> None:
        add(self, message, offset)
        self._numbers.clear()

    monkeypatch.setattr(PaneStore, "_add_sum", adding)


@pytest.mark.parametrize("weaken", [take_it_always, forget_what_it_was_made_of])
def test_each_rule_is_needed(
    weaken: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    weaken(monkeypatch)
    found = PaneStore(EVERY, ("ref",), SIZE)
    for offset, message in enumerate([summed([0, 1]), part(1), part(0), part(1)]):
        found.add(message, offset)
    assert total(found) != expected([0, 1])


def test_nothing_is_heard_of_a_source_until_what_is_missing_has_come() -> None:
    window = WindowConfig.model_validate({"length": "30s", "every": "10s", "min_events": 1})
    track = Track(window, 10_000, ("ref",), SIZE, None, None)
    long = {"length": 10_000}
    track.add(part(1, **long), 0)
    track.add(summed([0, 1], **long), 1)

    def heard(partition: int, time: int, *, idle: bool = False) -> bool:
        return track.close(Horizon("in", partition, 2, "m", time, time, 9, 1, idle=idle))

    assert heard(1, 20_000)
    assert heard(0, 0)
    assert not heard(0, 10_000)
    assert not heard(0, 0, idle=True)
    track.add(part(0, FLUSHED, **long), 2)
    assert not heard(0, 10_000)
    track.add(part(0, **long), 3)
    assert heard(0, 10_000)
    assert track.panes.events(0, 10_000, None) == sum(expected([0, 1]))


def test_a_sum_of_another_layout_is_not_added_and_its_events_are_known() -> None:
    found = PaneStore(EVERY, ("ref",), SIZE)
    for offset, message in enumerate([summed([1, 2], layout="other"), part(2, layout="other")]):
        found.add(message, offset)
    assert found.foreign(0, EVERY)
    assert found.events(0, EVERY, None) == sum(expected([1, 2]))
    assert total(found) == [0] * SIZE


def test_what_comes_too_late_is_told_by_partition() -> None:
    counts: Counter[str] = Counter()
    passed = PassedOver(counts, {})
    passed.pane(part(1, FLUSHED), EVERY)
    passed.pane(summed([0, 1]), EVERY)
    passed.pane(summed([0, 1]), EVERY)
    assert sum(counts.values()) == sum(expected([0, 1]))


def test_a_sum_is_a_record_of_its_own_version() -> None:
    """What does not know it must not take it for the count of one partition."""
    record = encode(summed([0, 2]), MERGED_VERSION)
    assert decode(record, Pane) == summed([0, 2])
    newer = record[:2] + bytes([MERGED_VERSION + 1]) + record[3:]
    with pytest.raises(RecordError, match="upgrade Driftline"):
        decode(newer, Pane)
