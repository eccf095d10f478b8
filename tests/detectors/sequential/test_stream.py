"""All features of a stream: joined panes, what is kept, and what the order does not change."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.detectors.sequential.simulated import columns, reference

from driftline.consumer.judge.features.change_state import pack, unpack
from driftline.detectors import Reference
from driftline.detectors.columns import encode
from driftline.detectors.counts import Columns, count_columns
from driftline.detectors.dispersion import DIRECTIONS, JOINS, UNKNOWN, Dispersion
from driftline.detectors.grid import IntArray
from driftline.detectors.sequential.alternatives import Tilts
from driftline.detectors.sequential.cell_shares import Mix
from driftline.detectors.sequential.evidence import Evidence
from driftline.detectors.sequential.stream import StreamEvidence
from driftline.errors import RecordError

REFERENCE = reference()
FEATURES = len(REFERENCE.layout.features)
NONE = np.zeros(FEATURES, bool)
ALL = ~NONE


def dispersion(events: float = 100.0, phi: float = 1.2, joins: int = 3) -> Dispersion:
    """phi that is known for so many of `JOINS`."""
    known = np.full((len(JOINS), len(DIRECTIONS), FEATURES), np.nan)
    known[:joins] = phi
    return Dispersion(60_000, 300, np.full(FEATURES, events), known)


def stream(known: Dispersion | None, built: Reference = REFERENCE) -> StreamEvidence:
    return StreamEvidence(built.layout, built.counts[0], ALL, known)


def panes(seed: int, number: int, events: int = 100, shift: float = 0.0) -> list[IntArray]:
    rng = np.random.default_rng(seed)
    drawn = [columns(rng, events, shift) for _ in range(number)]
    return [count_columns(REFERENCE.layout, encode(REFERENCE.layout, each)) for each in drawn]


def same(one: StreamEvidence, other: StreamEvidence) -> bool:
    kept = pack(one.state()) == pack(other.state())
    shown = all(
        np.array_equal(getattr(one, name), getattr(other, name), equal_nan=True)
        for name in ("evidence", "panes", "onset")
    )
    return kept and shown


@settings(max_examples=15)
@given(
    st.integers(0, 2**32),
    st.lists(st.integers(0, 3), min_size=1, max_size=12),
    st.integers(0, 12),
    st.sampled_from([None, 100.0, 10.0]),
)
def test_restored_is_continued(seed: int, gaps: list[int], at: int, events: float | None) -> None:
    known = None if events is None else dispersion(events)
    went_on, numbers = stream(known), np.cumsum(np.array(gaps) + 1).tolist()
    restarted = stream(known)
    frozen = np.random.default_rng(seed).random((len(gaps), FEATURES)) < 0.2
    for i, (number, flat) in enumerate(zip(numbers, panes(seed, len(gaps), 40), strict=True)):
        if i == at:
            kept, restarted = pack(restarted.state()), stream(known)
            restarted.restore(unpack(kept, restarted.state()))
            if i:
                assert same(went_on, restarted)
        tested = went_on.add(flat, number, frozen[i])
        assert tested.tolist() == restarted.add(flat, number, frozen[i]).tolist()
    assert same(went_on, restarted)


@pytest.mark.parametrize("wrong", ["short", "few"])
def test_a_state_of_other_shapes_is_refused(wrong: str) -> None:
    one = stream(None)
    kept = pack(one.state())
    kept = kept[:1] if wrong == "few" else [each[:-40] for each in kept]
    with pytest.raises(RecordError, match="state of a stream"):
        unpack(kept, one.state())


def test_joined_panes_are_the_panes_of_their_summed_counts() -> None:
    drawn = panes(3, 20, 10)
    joined = stream(dispersion(events=10.0))  # 5 of 10 events are joined, phi of 50
    assert joined.most_joined == 5
    whole = stream(dispersion(events=50.0, joins=1))
    for number, flat in enumerate(drawn):
        tested = joined.add(flat, number, NONE)
        assert tested.tolist() == [(number + 1) % 5 == 0] * FEATURES
        if tested.any():
            summed = np.sum(drawn[number - 4 : number + 1], axis=0)
            whole.add(summed, number // 5, NONE)
            # phi of five panes is that of one with five times the events.
            assert joined.evidence.tolist() == whole.evidence.tolist()
            assert joined.onset.tolist() == (5 * whole.onset).tolist()


def test_a_joined_pane_ends_with_the_next_where_its_last_has_no_events() -> None:
    drawn = panes(3, 3, 30)
    one, other = stream(dispersion(events=10.0)), stream(dispersion(events=10.0))
    one.add(drawn[0], 3, NONE)
    assert one.panes.tolist() == [0] * FEATURES
    assert one.add(drawn[1], 6, NONE).all()
    other.add(drawn[0], 4, NONE)
    assert one.evidence.tolist() == other.evidence.tolist()


def test_the_order_of_events_does_not_matter() -> None:
    rng = np.random.default_rng(3)
    encoded = encode(REFERENCE.layout, columns(rng, 200))
    order = rng.permutation(200)
    shuffled = Columns(encoded.numeric[order], encoded.codes[order])
    one, other = stream(None), stream(None)
    for each, events in ((one, encoded), (other, shuffled)):
        each.add(count_columns(REFERENCE.layout, events), 0, NONE)
    assert same(one, other)


def test_panes_of_few_independent_events_are_joined() -> None:
    joined = [
        stream(dispersion(events, phi)).most_joined
        for events, phi in ((100.0, 1.0), (100.0, 6.0), (15.0, 1.0), (1.0, 1.0))
    ]
    assert joined == [1, 2, 2, 5]  # as many as phi is known of
    few = StreamEvidence(REFERENCE.layout, REFERENCE.counts[0], ALL, dispersion(100.0), 0.15)
    assert few.most_joined == 2  # a stream of 15 % of the events


def test_without_times_thirty_panes_learn_how_much_panes_vary() -> None:
    one = stream(None)
    drawn = panes(1, 40)
    for number, flat in enumerate(drawn[:29]):
        one.add(flat, number, NONE)
    assert one.phi().min() == UNKNOWN
    one.add(drawn[29], 29, NONE)
    assert one.evidence.max() < np.log(30) + 1e-3  # nothing but the number of panes
    assert one.phi().min() >= 1.0
    learnt = one.phi()
    for number, flat in enumerate(drawn[30:], 30):
        one.add(flat, number, NONE)
    # What comes later than thirty panes would hide a change.
    for number, flat in enumerate(panes(2, 10, shift=0.4), 40):
        one.add(flat, number, NONE)
    assert one.phi().tolist() == learnt.tolist()
    age = REFERENCE.layout.position["age"]
    assert one.evidence[age] > 10.0


def test_phi_of_a_pane_comes_from_the_panes_before_it() -> None:
    """A pane that says much does not say by itself that panes vary much."""
    one, known = stream(dispersion()), stream(dispersion())
    for number, flat in enumerate(panes(7, 120)):
        one.add(flat, number, NONE)
    known.restore(unpack(pack(one.state()), known.state()))
    before, wild = known.phi(), panes(9, 1, shift=3.0)[0]
    one.add(wild, 120, NONE)
    bins, _, _ = known.bins_of(0)
    evidence = Evidence(bins, Tilts.of(bins), known.state().groups[0].evidence)
    found = evidence.add(bins.count(wild).astype(np.float64), before[:, bins.places], 120)
    assert one.evidence[bins.places].tolist() == pytest.approx(found.tolist(), rel=0.02)
    assert (one.phi()[0] > before[0]).any()


def test_streams_that_vary_more_than_the_reference_count_for_less() -> None:
    one, rng = stream(dispersion(phi=1.0)), np.random.default_rng(5)
    for number in range(150):
        flat = count_columns(
            REFERENCE.layout,
            encode(REFERENCE.layout, columns(rng, 100, float(rng.normal(0, 0.4)))),
        )
        one.add(flat, number, NONE)
    age, few = (REFERENCE.layout.position[name] for name in ("age", "few"))
    assert one.phi()[0, age] > 5.0
    assert one.phi()[:4, few].max() < 1.5


def test_panes_of_a_change_teach_nothing_of_how_much_panes_vary() -> None:
    one, quiet = stream(dispersion(phi=1.0)), stream(dispersion(phi=1.0))
    drawn = panes(11, 160)
    for number, flat in enumerate(drawn[:60]):
        one.add(flat, number, NONE)
        quiet.add(flat, number, NONE)
    age = REFERENCE.layout.position["age"]
    for number, flat in enumerate(panes(13, 3, shift=3.0), 60):
        one.add(flat, number, NONE)
    one.unlearn(age, 60)
    for number, flat in enumerate(drawn[60:], 63):
        one.add(flat, number, NONE)
        quiet.add(flat, number, NONE)
    # The change is left out; but for it, and the pause it made, both saw the same.
    assert quiet.phi()[:, age].max() < 1.1
    assert one.phi()[:, age].max() < 1.1


def test_what_changed_can_be_taken_out_of_what_is_normal() -> None:
    one = stream(dispersion())
    for number, flat in enumerate(panes(4, 4)):
        one.add(flat, number, NONE)
    bins, own, together = one.bins_of(0)
    nothing, mix = np.zeros((1, own.stop - own.start), np.int64), Mix.of([0], [1.0])
    normal, last = one.normal(0, mix, nothing), bins.count(panes(4, 4)[-1])[own]
    one.forget(0, mix, last[None])
    assert together == 1
    assert one.normal(0, mix, nothing).tolist() == (normal - last).tolist()
    assert one.normal(0, mix).tolist() == bins.normal[own].tolist()
    # No more than came since the reference.
    one.forget(0, mix, nothing + 10**9)
    assert one.normal(0, mix, nothing).tolist() == bins.normal[own].tolist()
    one.reset(0)
    assert one.evidence[0] == -np.inf
    assert np.isfinite(one.evidence[1:]).all()


def test_features_that_are_not_watched_are_not_tested() -> None:
    watched = ALL.copy()
    watched[[0, 2]] = False
    one = StreamEvidence(REFERENCE.layout, REFERENCE.counts[0], watched, None)
    assert one.add(panes(1, 1)[0], 0, NONE).tolist() == watched.tolist()
    assert np.isnan(one.evidence).tolist() == (~watched).tolist()
    assert [one.tests(f) for f in range(FEATURES)] == watched.tolist()
    assert (one.is_number(1), one.is_number(2)) == (True, False)
    with pytest.raises(KeyError):
        one.bins_of(0)


def test_a_stream_without_reference_is_not_tested() -> None:
    counted = replace(REFERENCE.counted, counts=np.zeros_like(REFERENCE.counts))
    empty = replace(REFERENCE, counted=counted)
    one = stream(None, empty)
    assert not one.add(panes(1, 1)[0], 0, NONE).any()
    assert one.most_joined == 1
    assert one.state().groups == []


@settings(max_examples=10)
@given(
    st.integers(0, 2**32),
    st.lists(st.integers(0, 3), min_size=1, max_size=9),
    st.integers(0, 9),
    st.sampled_from([None, 100.0, 10.0]),
)
def test_carried_is_continued(seed: int, gaps: list[int], at: int, events: float | None) -> None:
    """Into one that has the same normal counts; where one feature's are others, so are the rest."""
    known = None if events is None else dispersion(events)
    went_on, carried, moved = stream(known), stream(known), stream(known)
    other = replace(REFERENCE, counted=replace(REFERENCE.counted, counts=REFERENCE.counts.copy()))
    own = slice(*REFERENCE.layout.starts[:2])
    other.counts[0, own] = np.roll(REFERENCE.counts[0, own][:-4], 40).tolist() + [0] * 4
    numbers = np.cumsum(np.array(gaps) + 1).tolist()
    for i, (number, flat) in enumerate(zip(numbers, panes(seed, len(gaps), 40), strict=True)):
        if i == at:
            new, odd = stream(known), stream(known, other)
            assert new.carry(carried).tolist() == [True] * FEATURES
            assert odd.carry(moved).tolist() == [False] + [True] * (FEATURES - 1)
            carried, moved = new, odd
            assert same(went_on, carried)
            assert np.isnan(moved.evidence[0])
        for each in (went_on, carried, moved):
            each.add(flat, number, NONE)
    assert same(went_on, carried)
    for name in ("evidence", "panes", "onset"):
        there = getattr(went_on, name)[1:], getattr(moved, name)[1:]
        assert np.array_equal(*there, equal_nan=True)
