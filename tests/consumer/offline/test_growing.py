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


def judged(
    value: Callable[[datetime, int], object], name: str = "x", step: int = 6, *, timed: bool = True
) -> tuple[list[str], set[str | None]]:
    """Return what is said of a feature, and which features alarm."""
    rows = []
    for i in range(ROWS):
        at = START + timedelta(hours=step * i)
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


def test_hours_come_again() -> None:
    assert judged(lambda at, i: at.hour) == ([], set())
