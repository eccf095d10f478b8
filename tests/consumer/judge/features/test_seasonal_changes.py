"""The evidence on a stream with a cycle: the gate, what an alert forgets, and restarts."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import msgspec
import numpy as np
import pytest
from tests.detectors.sequential.simulated import Seasonal, cycling, numbers, panes_of

from driftline.consumer.config import WindowConfig
from driftline.consumer.judge.acceptances import Acceptances
from driftline.consumer.judge.features.change_state import StreamChanges
from driftline.consumer.judge.features.changes import ChangeWatch
from driftline.consumer.judge.seasons import quiet_for, stream_seasons
from driftline.consumer.judge.windows.track import Track
from driftline.consumer.wire.codec import pack_integers
from driftline.consumer.wire.messages import Acceptance, Pane, StreamCounts
from driftline.detectors import Reference
from driftline.detectors.grid import IntArray
from driftline.detectors.seasons import HOUR, Seasons
from driftline.producer.records.local_times import local_times
from driftline.producer.records.time_zone import find_zone

DAYS, QUIET, SHIFTED, ZONE = 6, 30, 20, "Europe/Berlin"
NONE = np.zeros(2, bool)
WINDOW = WindowConfig.model_validate({"length": "6h", "every": "1h"})


@cache
def stream() -> tuple[Reference, IntArray]:
    """A reference of six days in summer time, and the flat counts of the panes that follow it."""
    rng = np.random.default_rng(21)
    first = 1_753_999_200_000 // HOUR  # the end of July 2025
    instants = (first + np.arange(DAYS * 24 + QUIET + SHIFTED)) * HOUR
    starts = local_times(find_zone(ZONE), instants)
    values = cycling(rng, starts, 100, 2, 0.6)
    values[(DAYS * 24 + QUIET) * 100 :, 0] += 0.6
    built, bins = numbers(values[: DAYS * 2400])
    drawn = panes_of(built, bins, values, 100)
    made = Seasonal(bins, drawn[: DAYS * 24], starts[: DAYS * 24], "hour_of_day", 30.0)
    seasons = Seasons(ZONE, (made.features,))
    reference = replace(built, counted=replace(built.counted, seasons=seasons))
    flat = np.zeros((drawn.shape[0], built.layout.size), np.int64)
    flat[:, bins.cells] = drawn[:, : bins.owner.size]
    return replace(reference, dispersion=None), flat


def watch(kept: StreamChanges | None = None, min_effect: float = 0.02) -> ChangeWatch:
    reference, _ = stream()
    limits = np.full(2, np.log(1e4))
    return ChangeWatch(reference, None, limits, HOUR, WINDOW, min_effect, kept)


FIRST = 1_753_999_200_000 // HOUR


def counts(start: int, end: int, part: str | None = None) -> IntArray:
    _, flat = stream()
    found: IntArray = flat[start // HOUR - FIRST : end // HOUR - FIRST].sum(axis=0)
    return found


def run(restart: int | None = None) -> tuple[ChangeWatch, list[tuple[int, int]]]:
    """Watch all panes from the second day on; return who alarmed in which pane."""
    watching, alarms = watch(), []
    _, flat = stream()
    fired = NONE.copy()
    for number in range(24, flat.shape[0]):
        if number == restart:
            watching = watch(watching.state())
        start = (FIRST + number) * HOUR
        for change in watching.add(start, flat[number], counts, fired):
            alarms.append((number, change.f))
            watching.fired(change, start + HOUR, counts)
            fired[change.f] = True
    return watching, alarms


def test_a_change_is_found_in_a_cycle_and_an_alert_forgets_it() -> None:
    watching, alarms = run()
    assert [f for _, f in alarms] == [0]
    assert DAYS * 24 + QUIET <= alarms[0][0] <= DAYS * 24 + QUIET + 4
    last, began = (FIRST + stream()[1].shape[0]) * HOUR, FIRST * HOUR
    # All hours together would be no measure of six of them.
    assert [watching.is_quiet(f, began, last, counts) for f in range(2)] == [False, True]
    before = last - SHIFTED * HOUR
    assert [watching.is_quiet(f, began, before, counts) for f in range(2)] == [True, True]


def test_a_change_is_over_after_a_whole_day_where_hours_have_their_own_normal() -> None:
    """A cycle that shifts by an hour is as before at noon and at midnight."""
    assert watch().lasting(0) == 24 * HOUR
    assert [quiet_for(cycle) for cycle in (None, "day_of_week", "hour_of_week")] == [
        0,
        0,
        24 * HOUR,
    ]


@pytest.mark.parametrize("restart", [40, 150, DAYS * 24 + QUIET + 1])
def test_restarts_change_nothing(restart: int) -> None:
    plain, alarms = run()
    again, others = run(restart)
    assert others == alarms
    assert again.state() == plain.state()


def test_seasons_of_a_stream_are_those_of_its_segment() -> None:
    reference, _ = stream()
    assert (
        stream_seasons(replace(reference, counted=replace(reference.counted, seasons=None)), None)
        is None
    )
    none = replace(reference.counted, seasons=Seasons(ZONE, ({},)))
    assert stream_seasons(replace(reference, counted=none), None) is None


def test_a_feature_that_is_accepted_follows_its_cycle_by_what_came_since() -> None:
    """In a cell that has not come since, nothing is known of it."""
    reference, flat = stream()
    track = Track(WINDOW, HOUR, (reference.layout_id,), reference.layout.size, None, None)
    for number in range(24, 24 + 30):
        cells = np.flatnonzero(flat[number])
        gaps, held = np.diff(cells, prepend=0), flat[number][cells]
        whole = StreamCounts(None, 100, {}, pack_integers(gaps), pack_integers(held))
        start = (FIRST + number) * HOUR
        track.panes.add(
            Pane(
                "in", 0, "m", start, HOUR, reference.layout_id, number, number + 1, 0,
                reference.layout.size, [whole],
            ),
            number,
        )  # fmt: skip
    known = Acceptances(msgspec.UNSET, reference, HOUR)
    assert (known.state(), known.over(reference)) == (msgspec.UNSET, reference)
    first, end = (FIRST + 34) * HOUR, (FIRST + 54) * HOUR
    known.read(Acceptance("a", "m", "f000", "ada", "so", first, end), None)
    (one,) = known.due(end)
    assert known.take(one, end, {"f000": first}, track, lambda events: events > 2_000) == []
    assert known.take(one, end, {"f000": first}, track, lambda events: events == 2_000) == ["f000"]
    found = known.over(reference)
    assert found.seasons is not None
    assert reference.seasons is not None
    (after,), (before,) = found.seasons.streams, reference.seasons.streams
    assert after[1] is before[1]
    assert after[0].kappa == before[0].kappa
    assert np.count_nonzero(after[0].counts.sum(axis=1) == 0) == 4
    own = slice(*reference.layout.starts[:2])
    assert after[0].counts.sum() == found.counts[0, own].sum() == 2_000
    again = Acceptances(known.state(), reference, HOUR)
    assert again.over(reference).id == found.id != reference.id
    assert again.over(found).id == found.id
    other = replace(reference, counted=replace(reference.counted, seasons=None))
    assert Acceptances(known.state(), other, HOUR).over(other) is other
