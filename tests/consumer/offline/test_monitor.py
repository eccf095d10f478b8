"""A monitor in a program: splits and restarts change nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftline.consumer.judge.features import changes
from driftline.consumer.offline.monitor import Monitor, Update
from driftline.consumer.wire.records import Alert, Verdict
from driftline.detectors import FeatureColumn, build_reference
from driftline.errors import RecordError
from driftline.producer.errors import InputError
from driftline.producer.records.mapping import Mapping
from driftline.producer.reference.build import ReferenceSettings, reference_from_rows

RNG = np.random.default_rng(7)
N = 900
FRAME = pd.DataFrame(
    {
        "timestamp": pd.Timestamp("2026-03-01", tz="UTC") + pd.to_timedelta(np.arange(N), "min"),
        "age": np.concatenate([RNG.normal(0, 1, 400), RNG.normal(3, 1, N - 400)]),
        "plan": [*RNG.choice(["free", "paid"], 600), *["trial"] * (N - 600)],
        "prediction": RNG.choice(["no", "yes"], N),
        "actual": RNG.choice(["no", "yes"], N),
        "extra": [None] * 500 + ["text"] * (N - 500),
    }
)
ROWS = FRAME.astype({"timestamp": str}).to_dict("records")
REFERENCE = reference_from_rows(
    [ROWS[:400]],
    Mapping(
        {
            "timestamp": "timestamp", "prediction.label": "prediction", "actual": "actual",
            "features": "*",
        }
    ),
    ReferenceSettings("churn"),
).reference  # fmt: skip
SETTINGS = {"window": {"length": "2h", "every": "1h", "min_events": 50}}


def fed(monitor: Monitor, cuts: list[int], saves: set[int]) -> list[Update]:
    found = []
    for begin, end in zip([0, *cuts], [*cuts, N], strict=True):
        if begin == end:
            continue
        found.append(monitor.update(FRAME[begin:end]))
        if end in saves:
            monitor = Monitor.load(monitor.state())
    return found


def records(updates: list[Update]) -> list[Verdict | Alert]:
    found: list[Verdict | Alert] = []
    for update in updates:
        found += update.verdicts
        found += update.alerts
    return found


WHOLE = fed(Monitor(REFERENCE, SETTINGS), [], set())


def test_it_finds_the_drift_and_measures_performance() -> None:
    (update,) = WHOLE
    assert next(alert.feature for alert in update.alerts if alert.status == "firing") == "age"
    new = {alert.feature: alert.summary for alert in update.alerts if alert.detector != "ks"}
    assert "extra is a new field" in new["extra"]
    assert '"trial" is new in' in new["plan"]
    assert {verdict.feature for verdict in update.verdicts} >= {"age", "performance.accuracy"}
    frame = update.to_frame()
    assert isinstance(frame, pd.DataFrame)
    assert len(frame) == len(update.verdicts)


@given(cuts=st.lists(st.integers(1, N - 1), max_size=6, unique=True).map(sorted), data=st.data())
@settings(max_examples=25, deadline=None)
def test_splits_and_restarts_change_nothing(cuts: list[int], data: st.DataObject) -> None:
    saves = set(data.draw(st.lists(st.sampled_from(cuts)))) if cuts else set()
    updates = fed(Monitor(REFERENCE, SETTINGS), cuts, saves)
    # Features and performance are judged by logs of their own: only within each there is an order.
    assert sorted(map(repr, records(updates))) == sorted(map(repr, records(WHOLE)))
    for name in ("age", "performance.accuracy"):
        for kind in ("verdicts", "alerts"):
            found, expected = (
                [each for update in some for each in getattr(update, kind) if each.feature == name]
                for some in (updates, WHOLE)
            )
            assert found == expected


def test_a_saved_monitor_is_a_file(tmp_path: Path) -> None:
    monitor = Monitor(REFERENCE, SETTINGS)
    monitor.save(tmp_path / "empty")
    monitor = Monitor.load(tmp_path / "empty")
    first = monitor.update(FRAME[:500])
    monitor.save(tmp_path / "state")
    again = Monitor.load(tmp_path / "state")
    assert len(records([first, again.update(FRAME[500:])])) == len(records(WHOLE))


def test_only_what_is_open_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "RECENT", (2,))  # panes that the gate looks at
    monitor = Monitor(REFERENCE, SETTINGS)
    sizes = []
    for begin in range(0, N, 100):
        monitor.update(FRAME[begin : begin + 100])
        sizes.append(len(monitor.state()))
    assert max(sizes[4:]) < 1.5 * max(sizes[1:4])


def test_what_cannot_be_used_is_one_sentence() -> None:
    with pytest.raises(InputError, match=r"settings: window.length"):
        Monitor(REFERENCE, {"window": {"length": "soon"}})
    with pytest.raises(RecordError, match="not the state of a monitor"):
        Monitor.load(b"oops")
    with pytest.raises(InputError, match="no data that can be read"):
        Monitor(REFERENCE).update(3)


def test_a_reference_without_performance_needs_no_truth() -> None:
    reference = build_reference(
        "churn", {"age": FeatureColumn("numeric", FRAME["age"].to_numpy()[:400])}
    )
    monitor = Monitor(reference, SETTINGS, {"fields": {"timestamp": "timestamp", "features": "*"}})
    assert {verdict.feature for verdict in monitor.update(FRAME).verdicts} == {"age", None}
