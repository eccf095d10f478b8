"""What grows with time, or is a part of it, is told, and not watched."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from driftline.consumer.offline.assumed import assumed
from driftline.consumer.offline.feedback import Feedback
from driftline.consumer.offline.run import run
from driftline.consumer.wire.records import Alert
from driftline.producer.files.given import Given
from driftline.producer.records.table import Numbers, Table

ROWS = 2_000
START = datetime(2026, 1, 1, tzinfo=UTC)
RNG = np.random.default_rng(7)
NOISE = RNG.random(ROWS)
HALF, LATE = ROWS // 2, ROWS * 3 // 4


def judged(
    value: Callable[[datetime, int], object],
    name: str = "x",
    step: int = 6,
    *,
    timed: bool = True,
    snapshots: int = ROWS,
) -> tuple[list[str], set[str | None]]:
    """Return what is said of a feature, and which features alarm."""
    rows = []
    for i in range(ROWS):
        at = START + timedelta(hours=step * (i * snapshots // ROWS) * (ROWS // snapshots))
        row = {"ts": at.isoformat()} if timed else {}
        rows.append(row | {"a": float(NOISE[i]), name: value(at, i)})
    if timed:
        RNG.shuffle(rows)
    tables = [Table.of_rows(rows)]
    feedback = Feedback()
    outputs = list(run(assumed(Given("rows", lambda: iter(tables)), None, None, feedback)))
    said = [note.sentence for note in feedback.notes if f"{name} (" in note.sentence]
    alerts = [each for each in outputs if isinstance(each, Alert)]
    fired: set[str | None] = {alert.feature for alert in alerts if alert.feature == name}
    return [each for each in said if each.startswith("not watched")], fired


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (lambda at, i: 45_000 + i / 24, "grows with time"),
        (lambda at, i: 1_000 + i + 10 * NOISE[i], "grows with time"),
        (lambda at, i: 1_000 - i, "falls with time"),
        (lambda at, i: f"{i / 24:.4f}", "grows with time"),
        (lambda at, i: at.year, "the year of the timestamp"),
        (lambda at, i: at.isocalendar().week, "the week of the timestamp"),
        (lambda at, i: at.month, "the month of the timestamp"),
        (lambda at, i: at.timetuple().tm_yday, "the day of the year of the timestamp"),
        (lambda at, i: f"batch {i // 50}", "changes with time, and never back"),
    ],
)
def test_it_is_told_and_not_watched(value: Callable[[datetime, int], object], why: str) -> None:
    assert judged(value) == ([f"not watched: x ({why})"], set())


def test_a_week_that_is_the_same_in_all_rows_is_told_by_its_name() -> None:
    def week(at: datetime, _: int) -> int:
        return at.isocalendar().week

    assert judged(week, "Week_no", 0)[0] == ["not watched: Week_no (the week of the timestamp)"]
    assert judged(week, "x", 0)[0] == []


@pytest.mark.parametrize("timed", [True, False])
@pytest.mark.parametrize("name", ["day", "Order Date", "orderDate", "WEEK_NO"])
def test_few_values_are_told_by_a_name_of_time(name: str, *, timed: bool) -> None:
    told, fired = judged(lambda at, i: f"{i // 200}. day", name, timed=timed)
    how = "with time" if timed else "from row to row"
    assert (told, fired) == ([f"not watched: {name} (changes {how}, and never back)"], set())


def test_arrays_count_nothing() -> None:
    assert judged(lambda at, i: [float(i), float(i % 3)])[0] == []


def test_nearly_one_value_is_no_part_of_the_time() -> None:
    assert judged(lambda at, i: 1 + (i % 500 == 3), step=1)[0] == []


def test_what_grows_after_the_first_rows_is_told() -> None:
    rows = 60_000
    known = {"a": NOISE[np.arange(rows) % ROWS], "batch": np.maximum(np.arange(rows) // 500, 20)}
    tables = [
        Table(5_000, {name: Numbers(each[i : i + 5_000]) for name, each in known.items()}, i)
        for i in range(0, rows, 5_000)
    ]
    feedback = Feedback()
    outputs = list(run(assumed(Given("rows", lambda: iter(tables)), None, None, feedback)))
    said = [note.sentence for note in feedback.notes if note.sentence.startswith("not watched")]
    assert said == ["not watched: batch (grows from row to row)"]
    assert not [each for each in outputs if isinstance(each, Alert)]


def test_rows_without_times_grow_from_row_to_row() -> None:
    told, _ = judged(lambda at, i: i / 24, timed=False)
    assert told == ["not watched: x (grows from row to row)"]


@pytest.mark.parametrize(
    "value",
    [
        lambda at, i: float(i > ROWS // 2) + NOISE[i],
        lambda at, i: int(i > ROWS // 2),
        lambda at, i: i // (ROWS // 10),
        lambda at, i: i / ROWS + NOISE[i],
    ],
)
def test_drift_is_none_of_it(value: Callable[[datetime, int], object]) -> None:
    told, fired = judged(value)
    assert told == []
    assert fired == {"x"}


NAMES = ["lead_time", "full_time", "first_time_buyer", "day_type", "day", "Quarter", "dateFormat"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", [lambda i: 5 - 2 * (i < LATE), lambda i: ["no", "yes"][i < LATE]])
def test_nor_is_a_change_of_what_is_named_like_a_time(
    value: Callable[[int], object], name: str
) -> None:
    told, fired = judged(lambda _, i: value(i), name)
    assert told == []
    assert fired == {name}


def test_time_among_other_words_names_no_time() -> None:
    for name in ("lead_time", "day_type"):
        assert judged(lambda at, i: f"type {i // 200}", name)[0] == []


@pytest.mark.parametrize("snapshots", [2, 4])
@pytest.mark.parametrize(
    "value",
    [
        lambda i: (170 + 10 * NOISE[i]) * (1 if i < HALF else 0.01),  # another unit
        lambda i: NOISE[i] * (i >= HALF),
        lambda i: f"{'it'[i >= HALF]}{i % 21}",  # other names
    ],
)
def test_nor_is_a_change_between_snapshots(value: Callable[[int], object], snapshots: int) -> None:
    told, fired = judged(lambda _, i: value(i), "height", snapshots=snapshots)
    assert told == []
    assert fired == {"height"}


def test_nor_is_one_step_after_many_dates() -> None:
    last = ROWS - ROWS // 40
    assert judged(lambda _, i: (i >= last) * (9 + NOISE[i]), snapshots=40)[0] == []


def test_what_grows_from_date_to_date_is_told() -> None:
    grown = judged(lambda at, i: 1_000 + i, snapshots=8)
    assert grown == (["not watched: x (grows with time)"], set())


def test_hours_come_again() -> None:
    assert judged(lambda at, i: at.hour) == ([], set())
