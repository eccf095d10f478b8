"""What the exit code of a backtest says: drift, too little judged to say, a defect, or nothing."""

from __future__ import annotations

import csv
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.consumer.cli.conftest import Driftline

from driftline.consumer.join.model import ModelJoin
from driftline.consumer.judge.comparison.judge import ComparisonJudge
from driftline.consumer.judge.model import ModelJudge
from driftline.consumer.offline.found import Found
from driftline.consumer.wire.records import ReferenceName, Verdict, Window

T0 = datetime(2026, 3, 2, tzinfo=UTC)


def rows(
    count: int, *, start: int = 0, shift: float = 0.0, every: int = 60
) -> list[dict[str, Any]]:
    """Events `every` seconds apart, `start` minutes after the beginning."""
    rng = random.Random(start)
    return [
        {
            "ts": (T0 + timedelta(minutes=start, seconds=i * every)).isoformat(),
            "amount": round(rng.gauss(shift, 1), 3),
            "score": round(rng.random(), 3),
        }
        for i in range(count)
    ]


def write(name: str, events: list[dict[str, Any]]) -> Path:
    with Path(name).open("w", newline="") as file:
        writer = csv.DictWriter(file, list(events[0]))
        writer.writeheader()
        writer.writerows(events)
    return Path(name)


QUIET = rows(6_000)


SPARSE = rows(1_500, start=3_720, every=3_600)
THINNER = rows(1_500, start=3_720, every=90)  # not so much that how many come is an alert
_FULL_HOURS = ["--window", "1h", "--min-events", "50"]
WILD = rows(1, start=900_000)


@pytest.mark.parametrize(
    ("watched", "options", "code", "why"),
    [
        (QUIET[3_000:], [], 0, ""),
        (rows(3_000, start=3_000, shift=2.0), [], 1, ""),
        # One wrong clock is one event in a window of its own.
        ([QUIET[3_000], *WILD, *QUIET[3_001:]], [], 0, ""),
        (QUIET[3_000:], ["--window", "1h", "--min-events", "500"], 2, "fewer than 500 events"),
        # Drift in a part is drift, however little of the file was judged.
        ([*rows(720, start=3_000, shift=2.0), *SPARSE], ["--window", "12h"], 1, ""),
        ([*QUIET[3_000:3_720], *THINNER], _FULL_HOURS, 2, "of 2,610 events"),
    ],
    ids=["quiet", "drift", "wild", "nothing judged", "drift in a part", "too little"],
)
def test_fail_on_drift(
    watched: list[dict[str, Any]], options: list[str], code: int, why: str, driftline: Driftline
) -> None:
    file = write("events.csv", [*QUIET[:3_000], *watched])
    ran = driftline("backtest", "--input", file, *options, "--fail-on-drift")
    assert ran.code == code, ran.err
    assert ("--fail-on-drift: " in ran.err) == (code == 2)
    assert why in ran.err
    # Without the option none of it is an error.
    assert driftline("backtest", "--input", file, *options).code == 0


def verdict(start: int, length: int, events: int, state: Any, kind: str = "numeric") -> Verdict:
    window = Window(f"2026-01-{start:02}", f"2026-01-{start + length:02}", events)
    return Verdict(
        "driftline.verdict.v1", f"{start}", "m", "m", None, "x", kind, state,
        "few" if state == "insufficient" else None, window, ReferenceName("r", 9), {}, {}, None,
        {}, None,
    )  # fmt: skip


@pytest.mark.parametrize("kind", ["numeric", "performance"])
def test_events_of_windows_that_overlap_count_once(kind: str) -> None:
    """Panes of 10, 20, 30, 40 and 50 events; windows of two, the first begins before the data."""
    found = Found("m", 0)
    for start, events, state in (
        (10, 10, "insufficient"), (11, 30, "ok"), (12, 50, "insufficient"),
        (13, 70, "insufficient"), (14, 90, "warning"),
    ):  # fmt: skip
        found.add(verdict(start, 2, events, state, kind))
    assert found.events_tested() == 10 + 20 + 40 + 50


def test_one_verdict_makes_a_window_judged() -> None:
    found = Found("m", 0)
    found.add(verdict(10, 1, 500, "insufficient"))
    found.add(verdict(10, 1, 500, "ok"))
    assert (found.events_tested(), found.insufficient) == (500, {})


def test_windows_are_counted_by_why_they_were_not_judged() -> None:
    found = Found("m", 500)
    for start, events, reason in (
        (10, 212, "212 events, 500 needed"), (11, 499, "499 events, 500 needed"),
        (12, 0, "no events"), (13, 700, "reference changed"),
    ):  # fmt: skip
        unjudged = verdict(start, 1, events, "insufficient")
        found.add(msgspec.structs.replace(unjudged, reason=reason))
    assert found.insufficient == {
        "fewer than 500 events": 2, "no events": 1, "reference changed": 1,
    }  # fmt: skip


def sides(driftline: Driftline, known: int) -> int:
    """Two models on the same 400 events, of which so many have their ground truth."""
    rng = random.Random(1)
    for name in ("a.csv", "b.csv"):
        write(
            name,
            [
                {
                    "id": i,
                    "predicted_label": rng.choice("xy"),
                    "truth": "xy"[i % 2] if i < known else "",
                }
                for i in range(400)
            ],
        )
    arguments = ("--compare", "a.csv", "b.csv", "--actual", "truth", "--fail-on-drift")
    ran = driftline("backtest", *arguments)
    assert ("--fail-on-drift: only " in ran.err) == (ran.code == 2), ran.err
    return ran.code


def test_a_comparison_of_few_labels_says_nothing(driftline: Driftline) -> None:
    assert sides(driftline, 400) == 0
    assert sides(driftline, 200) == 0
    assert sides(driftline, 199) == 2


@pytest.mark.parametrize(
    "broken", [ComparisonJudge, ModelJudge, ModelJoin], ids=lambda b: b.__name__
)
def test_what_the_others_found_is_not_lost(
    broken: type, driftline: Driftline, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = [
        {
            **row,
            "event_id": i,
            "version": "12"[i % 2],
            "predicted_label": "ab"[i % 3 > 0],
            "actual": "ab"[i % 5 > 1],
        }
        for i, row in enumerate([*QUIET[:1_500], *rows(1_500, start=1_500, shift=2.0)])
    ]
    write("events.csv", events)
    write("normal.csv", events[:1_500])
    Path("driftline.yaml").write_text(CONFIG)
    build = ("--model", "m", "--input", "normal.csv", "--output", "m.json.gz")
    assert driftline("reference", "build", *build).code == 0
    whole = driftline("backtest", "--input", "events.csv", "--json", "--verdicts")
    assert whole.code == 0, whole.err
    monkeypatch.setattr(broken, "feed", lambda *_: 1 / 0)
    ran = driftline("backtest", "--input", "events.csv", "--json", "--verdicts")
    assert ran.code == 70
    assert "ZeroDivisionError" in ran.err
    assert " failed by an error of Driftline's own" in ran.err
    model = [line for line in whole.out.splitlines() if '"model":"m"' in line]
    features = [line for line in model if '"type":"performance"' not in line]
    compared = [line for line in whole.out.splitlines() if '"model":"m"' not in line]
    assert compared
    expected = {ComparisonJudge: model, ModelJudge: compared, ModelJoin: features}[broken]
    assert [line for line in ran.out.splitlines() if line in set(expected)] == expected
    drifted = driftline("backtest", "--input", "events.csv", "--fail-on-drift")
    assert drifted.code == (70 if broken is ModelJudge else 1)


CONFIG = """\
kafka: {bootstrap_servers: "localhost:9092"}
sources:
  ml:
    fields:
      timestamp: ts
      event_id: event_id
      prediction.score: score
      prediction.label: predicted_label
      actual: actual
      model_version: version
      features.amount: amount
models:
  m:
    predictions: ml
    reference: m.json.gz
    labels: ml
    window: {length: 12h}
comparisons:
  versions: {champion: m@1, challenger: m@2, traffic: split}
"""
