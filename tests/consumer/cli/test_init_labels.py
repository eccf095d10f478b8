"""`driftline init --labels`: what it writes passes `check`, and a backtest with that file."""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.consumer.cli.conftest import Driftline

from driftline.consumer.config import load

START = datetime(2026, 3, 1, tzinfo=UTC)
DAY = 86_400_000
Row = dict[str, Any]


@pytest.fixture
def rows(tmp_path: Path) -> list[Row]:
    """1,200 events of a model that is right nine times of ten, written as CSV and native."""
    rng, found = random.Random(7), []
    for n in range(1_200):
        said = rng.choice(["no", "yes"])
        truth = said if rng.random() < 0.9 else {"no": "yes", "yes": "no"}[said]
        made = START + timedelta(minutes=10 * n)
        found.append({"n": n, "made": made, "x": rng.random(), "said": said, "truth": truth})
    write(tmp_path / "events.csv", found, lambda row: {
        "order": 7_000 + row["n"], "ts": row["made"], "x": row["x"], "prediction": row["said"],
    })  # fmt: skip
    return found


def write(path: Path, rows: list[Row], of: Callable[[Row], Row]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(of(rows[0])))
        writer.writeheader()
        writer.writerows(map(of, rows))


def passes(driftline: Driftline, events: str, labels: str) -> str:
    """What a backtest prints with what was written, which is right."""
    ran = driftline("check", "--offline")
    assert ran.code == 0
    assert "no errors" in ran.out
    ran = driftline("backtest", "-i", events, "--labels", labels)
    assert ran.code == 0
    assert "1,200 predictions: 1,200 got their label, 0 expired" in ran.out
    assert "accuracy " in ran.out
    return ran.out


def test_labels_that_come_later(driftline: Driftline, tmp_path: Path, rows: list[Row]) -> None:
    write(tmp_path / "paid.csv", rows[::-1], lambda row: {
        "order_no": 7_000 + row["n"],
        "asked": row["made"].date(),
        "paid": row["truth"],
        "settled": (row["made"] + timedelta(days=11)).strftime("%d.%m.%Y %H:%M"),
    })  # fmt: skip
    ran = driftline("init", "--from", "events.csv", "--labels", "paid.csv", "--model", "loans")
    assert ran.code == 0
    assert (
        "assumed  labels: column paid of paid.csv, by order_no there and order here; 1,200 of 1,200"
        " events have one\n"
        "assumed  labels: their time is column settled (text as %d.%m.%Y %H:%M, read as UTC)\n"
    ) in ran.err
    assert "  driftline backtest --input events.csv --labels paid.csv   what would" in ran.out
    config = load(tmp_path / "driftline.yaml", environ={}).config
    assert config.sources["loans.labels"].mapping.fields == {
        "event_id": "order_no", "timestamp": "settled", "actual": "paid",
    }  # fmt: skip
    assert config.sources["loans.labels"].time_format == "%d.%m.%Y %H:%M"
    assert config.sources["loans.predictions"].mapping.fields == {
        "timestamp": "ts", "prediction.label": "prediction", "features": "*", "event_id": "order",
    }  # fmt: skip
    labels = config.models["loans"].labels
    assert labels is not None
    assert (labels.topic, labels.horizon) == ("loans.labels", 12 * DAY)
    assert "of labels not judged" in passes(driftline, "events.csv", "paid.csv")


def test_labels_without_times(driftline: Driftline, tmp_path: Path, rows: list[Row]) -> None:
    write(tmp_path / "l.csv", rows, lambda row: {"id": 7_000 + row["n"], "fate": row["truth"]})
    ran = driftline("init", "--from", "events.csv", "--labels", "l.csv", "--actual", "fate")
    assert ran.code == 0
    assert (
        "note  l.csv has no times: labels are known at once here, on a topic when they come\n"
    ) in ran.err
    config = load(tmp_path / "driftline.yaml", environ={}).config
    assert config.sources["events.labels"].mapping.fields == {"event_id": "id", "actual": "fate"}
    text = (tmp_path / "driftline.yaml").read_text()
    assert "horizon" not in text
    # Of 1,200 events no window has the usual 500.
    assert "window: {length: 3d, min_events: 300}" in text
    assert "is not judged" not in ran.err
    passes(driftline, "events.csv", "l.csv")


def test_labels_of_native_events(driftline: Driftline, tmp_path: Path, rows: list[Row]) -> None:
    with (tmp_path / "e.jsonl").open("w") as events, (tmp_path / "l.jsonl").open("w") as labels:
        for row in rows:
            time = int(row["made"].timestamp())
            event = {"event_id": f"e{row['n']}", "timestamp": time, "prediction": row["said"]}
            events.write(f"{json.dumps({**event, 'features': {'x': row['x']}})}\n")
            known = (time + 3_600) * 1_000
            label = {"of": f"e{row['n']}", "known": known, "outcome": row["truth"]}
            labels.write(f"{json.dumps(label)}\n")
    assert driftline("init", "--from", "e.jsonl", "--labels", "l.jsonl", "--model", "m").code == 0
    sources = load(tmp_path / "driftline.yaml", environ={}).config.sources
    assert {topic: source.mapping.fields for topic, source in sources.items()} == {
        "m.labels": {"event_id": "of", "timestamp": "known", "actual": "outcome"},
    }
    passes(driftline, "e.jsonl", "l.jsonl")


def test_ids_in_another_column_than_the_guess(
    driftline: Driftline, tmp_path: Path, rows: list[Row]
) -> None:
    write(tmp_path / "events.csv", rows, lambda row: {
        "id": f"u{row['n']}", "order": 7_000 + row["n"], "ts": row["made"], "x": row["x"],
        "prediction": row["said"],
    })  # fmt: skip
    write(tmp_path / "l.csv", rows, lambda row: {"no": 7_000 + row["n"], "truth": row["truth"]})
    assert driftline("init", "--from", "events.csv", "--labels", "l.csv").code == 0
    model = load(tmp_path / "driftline.yaml", environ={}).config.models["events"]
    assert "id" in model.ignore
    passes(driftline, "events.csv", "l.csv")


def test_what_a_topic_of_labels_cannot_be(
    driftline: Driftline, tmp_path: Path, rows: list[Row]
) -> None:
    write(tmp_path / "l.csv", rows, lambda row: {"truth": row["truth"]})
    ran = driftline("init", "--from", "events.csv", "--labels", "l.csv")
    assert (ran.code, ran.err.splitlines()[-1]) == (
        2,
        "l.csv: no column of it holds ids that events.csv has, and a label of a topic finds its"
        " event by event_id alone: give both files a column id with the same ids",
    )
    write(tmp_path / "l.csv", rows, lambda row: {"id": 7_000 + row["n"], "truth": "perhaps"})
    ran = driftline("init", "--from", "events.csv", "--labels", "l.csv")
    assert (ran.code, ran.err.splitlines()[-1]) == (
        2,
        "--labels l.csv: prediction.label (no, yes) and actual (perhaps) have no class in common",
    )
    assert not (tmp_path / "driftline.yaml").exists()
