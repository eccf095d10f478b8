"""The sample of events: the same for every split and order."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from driftline.consumer.wire.samples import (
    SAMPLED,
    EventSample,
    Note,
    WindowSample,
    event_hashes,
    merged,
)


def sample(offsets: list[int], partition: int = 0) -> EventSample:
    """The sample of events of which every third holds a new field."""
    hashes = event_hashes(partition, np.array(offsets, np.int64)).tolist()
    note = Note("field", "extra", "text")
    entries = [
        (digest, (note,) if offset % 3 == 0 else ())
        for digest, offset in zip(hashes, offsets, strict=True)
    ]
    return EventSample.of(sorted(entries)[:SAMPLED])


@given(st.lists(st.lists(st.integers(0, 1 << 40), max_size=90), max_size=5), st.randoms())
def test_a_sample_is_that_of_all_events_at_once(parts: list[list[int]], random: object) -> None:
    seen: set[int] = set()
    own = [sorted({*part} - seen | set()) for part in parts]
    distinct = []
    for part in own:
        distinct.append([offset for offset in part if offset not in seen])
        seen |= {*part}
    whole = sample(sorted(seen))
    samples = [sample(part) for part in distinct]
    random.shuffle(samples)  # type: ignore[attr-defined]  # st.randoms() has it
    assert EventSample.of(merged(samples, SAMPLED)) == whole
    two = EventSample.of(merged(samples[:2], SAMPLED))
    assert EventSample.of(merged([*samples[2:], two], SAMPLED)) == whole


def test_hashes_are_spread_evenly_and_differ_by_partition() -> None:
    hashes = event_hashes(3, np.arange(10_000))
    assert len({*hashes.tolist(), *event_hashes(4, np.arange(10_000)).tolist()}) == 20_000
    shares = np.histogram(hashes.astype(float), 10, (0, 2.0**64))[0] / 10_000
    assert np.abs(shares - 0.1).max() < 0.015  # five standard errors


def test_shares_are_weighed_by_the_events_of_panes() -> None:
    few, many = sample([0, 3]).entries(), sample([1, 2, 4, 6]).entries()
    found = WindowSample([(2, few), (8, many)])
    (seen,) = found.sightings("field")
    assert (seen.note.name, seen.events, seen.exact) == ("extra", 3, False)
    assert seen.share == (2 * 2 / 2 + 8 * 1 / 4) / 10
    assert WindowSample([(2, few)]).sightings("field")[0].exact
