"""Times that stand for none, such as 1970-01-01, do not choose the windows; nothing to watch."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from driftline.consumer.offline.assumed import assumed
from driftline.consumer.offline.extent import Extent
from driftline.consumer.offline.feedback import Feedback
from driftline.consumer.offline.setup import Setup
from driftline.producer.errors import InputError
from driftline.producer.files.given import Given
from driftline.producer.records.mapping import Mapping
from driftline.producer.records.table import Table, Times, column_of

BEGIN, MINUTE, HOUR = 1_772_400_000_000, 60_000, 3_600_000


def extent(times: list[int]) -> Extent:
    found = Extent(Mapping({"timestamp": "at"}))
    list(found.watch([Table(len(times), {"at": Times(np.array(times), None, local=False)})]))
    return found


@pytest.mark.parametrize("mark", ["1900-01-01", "1970-01-01", "2099-12-31"])
@pytest.mark.parametrize("every", [200, 100, 30, 12])
def test_the_pace_is_that_of_the_others(mark: str, every: int) -> None:
    """Up to 8 % of all times are the mark: twice as many of the half before now."""
    ms = int(datetime.fromisoformat(f"{mark}T00:00:00+00:00").timestamp() * 1000)
    times = [ms if i % every == 0 else BEGIN + i * MINUTE for i in range(4_800)]
    found = extent(times)
    assert found.pace().rate == pytest.approx(1 / MINUTE, rel=0.11)
    far, when = found.wild()
    assert far == pytest.approx(4_800 / every, rel=0.01)
    assert when == ms


def test_a_burst_among_slow_events_is_no_mark() -> None:
    """A day in which most events come, of a year: what is left of the year is more than a tenth."""
    year = [BEGIN + day * 24 * HOUR for day in range(365)]
    burst = [year[200] + i * 1_000 for i in range(1_000)]
    assert extent(sorted([*year, *burst])).wild() == (0, 0)


def test_marks_leave_the_windows_of_a_file_as_they_are() -> None:
    rng = np.random.default_rng(1)
    begin = datetime(2026, 3, 2, tzinfo=UTC)
    times = [begin + timedelta(minutes=i) for i in range(2_600)]
    values = rng.normal(size=2_600).tolist()

    def windows(at: list[Any]) -> int:
        columns = {"ts": column_of([each.isoformat() for each in at]), "km": column_of(values)}
        rows = Given("rows", lambda: iter([Table(2_600, columns)]))
        setup: Setup = assumed(rows, None, None, Feedback())
        return setup.config.window.length

    marked = [datetime(1970, 1, 1, tzinfo=UTC) if i % 50 == 0 else t for i, t in enumerate(times)]
    assert windows(marked) == windows(times) == 12 * HOUR


def test_a_file_without_a_column_to_watch_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "ids.csv"
    ids = "".join(f"{uuid.UUID(int=i * 7919)}\n" for i in range(400))
    file.write_text(f"request\n{ids}")
    with pytest.raises(InputError, match=r"ids\.csv: has no column to watch: request is not watch"):
        assumed(file, None, None, Feedback())
