"""What a monitor says of rows that it leaves out, and of what it cannot work with."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from driftline.consumer.offline.batch import build_reference
from driftline.consumer.offline.monitor import Monitor
from driftline.producer.errors import InputError

N = 900
FRAME = pd.DataFrame(
    {
        "timestamp": pd.Timestamp("2026-03-01", tz="UTC") + pd.to_timedelta(np.arange(N), "min"),
        "age": np.random.default_rng(7).normal(0, 1, N),
    }
)
REFERENCE = build_reference(FRAME)
SETTINGS = {"window": {"length": "2h", "every": "1h", "min_events": 50}}


def test_rows_that_are_left_out_are_counted() -> None:
    monitor = Monitor(REFERENCE, SETTINGS)
    monitor.update(FRAME[:500])
    bad = FRAME[500:510].astype({"timestamp": object})
    bad.iloc[3, 0] = "no time"

    found = monitor.update(pd.concat([bad, FRAME[:20]]))

    assert (found.late, found.refused) == (20, 1)
    assert monitor.update(bad[3:4]).refused == 1  # a bad row of a stream that goes on


@pytest.mark.parametrize("lacking", ["no times", "a row as a series"])
def test_rows_of_which_none_can_be_used_are_refused(lacking: str) -> None:
    monitor = Monitor(REFERENCE, SETTINGS)
    data = FRAME.drop(columns="timestamp") if lacking == "no times" else FRAME.iloc[0]

    with pytest.raises(InputError, match=r"^no row can be used: .*give a column of times"):
        monitor.update(data)


def test_a_frame_is_no_reference_of_a_monitor() -> None:
    with pytest.raises(InputError, match=r"^DataFrame is no reference: build_reference makes one"):
        Monitor(FRAME)
