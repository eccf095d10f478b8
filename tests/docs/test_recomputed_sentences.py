"""What computes the numbers in sentences again finds those that are wrong or unexplained."""

from __future__ import annotations

from runpy import run_path
from typing import Any

import numpy as np
import pytest

from .pages import ROOT

PROGRAM = run_path(str(ROOT / "benchmarks" / "sentences.py"))
TRUTH = ("prediction.label", "actual", "prediction.score")
HOUR = 3_600_000
NOW = {
    "age": np.array([*range(20, 70), *[np.nan] * 50], float),
    "plan": np.array(["a"] * 80 + ["b"] * 20, object),
    "prediction.label": np.array(["1", "0"] * 50, object),
    "actual": np.array(["1", "1"] * 40 + ["1", "0"] * 10, object),
    "prediction.score": np.linspace(0, 1, 100),
}
NOW["size 2"] = NOW["age"] + 1
NORMAL = {
    **NOW,
    "age": np.arange(100.0),
    "size 2": np.arange(100.0),
    "plan": np.array(["a", "b"] * 50, object),
}
SENTENCES = [
    ("age", "age fell: median 44.5, normally 49.5, since 2026-01-01 00:00 UTC. Only this one."),
    ("age", "age rose: 30 to 40 in 20.0 % of events, normally 10.0 %, since 2026-01-01 00:00 UTC."),
    ("age", "age is missing in 50.0 % of events, normally 0.0 %, since 2026-01-01 00:00 UTC."),
    (
        "age",
        "age has more extreme values: those above the normal 60 % point (59) rose from 40.0 % to"
        " 20.0 % of events, since 2026-01-01 00:00 UTC.",
    ),
    ("plan", 'plan changed: "a" is 80.0 % of events, normally 50.0 %, since 2026-01-01 00:00 UTC.'),
    (
        "performance.accuracy",
        "accuracy fell to 0.6 (95 % interval 0.502 to 0.691), normally 0.6, on 100 labelled of"
        " 100 events, since 2026-01-01 00:00 UTC. 2 features changed before it.",
    ),
    ("plan", "plan is amiss since 2026-01-01 00:00 UTC and cannot be judged now: 100 events, 500"
     " needed."),
    ("", "age and size 2 are missing together in 50.0 % of events, normally 0.0 %, since 2026-01-01"
     " 00:00 UTC. Only these features."),
]  # fmt: skip


def errors(feature: str, summary: str) -> list[str]:
    alert: dict[str, Any] = {
        "stream": "m",
        "summary": f"m: {summary}",
        "feature": feature or None,
        "features": None if feature else [{"name": "age"}, {"name": "size 2"}],
        "revision": 1,
        "status": "firing",
        "since": "2026-01-01T00:00:00Z",
        "until": None,
        "window": {
            "start": "2026-01-01T00:00:00Z", "end": "2026-01-01T01:00:00Z", "events": 100,
        },
        "also_firing": ["age", "plan"],
    }  # fmt: skip
    start = int(np.datetime64("2026-01-01", "ms").astype(int))
    times = start + np.arange(100) * (HOUR // 100)
    rows = PROGRAM["Rows"](NORMAL, NOW, times, times, TRUTH)
    PROGRAM["check"](rows, [alert])
    found: list[str] = rows.errors
    return found


@pytest.mark.parametrize(("feature", "summary"), SENTENCES)
def test_a_true_sentence_has_no_error(feature: str, summary: str) -> None:
    assert errors(feature, summary) == []


@pytest.mark.parametrize(
    ("place", "true", "false"),
    [
        (0, "44.5", "46"),
        (0, "49.5", "40"),
        (0, "01-01 00", "01-01 01"),
        (1, "20.0", "21.0"),
        (1, "30 to", "31 to"),
        (2, "50.0", "49.9"),
        (3, "60 %", "70 %"),
        (3, "to 20.0", "to 19.0"),
        (4, "50.0", "50.1"),
        (5, "0.502", "0.512"),
        (5, "normally 0.6", "normally 0.7"),
        (5, "2 features", "3 features"),
        (6, "100 events", "99 events"),
        (6, "amiss", "amiss by 7"),
        (7, "50.0", "49.9"),
        (7, "size 2 are", "size 2 and 3 more are"),
    ],
)
def test_a_wrong_number_is_found(place: int, true: str, false: str) -> None:
    feature, summary = SENTENCES[place]
    assert true in summary
    assert errors(feature, summary.replace(true, false, 1))


def test_features_that_are_missing_in_other_rows_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(NOW, "size 2", NOW["size 2"][::-1])
    assert errors(*SENTENCES[7])
