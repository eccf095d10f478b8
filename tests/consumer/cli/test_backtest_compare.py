"""`driftline backtest --compare`: two files, or two sides of one, and which of them is better."""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score
from tests.consumer.cli.conftest import Driftline

from driftline.producer.records.mapping import Mapping
from driftline.producer.reference.build import ReferenceSettings, reference_from_rows

Row = dict[str, Any]

CONFIG = """\
kafka: {bootstrap_servers: "localhost:9092"}
sources:
  in:
    fields: {event_id: id, timestamp: time, prediction.label: said, model_version: version, features: "*"}
  truth: {fields: {event_id: id, actual: truth}}
models:
  m: {predictions: in, reference: unused.json, labels: truth, positive_label: "1"}
"""  # noqa: E501 (as people write it)


def answers(right: float, seed: int, events: Iterable[int]) -> list[Row]:
    """Predictions of events, whose truth is that of their number."""
    rng = random.Random(seed)
    rows = []
    for number in events:
        truth = number * 7919 % 13 % 2
        said = truth if rng.random() < right else 1 - truth
        time = 1_600_000_000 + 60 * number
        rows.append(
            {"event_id": f"e{number}", "time": time, "km": number, "y_pred": said, "y_true": truth}
        )
    return rows  # fmt: skip


def write(file: Path, rows: list[Row]) -> Path:
    with file.open("w", newline="") as out:
        writer = csv.DictWriter(out, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return file


def compared(driftline: Driftline, *arguments: object) -> Row:
    ran = driftline("backtest", "--json", *arguments)
    assert ran.code == 0, ran.err
    (line,) = ran.out.splitlines()
    document: Row = json.loads(line)
    return document


def test_files_of_the_same_events_are_paired(driftline: Driftline, tmp_path: Path) -> None:
    worse, better = answers(0.85, 1, range(2_000)), answers(0.92, 2, range(2_000))
    a = write(tmp_path / "a.csv", worse)
    # Another order, some events left out, some told twice: the first holds.
    rng = random.Random(3)
    kept = [row for row in better if rng.random() < 0.9]
    rng.shuffle(kept)
    wrong = [{**row, "y_pred": 1 - row["y_true"]} for row in kept[:100]]
    b = write(tmp_path / "b.csv", [*kept, *wrong])
    found = compared(driftline, "--compare", a, b, "--actual", "y_true")
    assert (found["traffic"], found["decision"], found["events"]) == ("same", "better", len(kept))
    assert found["p_value"] < 1e-6
    for side, rows in (("champion", worse), ("challenger", kept)):
        truth, said = [r["y_true"] for r in rows], [r["y_pred"] for r in rows]
        metrics = found[side]["metrics"]
        assert found[side]["labelled"] == len(rows)
        assert metrics["accuracy"]["value"] == pytest.approx(accuracy_score(truth, said), rel=1e-5)
        assert metrics["f1"]["value"] == pytest.approx(f1_score(truth, said), rel=1e-5)
    back = compared(driftline, "--compare", b, a, "--actual", "y_true")
    assert back["decision"] == "worse"


def test_files_of_different_events_are_independent(driftline: Driftline, tmp_path: Path) -> None:
    a = write(tmp_path / "a.csv", answers(0.85, 1, range(0, 6_000, 2)))
    b = write(tmp_path / "b.csv", answers(0.92, 2, range(1, 6_000, 2)))
    found = compared(driftline, "--compare", a, b, "--actual", "y_true")
    assert (found["traffic"], found["decision"], found["events"]) == ("split", "better", 6_000)
    later = write(tmp_path / "later.csv", answers(0.92, 2, range(6_000, 9_000)))
    found = compared(driftline, "--compare", a, later, "--actual", "y_true")
    assert found["decision"] == "better"


def test_what_people_read(driftline: Driftline, tmp_path: Path) -> None:
    a = write(tmp_path / "a.csv", answers(0.9, 1, range(1_000)))
    b = write(tmp_path / "b.csv", answers(0.9, 2, range(1_000)))
    ran = driftline("backtest", "--compare", "a.csv", "b.csv", "--actual", "y_true")
    lines = ran.out.splitlines()
    assert lines[:3] == [
        "champion    a.csv  1,000 predictions, 1,000 labelled",
        "challenger  b.csv  1,000 predictions, 1,000 labelled",
        "paired by event id: 1,000 labelled events that both predicted",
    ]
    assert lines[4].split() == ["metric", "champion", "challenger", "difference"]
    assert lines[5].startswith("accuracy   ")
    assert lines[-1].startswith("undecided: b.csv may be better or worse than a.csv (p-value ")
    calm = driftline("backtest", "--compare", a, b, "--actual", "y_true", "--fail-on-drift")
    assert calm.code == 0
    bad = write(tmp_path / "bad.csv", answers(0.5, 2, range(1_000)))
    ran = driftline("backtest", "--compare", a, bad, "--actual", "y_true", "--fail-on-drift")
    assert ran.code == 1
    assert f"{bad} is worse than {a} (p-value" in ran.out


def test_versions_in_one_file_with_labels_of_another(driftline: Driftline, tmp_path: Path) -> None:
    (tmp_path / "driftline.yaml").write_text(CONFIG)
    rng = np.random.default_rng(1)
    rows, truths = [], []
    for number in range(3_000):
        truth, version = int(rng.random() < 0.5), rng.choice(["1", "2", "3"])
        right = rng.random() < {"1": 0.8, "2": 0.95, "3": 0.1}[version]
        said = truth if right else 1 - truth
        time = 1_600_000_000 + number
        rows.append({"id": number, "time": time, "said": said, "version": version, "km": 1})
        if rng.random() < 0.9:
            truths.append({"id": number, "truth": truth})
    file, labels = write(tmp_path / "all.csv", rows), write(tmp_path / "truth.csv", truths)
    sides = ("--input", file, "--labels", labels, "--compare")
    found = compared(driftline, *sides, "m@1", "m@2")
    assert (found["traffic"], found["decision"]) == ("split", "better")
    known = {row["id"] for row in truths}
    for side, version in (("champion", "1"), ("challenger", "2")):
        own = [row for row in rows if row["version"] == version]
        assert found[side]["predictions"] == len(own)
        assert found[side]["labelled"] == sum(row["id"] in known for row in own)
    rest = compared(driftline, *sides, "m", "m@3")
    assert rest["decision"] == "worse"
    assert rest["champion"]["predictions"] == sum(row["version"] != "3" for row in rows)


def test_regressions_are_compared_event_by_event(driftline: Driftline, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    truth = rng.normal(100, 30, 800)

    def rows(error: float, first: int) -> list[Row]:
        return [
            {"event_id": first + n, "time": 1_600_000_000 + n, "km": 1, "y_pred_proba": y,
             "y_true": t}
            for n, (t, y) in enumerate(zip(truth, truth + rng.normal(0, error, 800), strict=True))
        ]  # fmt: skip

    a, b = write(tmp_path / "a.csv", rows(9, 0)), write(tmp_path / "b.csv", rows(6, 0))
    found = compared(driftline, "--compare", a, b, "--actual", "y_true")
    assert (found["traffic"], found["decision"]) == ("same", "better")
    assert (
        found["challenger"]["metrics"]["mae"]["value"]
        < found["champion"]["metrics"]["mae"]["value"]
    )
    other = write(tmp_path / "c.csv", rows(6, 10_000))
    ran = driftline("backtest", "--compare", a, other, "--actual", "y_true")
    assert ran.out.splitlines()[-1] == (
        "not decided: regressions are compared event by event, and these are not of the same events"
    )


def test_scores_alone_are_measured_but_not_decided(driftline: Driftline, tmp_path: Path) -> None:
    rng = random.Random(1)
    rows = [
        {"event_id": n, "time": 1_600_000_000 + n, "km": 1, "y_pred_proba": rng.random(),
         "y_true": n % 2}
        for n in range(500)
    ]  # fmt: skip
    a, b = (write(tmp_path / name, rows) for name in ("a.csv", "b.csv"))
    found = compared(driftline, "--compare", a, b, "--actual", "y_true")
    assert found["decision"] is None
    assert "no prediction.label" in found["reason"]
    assert "roc_auc" in found["champion"]["metrics"]


CONFIGURED = """\
kafka: {bootstrap_servers: "localhost:9092"}
models:
  m: {predictions: in, reference: m.json, labels: in, budget: off, performance: {accuracy: {min: 0.1}},
      window: {length: 1h, every: 5m}}
comparisons:
  new: {champion: m@1, challenger: m@2}
"""  # noqa: E501 (as people write it)


def configured(folder: Path, prediction: Callable[[bool], Row]) -> Path:
    """A configuration with its reference, and an hour of events that bring their labels."""
    rng = random.Random(1)
    events = []
    for number in range(3_000):
        truth, version = rng.random() < 0.5, rng.choice("12")
        right = rng.random() < {"1": 0.8, "2": 0.95}[version]
        answer = prediction(truth == right)
        actual: object = "yes" if truth else "no"
        if "label" not in answer:
            actual = float(truth)
        events.append({
            "event_id": str(number), "timestamp": 1_600_000_000 + 3 * number, "model": "m",
            "model_version": version, "features": {"x": rng.random()}, "prediction": answer,
            "actual": actual,
        })  # fmt: skip
    built = reference_from_rows([events], Mapping(), ReferenceSettings("m")).reference
    (folder / "m.json").write_bytes(built.to_json())
    (folder / "driftline.yaml").write_text(CONFIGURED)
    file = folder / "events.ndjson"
    file.write_text("".join(json.dumps(event) + "\n" for event in events))
    return file


def test_a_backtest_tells_of_the_comparisons_of_its_model(
    driftline: Driftline, tmp_path: Path
) -> None:
    file = configured(tmp_path, lambda yes: {"label": "yes" if yes else "no"})
    ran = driftline("backtest", "--input", file)
    assert ran.code == 0, ran.err
    (line,) = [line for line in ran.out.splitlines() if "performance.comparison (new)" in line]
    assert "m@2 is better than m@1" in line
    assert "1 alert, 1 incident" in ran.out
    assert "30 windows of 1h every 5m against" in ran.out  # those of the model alone


def test_what_the_references_forbid_is_told_with_its_place(
    driftline: Driftline, tmp_path: Path
) -> None:
    configured(tmp_path, lambda yes: {"score": 100.0 * yes})
    text = CONFIGURED.replace(
        "performance: {accuracy: {min: 0.1}}", "performance: {mae: {max: 99}}"
    )
    (tmp_path / "driftline.yaml").write_text(text)
    ran = driftline("check", "--offline")
    assert ran.code == 2
    assert "new: regressions are compared event" in ran.out
    assert "driftline.yaml:6" in ran.out
