"""The functions for notebooks: data in, a report out."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from driftline.consumer import Report, backtest, build_reference, report
from driftline.consumer.offline.assumed import assumed
from driftline.consumer.offline.feedback import Feedback
from driftline.consumer.offline.run import run
from driftline.consumer.offline.window_options import WindowOptions
from driftline.consumer.wire.records import Alert
from driftline.producer.errors import InputError

RNG = np.random.default_rng(3)
N = 4_000


def frame(rows: int, seed: int, shift: float = 0.0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "age": rng.normal(shift, 1, rows),
            "plan": rng.choice(["free", "paid"], rows),
            "member": rng.random(rows) < 0.5,
            "visits": rng.poisson(3, rows),
        }
    )


def test_two_frames_are_one_window() -> None:
    found = report(frame(2_000, 1), frame(1_000, 2, shift=0.5))
    assert found.drifted == ["age"]
    assert [(row.feature, row.type) for row in found.features] == [
        ("age", "numeric"), *sorted([("member", "boolean"), ("plan", "categorical"),
        ("visits", "numeric")], key=lambda each: -(found[each[0]].effect or 0)),
    ]  # fmt: skip
    assert (found.windows, found.events) == (1, 1_000)
    assert found["age"].change.startswith("median ")
    p_value = found["age"].p_value
    assert p_value is not None
    # Rows without times are taken as independent of each other.
    assert p_value < 1e-20


def test_equal_frames_are_quiet_at_the_level_of_the_whole_report() -> None:
    fired = sum(
        bool(report(frame(500, seed), frame(500, 1_000 + seed)).drifted) for seed in range(20)
    )
    assert fired <= 1


@pytest.mark.parametrize("share", [0.1, 0.9])
def test_booleans_of_every_form_show_their_change(share: float) -> None:
    before = RNG.random(N) < 0.1
    now = RNG.random(1_000) < share
    forms = (
        list(now), now, pd.Series(now), now.astype(int), np.where(now, "true", "false"),
        now.astype(object), list(map(np.bool_, now)),
    )  # fmt: skip
    drifted = {tuple(report({"flag": before}, {"flag": form}).drifted) for form in forms}
    assert drifted == {("flag",) if share == 0.9 else ()}


def test_a_frame_is_backtested_as_its_file_is(tmp_path: Path) -> None:
    data = frame(N, 5)
    data.loc[3_000:, "age"] += 1
    data["timestamp"] = pd.Timestamp("2026-03-01", tz="UTC") + pd.to_timedelta(np.arange(N), "min")
    data.to_parquet(tmp_path / "x.parquet")
    found = backtest(data)
    assert found.drifted == ["age"]
    assert found.windows > 1
    of_file, of_polars = backtest(tmp_path / "x.parquet"), backtest(pl.from_pandas(data))
    for other in (of_file, of_polars):
        assert [row.effect for row in other.features] == [row.effect for row in found.features]
    assert any("timestamp" in note.sentence for note in found.notes)
    assert isinstance(found, Report)


def test_windows_of_rows_and_other_options() -> None:
    data = frame(N, 6)
    assert backtest(data, rows=500, min_events=100).windows == 4
    assert backtest(data, frame(1_000, 7), rows=1_000).windows == 4
    with pytest.raises(InputError, match=r"^window=.*: not a duration"):
        backtest(data, window="soon")
    with pytest.raises(InputError, match=r"^budget=.*: write `N per"):
        backtest(data, budget="3 times")


def test_a_reference_has_the_columns_that_were_asked_for() -> None:
    built = build_reference(
        frame(500, 8), "churn", segments=["plan"], types={"visits": "categorical"}, ignore=["age"]
    )
    assert built.model == "churn"
    assert {each.name: each.type for each in built.layout.features}["visits"] == "categorical"
    assert "age" not in built.layout.position
    assert built.segments == {"plan": ("free", "paid")} or set(built.segments["plan"]) == {
        "free", "paid",
    }  # fmt: skip


def test_performance_is_compared_too() -> None:
    rng = np.random.default_rng(9)
    data = frame(3_000, 9)
    data["prediction"] = rng.choice(["no", "yes"], 3_000)
    data["actual"] = np.where(rng.random(3_000) < 0.9, data["prediction"], "no")
    now = data[:1_000].assign(actual=rng.choice(["no", "yes"], 1_000))
    assert "performance.accuracy" in report(data, now).drifted


def test_labels_of_their_own_and_a_class() -> None:
    rng = np.random.default_rng(5)
    score = rng.random(3_000)
    truth = np.where(rng.random(3_000) < score, 1, -1)
    truth[2_000:] *= -1
    events = pd.DataFrame({"id": np.arange(3_000), "score": score, "age": rng.random(3_000)})
    labels = pd.DataFrame({"id": np.arange(3_000), "bought": truth}).sample(frac=1, random_state=1)
    found = backtest(events, labels=labels, positive_label="1", rows=500)
    assert found.drifted == ["performance.roc_auc"]  # which says that the estimate failed, too
    beside = events.assign(actual=truth)
    same = backtest(beside, positive_label="1", rows=500)
    assert [row.verdict for row in same.features] == [row.verdict for row in found.features]
    before, after = beside[:1_500], beside[1_500:]
    apart = backtest(after, before, positive_label="1", rows=500)
    assert "performance.roc_auc" in apart.drifted
    assert "performance.mae" in [row.feature for row in backtest(beside, rows=500).features]


def test_importing_alerts_or_the_face_needs_no_statistics() -> None:
    for statement in ("import driftline.consumer.alerts", "import driftline.consumer"):
        code = f"{statement}; import sys; print('scipy' in sys.modules)"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
        assert done.stdout == b"False\n"


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_new_column_of_a_file_is_named(tmp_path: Path, form: str) -> None:
    reference = tmp_path / "reference.json"
    reference.write_bytes(build_reference(frame(2_000, 1)).to_json())
    rows = frame(1_000, 2).assign(discount=1.5)
    rows.loc[500:, "plan"] = "trial"
    file = tmp_path / f"rows.{form}"
    if form == "csv":
        rows.to_csv(file, index=False)
    else:
        rows.to_parquet(file)
    setup = assumed(
        file, None, reference, Feedback(), wanted=WindowOptions(rows=500, min_events=100)
    )
    fired = {each.feature: each.summary for each in run(setup) if isinstance(each, Alert)}
    assert {*fired} == {"discount", "plan"}
    assert "discount is a new field, which the reference does not list" in fired["discount"]
    assert '"trial" is new in about 100 % of events' in fired["plan"]


def test_a_new_field_has_a_row_of_its_own() -> None:
    found = report(frame(2_000, 1), frame(1_000, 2).assign(discount=[1.5, None] * 500))
    row = found["discount"]
    assert (row.type, row.drifted, row.verdict) == ("new field", True, None)
    assert row.change == "new field in 50.0 %"
    assert "0 of 4 features drifted, 1 new field:" in str(found)
    assert "new field in 50.0 %" in found._repr_html_()
    assert found.to_dict()["drifted"] == ["discount"]


def test_times_that_windows_of_rows_do_not_read_are_no_new_field() -> None:
    data = frame(1_000, 1).assign(ts=pd.date_range("2026-01-01", periods=1_000, freq="min"))
    assert report(data[:500], data[500:]).drifted == []
    assert backtest(data, rows=100).drifted == []
    date, clock = data["ts"].dt.strftime("%Y-%m-%d"), data["ts"].dt.strftime("%H:%M")
    apart = data.drop(columns="ts").assign(date=date, time=clock)
    assert report(apart[:500], apart[500:]).drifted == []


def test_verdicts_and_alerts_are_frames() -> None:
    data = pd.concat([frame(2_000, 1), frame(1_000, 2, shift=1.0)], ignore_index=True)
    found = backtest(data, rows=500)
    verdicts, alerts = found.verdict_frame(), found.alert_frame()
    assert len(verdicts) == len(found.verdicts)
    first = verdicts[verdicts.feature == "age"].iloc[0]
    assert (first.start, first.end, first.events, first.state) == (1_501, 2_000, 500, "ok")
    assert alerts[["since", "severity", "feature"]].values.tolist() == [[2_001, "critical", "age"]]
    times = pd.date_range("2026-01-01", periods=len(data), freq="min", tz="UTC")
    timed = backtest(data.assign(ts=times), window="6h", min_events=100)
    assert set(timed.verdict_frame().start) == {each.window.start for each in timed.verdicts}
    assert timed.alert_frame().since.tolist() == [each.since for each in timed.alerts]


def test_few_rows_are_told() -> None:
    few = report(frame(2_000, 1), frame(150, 2))
    enough = report(frame(2_000, 1), frame(200, 2))

    assert [str(note) for note in few.notes if note.kind == "note"] == [
        "note  the reference has 2,000 rows, the current data 150: with fewer than 200 only great"
        " changes can be told from chance"
    ]
    assert not [note for note in enough.notes if note.kind == "note"]


def test_windows_may_be_durations_of_python() -> None:
    data = frame(N, 1)
    data.index = pd.date_range("2026-03-01", periods=N, freq="5min")

    given = backtest(data, window=pd.Timedelta("2D"), every=timedelta(days=1), min_events=200)

    assert given.to_dict() == backtest(data, window="2d", every="1d", min_events=200).to_dict()
    assert {verdict.window.end for verdict in given.verdicts} >= {"2026-03-10T00:00:00Z"}


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ({"rows": 0}, "rows=0: give a whole number"),
        ({"rows": 1.5}, r"rows=1\.5: give a whole number"),
        ({"min_events": "9"}, "min_events='9': give a whole number"),
        ({"window": 5}, "window=5: give it as text"),
        ({"budget": 1}, "budget=1: give it as text"),
    ],
)
def test_arguments_that_say_nothing_are_refused(argument: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=f"^{message}"):
        backtest(frame(N, 1), **argument)
