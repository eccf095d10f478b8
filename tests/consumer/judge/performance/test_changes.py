"""Performance that becomes worse, told pane by pane."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from driftline.consumer import build_reference
from driftline.consumer.offline.assumed import assumed
from driftline.consumer.offline.feedback import Feedback
from driftline.consumer.offline.run import run
from driftline.consumer.offline.window_options import WindowOptions
from driftline.consumer.wire.records import Alert, Verdict

HOUR, PANES, CHANGED, EACH = 3_600_000, 96, 60, 60
BEGIN = pd.Timestamp("2026-03-01", tz="UTC")


def frame(rows: int, seed: int, kind: str, worse: float = 0.0) -> pd.DataFrame:
    """60 events an hour; from the 61st hour on performance is worse, or better below 0."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=rows)
    late = np.arange(rows) >= CHANGED * EACH
    data = pd.DataFrame({"timestamp": BEGIN + pd.to_timedelta(np.arange(rows), "min"), "x": x})
    if kind == "sizes":
        spread = np.where(late, 1.0 + worse, 1.0)
        data["prediction"] = 10 * x
        data["actual"] = 10 * x + spread * rng.normal(size=rows)
        return data
    if kind == "scores":  # ROC AUC 0.85; no class is predicted
        yes = rng.random(rows) < 0.5
        apart = np.where(late, 1.466 - 4.6 * worse, 1.466)
        data["prediction.score"] = 1 / (1 + np.exp(-rng.normal(size=rows) - yes * apart + 0.7))
        data["actual"] = yes.astype(int)
        return data
    wrong = rng.random(rows) < np.where(late, 0.2 + worse, 0.2)
    data["prediction"] = np.where(x > 0, "yes", "no")
    data["actual"] = np.where((x > 0) ^ wrong, "yes", "no")
    return data


def records(folder: Path, kind: str, worse: float) -> tuple[list[Alert], list[Verdict]]:
    reference, file = folder / "reference.json", folder / "rows.parquet"
    reference.write_bytes(build_reference(frame(3_000, 1, kind), "m").to_json())
    frame(PANES * EACH, 2, kind, worse).to_parquet(file)
    wanted = WindowOptions(length=48 * HOUR, every=HOUR, min_events=100)
    found = list(run(assumed(file, None, reference, Feedback(), wanted=wanted)))
    return (
        [each for each in found if isinstance(each, Alert) and each.status == "firing"],
        [each for each in found if isinstance(each, Verdict)],
    )


@pytest.mark.parametrize(
    ("kind", "worse", "metric"),
    [("right", 0.2, "accuracy"), ("sizes", 0.6, "mae"), ("scores", 0.2, "roc_auc")],
)
def test_worse_performance_is_told_within_hours_of_a_window_of_two_days(
    tmp_path: Path, kind: str, worse: float, metric: str
) -> None:
    alerts, verdicts = records(tmp_path, kind, worse)
    alert = next(each for each in alerts if each.feature == f"performance.{metric}")
    assert (alert.kind, alert.breaches) == ("performance", (1, 1))
    start, end = (pd.Timestamp(time) for time in alert.window.times)
    change = BEGIN + pd.Timedelta(hours=CHANGED)
    assert change < end <= change + pd.Timedelta(hours=10)
    assert abs(start - change) <= pd.Timedelta(hours=3)
    assert alert.since == alert.window.start  # the onset
    assert alert.window.events == alert.counts["labelled"] if alert.counts else False
    known = [
        each.sequential for each in verdicts
        if each.feature == f"performance.{metric}" and each.sequential is not None
    ]  # fmt: skip
    assert known[-1].evidence is not None
    assert known[-1].limit is not None
    assert known[0].evidence is not None
    assert known[-1].evidence > known[-1].limit > known[0].evidence
    data = frame(PANES * EACH, 2, kind, worse).set_index("timestamp")[start:end].iloc[:-1]
    if kind == "right":
        assert alert.value == pytest.approx(float((data.prediction == data.actual).mean()))
    elif kind == "scores":
        scores = data["prediction.score"]
        above = scores[data.actual == 1].to_numpy()[:, None] > scores[data.actual == 0].to_numpy()
        assert alert.value == pytest.approx(float(above.mean()), abs=0.01)  # scores are in bins
    else:
        assert alert.value == pytest.approx(float((data.prediction - data.actual).abs().mean()))


@pytest.mark.parametrize(
    ("kind", "worse"),
    [
        ("right", -0.15), ("right", 0.0), ("sizes", -0.4), ("sizes", 0.0),
        ("scores", -0.1), ("scores", 0.0),
    ],
)  # fmt: skip
def test_performance_that_is_better_or_as_before_is_not_told(
    tmp_path: Path, kind: str, worse: float
) -> None:
    alerts, _ = records(tmp_path, kind, worse)
    assert [each.feature for each in alerts if each.kind == "performance"] == []
