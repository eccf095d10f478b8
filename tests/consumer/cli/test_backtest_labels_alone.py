"""`--labels FILE` where no configuration says what its columns are."""

from __future__ import annotations

import csv
import gzip
import random
import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.consumer.cli.conftest import ANALYSIS_ROWS, DATA, Driftline

from driftline.consumer.cli.backtest_text import window_text
from driftline.consumer.cli.performance_table import performance_table
from driftline.consumer.wire.records import DetectorValue, ReferenceName, Verdict, Window

TARGET = DATA / "car_loan_analysis_target.csv.gz"


def test_the_car_loans_as_they_are(driftline: Driftline) -> None:
    ran = driftline("backtest", "--input", ANALYSIS_ROWS, "--labels", TARGET)
    assert ran.code == 0
    assert (
        "assumed  labels: column repaid of car_loan_analysis_target.csv.gz, by id, known at once;"
        " 50,000 of 50,000 events have one\n"
    ) in ran.err
    assert "  performance.accuracy           -  accuracy 0.915, normally 0.944 " in ran.out
    assert "\n25,000 predictions: 25,000 got their label, 0 expired\n" in ran.out
    lines = ran.out.split("\n\n")[2].splitlines()
    assert lines[0].split()[:2] == ["metric", "normally"]
    accuracy = next(line for line in lines if line.startswith("accuracy "))
    with gzip.open(TARGET, "rt") as truth, gzip.open(ANALYSIS_ROWS, "rt") as events:
        known = {row["id"]: row["repaid"] for row in csv.DictReader(truth)}
        rows = [
            row["y_pred"] == known[row["id"]]
            for row in csv.DictReader(events)
            if "2019-08-18" <= row["timestamp"] < "2019-08-24"
        ]
    assert f"{sum(rows) / len(rows):.3f} (" in accuracy
    assert accuracy.endswith("2019-08-18 to 2019-08-24")


def write(path: Path, names: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([names, *rows])
    return path.name


@pytest.fixture
def small(tmp_path: Path) -> list[tuple[int, str, float, str, str]]:
    """Id, time, feature, prediction and truth of 1,200 events; nine in ten are right."""
    rng, rows = random.Random(5), []
    for number in range(1_200):
        said = rng.choice(["no", "yes"])
        truth = said if rng.random() < 0.9 else {"no": "yes", "yes": "no"}[said]
        time = f"2026-03-{1 + number // 100:02d}T{number % 100 // 5:02d}:00:00Z"
        rows.append((5_000 + number, time, round(rng.random(), 3), said, truth))
    names = ["request_id", "ts", "amount", "prediction"]
    write(tmp_path / "events.csv", names, [row[:4] for row in rows])
    write(tmp_path / "bare.csv", names[1:], [row[1:4] for row in rows])
    return rows


Small = list[tuple[int, str, float, str, str]]


def build(driftline: Driftline, events: str, *more: str) -> tuple[int, str]:
    ran = driftline("reference", "build", "--model", "m", "-o", "r.json", "-i", events, *more)
    return ran.code, ran.err + ran.out


def test_ids_of_another_name_in_any_order(
    driftline: Driftline, tmp_path: Path, small: Small
) -> None:
    shuffled = random.Random(1).sample(small, 1_000)
    rows = [(row[0], row[1], row[4]) for row in shuffled]
    labels = write(tmp_path / "l.csv", ["order", "known_at", "fate"], rows)
    code, text = build(driftline, "events.csv", "--labels", labels)
    assert code == 0
    assert (
        "assumed  labels: column fate of l.csv, by order there and request_id here, known at once;"
        " 1,000 of 1,200 events have one\n"
    ) in text
    right = sum(row[3] == row[4] for row in shuffled) / 1_000
    assert f"on 1,000 events with ground truth: accuracy {right:.3g}" in text


def test_rows_without_ids_go_by_their_order(
    driftline: Driftline, tmp_path: Path, small: Small
) -> None:
    labels = write(tmp_path / "l.csv", ["truth"], [(row[4],) for row in small])
    code, text = build(driftline, "bare.csv", "--labels", labels)
    assert code == 0
    assert "column truth of l.csv, in the order of the events' rows, as no column holds" in text
    right = sum(row[3] == row[4] for row in small) / 1_200
    assert f"on 1,200 events with ground truth: accuracy {right:.3g}" in text
    labels = write(tmp_path / "l.csv", ["truth"], [(row[4],) for row in small[1:]])
    assert build(driftline, "bare.csv", "--labels", labels) == (
        2,
        "assumed  timestamp: column ts (text)\nassumed  prediction.label: column prediction\n"
        "assumed  features: amount (numeric)\n"
        "l.csv: no column of it holds ids that bare.csv has, and it has 1,199 rows where the events"
        " are 1,200: give both files a column id with the same ids\n",
    )


def test_labels_again_are_warned_of(driftline: Driftline, tmp_path: Path, small: Small) -> None:
    rows = [(row[0], row[4]) for row in small]
    again = [(key, "maybe") for key, _ in rows[:30]]
    labels = write(tmp_path / "l.csv", ["request_id", "truth"], [*again, *rows])
    code, text = build(driftline, "events.csv", "--labels", labels)
    assert code == 0
    assert (
        "warning  30 of 1,230 labels in l.csv have an id that an earlier one has: the last one"
        " holds\n"
    ) in text
    right = sum(row[3] == row[4] for row in small) / 1_200
    assert f"on 1,200 events with ground truth: accuracy {right:.3g}" in text


@pytest.mark.parametrize(
    ("names", "rows", "more", "said"),
    [
        (
            ["request_id", "a", "b"],
            [(5_000 + n, n % 7, n % 5) for n in range(50)],
            (),
            "l.csv: which column holds the ground truth? give --actual COLUMN, one of request_id,"
            " a, b",
        ),
        (
            ["request_id", "a"],
            [(5_000 + n, "yes") for n in range(50)],
            ("--actual", "b"),
            "--actual b: not in l.csv, which has request_id, a",
        ),
        (
            ["request_id", "truth"],
            [(n, "yes") for n in range(50)],
            (),
            "no id of l.csv, column request_id, occurs among the events, or less than half of them"
            " do: give it the ids of the events",
        ),
        (
            ["request_id", "truth"],
            [(5_000 + n, None) for n in range(50)],
            ("--actual", "truth"),
            "l.csv: truth is empty in every row; give --actual COLUMN",
        ),
    ],
)
def test_what_cannot_be_guessed_is_said(
    driftline: Driftline,
    tmp_path: Path,
    small: Small,
    names: list[str],
    rows: list[tuple[object, ...]],
    more: tuple[str, ...],
    said: str,
) -> None:
    labels = write(tmp_path / "l.csv", names, rows)
    code, text = build(driftline, "events.csv", "--labels", labels, *more)
    assert (code, text.splitlines()[-1]) == (2, said)


def test_truth_on_both_sides_is_refused(driftline: Driftline, tmp_path: Path, small: Small) -> None:
    names = ["request_id", "ts", "amount", "prediction", "actual"]
    events = write(tmp_path / "with.csv", names, small)
    code, text = build(driftline, events, "--labels", events)
    assert code == 2
    assert text.endswith(
        "--labels with.csv: with.csv has ground truth beside the events already, in actual: leave"
        " out --labels, or that column\n"
    )


def verdict(metric: str, value: float, interval: tuple[float, float], normal: float) -> Verdict:
    found = DetectorValue.of(value, interval=interval, reference=normal)
    return Verdict(
        "driftline.verdict.v1", "1" * 16, "m", "m", None, f"performance.{metric}", "performance",
        "ok", None, Window("2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z", 900),
        ReferenceName("r", 1_000), {}, None, None, {metric: found}, None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("metric", "value", "interval", "normal", "said"),
    [
        ("accuracy", 0.8, (0.78, 0.82), 0.9, "worse"),
        ("accuracy", 0.95, (0.93, 0.97), 0.9, "better"),
        ("accuracy", 0.9, (0.88, 0.92), 0.9, "2026-03-01"),
        ("mae", 2.0, (1.9, 2.1), 1.0, "worse"),
        ("mae", 0.5, (0.4, 0.6), 1.0, "better"),
        ("bias", -2.0, (-2.1, -1.9), 0.1, "worse"),
        ("bias", 0.1, (0.05, 0.15), -2.0, "better"),
    ],
)
def test_worse_and_better_only_where_the_whole_interval_is(
    metric: str, value: float, interval: tuple[float, float], normal: float, said: str
) -> None:
    line = performance_table([verdict(metric, value, interval, normal)], window_text).splitlines()[
        1
    ]
    assert line.split(")", 1)[1].split()[0] == said


def test_ids_that_repeat_behind_the_first_rows_are_warned_of(
    driftline: Driftline, tmp_path: Path
) -> None:
    """The first rows name events, so their column is taken for the id."""
    day, minute = 86_400_000, 60_000
    rows = ["ts,id,km,y_pred,y_true"]
    for row in range(2_600):
        name = row if row < 1_400 else 1_400 + row % 50
        rows.append(f"{1_700_000_000_000 // day * day + row * minute},{name},{row % 9},1,{row % 2}")
    file = tmp_path / "rows.csv"
    file.write_text("\n".join(rows))
    result = driftline("backtest", "--input", file)
    assert "event_id: column id\n" in result.err
    again = re.search(r"([0-9,]+) with an id again", result.out)
    assert again is not None
    many = int(again[1].replace(",", ""))
    assert many > 1_000
    said = f"warning  {many / 13:.1f} % of the events have the event_id of an earlier one"
    assert said in result.err
