"""A file's halves: whatever the order, each row is in one of them, and it is read as seldom."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftline.consumer.offline import halves as module
from driftline.consumer.offline.extent import DAY, Extent, Pace
from driftline.consumer.offline.halves import Halves
from driftline.consumer.offline.windows import Size, round_length
from driftline.producer.records.mapping import Mapping
from driftline.producer.records.table import Table

MAPPING = Mapping({"timestamp": "ts"})
START = 1_600_000_000


class File:
    """Rows of these times, in tables of a size."""

    def __init__(self, times: list[int | None], size: int) -> None:
        rows = [{"ts": None if time is None else START + time, "row": n} for n, time in
                enumerate(times)]  # fmt: skip
        self.tables = [Table.of_rows(rows[i : i + size], i) for i in range(0, len(rows), size)]
        self.readings = 0

    def read(self) -> Iterator[Table]:
        self.readings += 1
        yield from self.tables

    def extent(self) -> Extent:
        extent = Extent(MAPPING)
        for _ in extent.watch(self.tables):
            pass
        return extent


def numbers(tables: list[Table]) -> list[int]:
    return [row["row"] for table in tables for row in table.to_rows()]


@pytest.mark.parametrize("most", [1, 1_000])
@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.one_of(st.none(), st.integers(0, 30)), min_size=2, max_size=40),
    st.integers(1, 50),
    st.booleans(),
)
def test_each_row_is_in_the_half_of_its_time(
    most: int, times: list[int | None], size: int, ordered: bool
) -> None:
    if ordered:
        times = [*sorted(t for t in times if t is not None), None]
    file = File(times, size)
    extent = file.extent()
    if not extent.spread:
        return
    halves = Halves(MAPPING, extent.half())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "MOST", most)
        step = module.step_of(extent.before(halves.time))
        first, done, rest = halves.part(
            file.read, len(times), lambda read: None, in_order=extent.in_order, step=step
        )
        second = list(rest)
    known = [START * 1_000 + t * 1_000 if t is not None else None for t in times]
    early = [n for n, t in enumerate(known) if t is not None and t < (halves.time or 0)]
    assert numbers(first) == early[::step]
    assert (done, len(numbers(first)) <= most) == (len(early), True)
    assert numbers([table for table, _ in second]) == [n for n in range(len(times)) if
                                                       n not in early]  # fmt: skip
    assert extent.before(halves.time) == len(early)
    # Half of them, as near as ties let it be.
    others = [sum(t < cut for t in known if t is not None) for cut in {t for t in known if t}]
    apart = {abs(2 * many - extent.events) for many in others if many}
    assert abs(2 * len(early) - extent.events) == min(apart)
    assert [until for _, until in second][-1] == len(times)
    assert file.readings == (1 if extent.in_order or len(times) <= most else 2)


def test_wild_times_do_not_choose_the_window() -> None:
    times = [60 * n for n in range(5_000)]
    size = Size(1_000, 500)
    quiet = round_length(File([*times], 999).extent().pace(), size)
    for wild in ([10**9], [-(10**8)], [10**9, -(10**8)] * 10):
        extent = File([*wild, *times], 999).extent()
        assert round_length(extent.pace(), size) == quiet
        assert extent.wild() == (len(wild), (START + max(wild)) * 1_000)
    assert File([*times], 999).extent().wild() == (0, 0)
    assert File([1, 1, 1, 2], 999).extent().wild() == (0, 0)


@pytest.mark.parametrize(
    ("times", "daily"),
    [
        ([DAY // 1_000 * n for n in range(700)], True),  # dates
        ([60 * n for n in range(10_000)], False),
        # Only by day: from 8 to 18 o'clock.
        ([60 * n for n in range(20_000) if 8 <= (START + 60 * n) // 3_600 % 24 < 18], True),
    ],
)
def test_days_that_differ_by_the_hour_are_judged_whole(times: list[int], daily: bool) -> None:
    pace = File([*times], 1_000).extent().pace()
    assert pace.daily == daily
    assert (round_length(pace, Size(1_000, 500)) % DAY == 0) == daily


def test_a_window_is_no_shorter_than_the_steps_and_never_too_small() -> None:
    length = round_length(Pace(rate=100_000 / (7 * DAY), step=7 * DAY, daily=True), Size(100, 50))
    assert length == 7 * DAY
    assert round_length(Pace(0.001, 1, daily=False), Size(1_000, 500)) * 0.001 >= 500
