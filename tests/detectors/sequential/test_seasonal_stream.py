"""Sequential detection of features that follow a cycle: what is kept, and what cells change."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.detectors.sequential.simulated import (
    Seasonal,
    columns,
    cycling,
    numbers,
    panes_of,
    reference,
)

from driftline.consumer.judge.features.change_state import pack, unpack
from driftline.detectors.columns import encode
from driftline.detectors.counts import count_columns
from driftline.detectors.dispersion import DIRECTIONS, JOINS, Dispersion
from driftline.detectors.grid import IntArray
from driftline.detectors.seasons import DAY, HOUR, FeatureSeason
from driftline.detectors.sequential.cell_shares import Mix, StreamSeasons
from driftline.detectors.sequential.pane_bins import PaneBins
from driftline.detectors.sequential.pane_cells import PaneCells
from driftline.detectors.sequential.stream import StreamEvidence
from driftline.detectors.sequential.variation import Directions, reference_phi
from driftline.errors import RecordError

BUILT = reference()
LAYOUT, COUNTS = BUILT.layout, BUILT.counts[0]
FEATURES = len(LAYOUT.features)
NONE = np.zeros(FEATURES, bool)
MANY = 1e12
AGE, FEW, PAID, PLAN = (LAYOUT.position[name] for name in ("age", "few", "paid", "plan"))


def dispersion(events: float = 100.0) -> Dispersion:
    known = np.full((len(JOINS), len(DIRECTIONS), FEATURES), np.nan)
    known[:3] = 1.2
    return Dispersion(HOUR, 300, np.full(FEATURES, events), known)


@cache
def seasons(kappa: float, following: tuple[int, ...] = (AGE, PAID)) -> StreamSeasons:
    """Some of the features follow a cycle: numbers that of the day, classes that of the week."""
    bins = PaneBins(LAYOUT, COUNTS)
    rng = np.random.default_rng(8)
    whole = np.concatenate([bins.count(COUNTS), bins.count_none(COUNTS)])
    panes = rng.multinomial(whole, np.full(336, 1 / 336)).T
    starts = np.arange(336) * HOUR
    found: dict[int, FeatureSeason] = {}
    for cycle, ordered in (("hour_of_day", True), ("day_of_week", False)):
        made = Seasonal(bins, panes, starts, cycle, kappa).features
        found |= {f: made[f] for f in following if (f < LAYOUT.numeric) == ordered}
    return StreamSeasons(found, lambda instants: instants)


def stream(
    kappa: float | None, events: float = 100.0, following: tuple[int, ...] = (AGE, PAID)
) -> StreamEvidence:
    known = None if kappa is None else seasons(kappa, following)
    return StreamEvidence(LAYOUT, COUNTS, ~NONE, dispersion(events), 1.0, HOUR, known)


def panes(seed: int, number: int, events: int = 40) -> list[IntArray]:
    rng = np.random.default_rng(seed)
    return [count_columns(LAYOUT, encode(LAYOUT, columns(rng, events))) for _ in range(number)]


def same(one: StreamEvidence, other: StreamEvidence) -> bool:
    return pack(one.state()) == pack(other.state()) and all(
        np.array_equal(getattr(one, name), getattr(other, name), equal_nan=True)
        for name in ("evidence", "panes", "onset")
    )


@settings(max_examples=15, deadline=None)
@given(
    st.integers(0, 2**32),
    st.lists(st.sampled_from([0, 0, 1, 2, 30]), min_size=1, max_size=9),
    st.integers(0, 9),
    st.sampled_from([100.0, 10.0]),
)
def test_restored_is_continued(seed: int, gaps: list[int], at: int, events: float) -> None:
    numbers = np.cumsum(np.array(gaps) + 1).tolist()
    went_on, restarted = stream(50.0, events), stream(50.0, events)
    frozen = np.random.default_rng(seed).random((len(gaps), FEATURES)) < 0.2
    for i, (number, flat) in enumerate(zip(numbers, panes(seed, len(gaps)), strict=True)):
        if i == at:
            kept, restarted = pack(restarted.state()), stream(50.0, events)
            restarted.restore(unpack(kept, restarted.state()))
            assert pack(restarted.state()) == kept
        tested = went_on.add(flat, number, frozen[i])
        assert tested.tolist() == restarted.add(flat, number, frozen[i]).tolist()
    assert same(went_on, restarted)


def test_more_than_two_bytes_of_events_are_kept() -> None:
    one, again = stream(50.0), stream(50.0)
    for number, flat in enumerate(panes(3, 2)):
        one.add(flat * 40_000, 5 + 24 * number, NONE)
    again.restore(unpack(pack(one.state()), again.state()))
    assert same(one, again)
    kept = [each.season.added.max() for each in again.state().groups if each.season is not None]
    assert max(kept) > 1 << 18


def test_more_than_four_bytes_of_events_are_kept() -> None:
    """A topic with 10,000 events a second has them after some weeks."""
    one, again = stream(50.0), stream(50.0)
    for number, flat in enumerate(panes(3, 60, 2_000)):
        one.add(flat * 100_000, 5 + 7 * 24 * number, NONE)
    again.restore(unpack(pack(one.state()), again.state()))
    assert same(one, again)
    assert max(each.evidence.added.max() for each in again.state().groups) > 1 << 32
    cells = [each.season.added.max() for each in again.state().groups if each.season is not None]
    assert max(cells) > 1 << 32


@pytest.mark.parametrize("cut", [1, 200])
def test_a_state_that_is_too_short_is_refused(cut: int) -> None:
    one = stream(50.0)
    kept = pack(one.state())
    seasonal = next(i for i, each in enumerate(one.state().groups) if each.season is not None)
    kept[seasonal] = kept[seasonal][:-cut]
    with pytest.raises(RecordError, match="state of a stream"):
        unpack(kept, one.state())


@pytest.mark.parametrize("events", [100.0, 10.0])
def test_cells_that_count_all_others_change_nothing(events: float) -> None:
    plain, alike = stream(None, events), stream(MANY, events)
    mix, nothing = Mix.of([3], [1.0]), np.zeros((1, 99), np.int64)
    for number, flat in enumerate(panes(5, 30)):
        plain.add(flat, number, NONE)
        alike.add(flat, number, NONE)
        # The variation around what is known of a cell is a little less: as much as is known of it.
        np.testing.assert_allclose(alike.evidence, plain.evidence, rtol=1e-4, atol=1e-3)
    assert alike.onset.tolist() == plain.onset.tolist()
    for f in range(FEATURES):
        _, own, _ = plain.bins_of(f)
        without = nothing[:, : own.stop - own.start]
        expected = plain.normal(f, mix, without)
        np.testing.assert_allclose(alike.normal(f, mix, without), expected)


def test_features_without_a_season_are_as_ever() -> None:
    plain, mixed = stream(None), stream(30.0)
    for number, flat in enumerate(panes(6, 10)):
        plain.add(flat, number, NONE)
        mixed.add(flat, number, NONE)
    for f in (FEW, PLAN):
        assert plain.evidence[f] == mixed.evidence[f]
        assert (plain.cycle_of(f), mixed.cycle_of(f)) == (None, None)
    assert (mixed.cycle_of(AGE), mixed.cycle_of(PAID)) == ("hour_of_day", "day_of_week")
    assert plain.evidence[AGE] != mixed.evidence[AGE]


def test_a_pane_is_compared_with_its_cell_and_joins_it() -> None:
    one = stream(1.0, following=(PAID,))
    before = {day: one.normal(PAID, Mix.of([day], [1.0])) for day in range(7)}
    flat = panes(9, 1)[0]
    one.add(flat, 4 * 24 + 30, NONE)  # day 5 of 1970 and six hours: a Tuesday, cell 1
    bins, own, _ = one.bins_of(PAID)
    nothing = np.zeros((1, own.stop - own.start), np.int64)
    x = bins.count(flat)[own]
    for day in range(7):
        mix = Mix.of([day], [1.0])
        assert one.normal(PAID, mix).tolist() == before[day].tolist()  # the reference stays
        learnt = one.normal(PAID, mix, nothing)
        if day == 1:
            assert learnt.sum() - before[day].sum() == pytest.approx(x.sum())
            np.testing.assert_allclose(one.normal(PAID, mix, x[None]), before[day])
        else:
            assert learnt.sum() == pytest.approx(before[day].sum())
    one.forget(PAID, Mix.of([1], [1.0]), x[None] * 3)
    np.testing.assert_allclose(one.normal(PAID, Mix.of([1], [1.0]), nothing), before[1])


def test_cells_are_those_of_the_middle_of_the_panes() -> None:
    days = StreamSeasons(seasons(9.0).features, lambda instants: instants - 5 * HOUR)
    assert days.cells_of("day_of_week", np.array([0]), DAY).tolist() == [3]
    assert days.runs("hour_of_day", 4 * HOUR, 7 * HOUR, HOUR // 2) == [
        (23, 4 * HOUR, 5 * HOUR), (0, 5 * HOUR, 6 * HOUR), (1, 6 * HOUR, 7 * HOUR),
    ]  # fmt: skip
    assert days.runs("hour_of_day", 4 * HOUR, 3 * HOUR, HOUR // 2) == []
    mixes = days.mixes(4 * HOUR, 7 * HOUR, HOUR, lambda first, end: 10 * (first > 4 * HOUR))
    assert mixes["hour_of_day"].cells.tolist() == [0, 1]
    assert mixes["hour_of_day"].weights.tolist() == [0.5, 0.5]
    assert Mix.of([4, 5], [0.0, 0.0]).weights.tolist() == [0.5, 0.5]


def test_a_cycle_is_quiet_and_a_shift_in_it_is_found() -> None:
    rng = np.random.default_rng(12)
    many, limit = 6 * 24, np.log(3 * 168 / 0.1)
    starts = np.arange(many + 168 + 4) * HOUR
    values = cycling(rng, starts, 100, 3, 0.5)
    values[(many + 168) * 100 :] += 0.5
    built, bins = numbers(values[: many * 100])
    drawn = panes_of(built, bins, values, 100)
    layout, flat = built.layout, np.zeros(built.layout.size, np.int64)
    made = Seasonal(bins, drawn[:many], starts[:many], "hour_of_day", 30.0)
    directions, size = Directions.of(bins, 3), bins.owner.size
    cells = PaneCells(bins, made.shares, drawn[:many], starts[:many])
    phi, events = reference_phi(bins, directions, drawn[:many], np.arange(many), cells)
    known = Dispersion(HOUR, many, events, phi)
    clocks = StreamSeasons(made.features, lambda instants: instants)
    own, as_one = (
        StreamEvidence(layout, built.counts[0], np.ones(3, bool), known, 1.0, HOUR, each)
        for each in (clocks, None)
    )
    highest = np.zeros((2, 3))
    for number in range(many, starts.size):
        if number == many + 168:
            assert (highest[0] < limit).all()
            assert (highest[1] > limit).all()
        flat[bins.cells] = drawn[number, :size]
        for i, each in enumerate((own, as_one)):
            each.add(flat, number, np.zeros(3, bool))
            highest[i] = np.maximum(highest[i], each.evidence)
    assert (own.evidence > limit).all()
    assert (np.abs(own.onset - many - 168) <= 1).all()


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 2**32), st.lists(st.sampled_from([0, 1, 30]), min_size=2, max_size=8))
def test_carried_is_continued(seed: int, gaps: list[int]) -> None:
    numbers, at = np.cumsum(np.array(gaps) + 1).tolist(), len(gaps) // 2
    went_on, carried = stream(50.0, 10.0), stream(50.0, 10.0)
    for i, (number, flat) in enumerate(zip(numbers, panes(seed, len(gaps)), strict=True)):
        if i == at:
            new = stream(50.0, 10.0)
            assert new.carry(carried).all()
            carried = new
        went_on.add(flat, number, NONE)
        carried.add(flat, number, NONE)
        assert same(went_on, carried)


def test_a_feature_that_follows_another_cycle_now_begins_anew() -> None:
    before, now = stream(50.0), stream(50.0, following=(AGE,))
    for number, flat in enumerate(panes(4, 6)):
        before.add(flat, number, NONE)
    assert [f for f in range(FEATURES) if not now.carry(before)[f]] == [PAID]
    other = stream(60.0)
    assert {f for f in range(FEATURES) if not other.carry(before)[f]} == {AGE, PAID}
