"""`driftline backtest` where the ground truth is known: in a file of its own, or beside events."""

from __future__ import annotations

import csv
import gzip
import json
import random
import re
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from tests.consumer.cli.conftest import ANALYSIS_ROWS, CAR_LOAN, DATA, REFERENCE_ROWS, Driftline
from tests.consumer.cli.test_backtest import ID

LABELLED = (
    CAR_LOAN.replace(
        "models:",
        "  truth: {fields: {event_id: id, timestamp: timestamp, actual: repaid}}\nmodels:",
    )
    + "    labels: {topic: truth, horizon: 40d}\n"
    + "    performance: {accuracy: {max_drop: 0.01, for: 2 of 3}}\n"
)
PRINTED = """\
car-loan   50,000 events, 2018-10-30 18:00 to 2019-08-29 11:51 UTC, 50 windows of 6d against reference ID

since (UTC)        severity  feature                         effect  what changed                                    alert
2019-03-30 12:00   critical  salary_range                      0.27  "60K+ €" 0.6 %, normally 10.1 %                 ID
2019-03-31 00:00   critical  car_value                         0.42  median 34,732, normally 21,902                  ID
2019-03-31 00:00   critical  repaid_loan_on_prev_car           0.40  "true" 84.1 %, normally 55.1 %                  ID
2019-03-31 00:00   critical  prediction.score                  0.38  0.09 to 0.52 in 26.1 %, normally 9.8 %          ID
2019-03-31 00:00   critical  loan_length                       0.29  median 17, normally 16                          ID
2019-04-02 00:00   warning   performance.estimated_accuracy       -  estimated accuracy 0.909, normally 0.944        ID
2019-04-08 00:00   warning   performance.accuracy                 -  accuracy 0.915, normally 0.944                  ID

metric                normally  now (95 % interval)                   newest window judged
accuracy                 0.944  0.925 (0.899 to 0.945)                2019-08-18 to 2019-08-24
brier                    0.046  0.065 (0.051 to 0.080)        worse   2019-08-18 to 2019-08-24
calibration_error        0.016  0.045 (0.028 to 0.058)        worse   2019-08-18 to 2019-08-24
f1                       0.943  0.927 (0.901 to 0.947)                2019-08-18 to 2019-08-24
log_loss                 0.293  0.271 (0.194 to 0.349)                2019-08-18 to 2019-08-24
pr_auc                   0.962  0.954 (0.932 to 0.970)                2019-08-18 to 2019-08-24
precision                0.957  0.929 (0.892 to 0.954)        worse   2019-08-18 to 2019-08-24
recall                   0.929  0.926 (0.895 to 0.948)                2019-08-18 to 2019-08-24
roc_auc                  0.971  0.963 (0.945 to 0.975)                2019-08-18 to 2019-08-24

7 alerts, 2 incidents; quiet: debt_to_income_ratio, driver_tenure, performance.estimate_gap, prediction.label, size_of_downpayment
50,000 predictions: 50,000 got their label, 0 expired
50,000 labels: 50,000 matched, 0 without a prediction
The budget allows 10.1 false alarms in these 303 days. 908 events after 2019-08-24 are in a window that is not over, judged as it stands. Not judged: late 0, rejected 0 events
"""  # noqa: E501 (as it is printed)

Row = dict[str, str]


def write_labels(path: Path, rows: Iterable[Row]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, ["id", "repaid", "timestamp"])
        writer.writeheader()
        writer.writerows(rows)


def read_csv(path: Path) -> list[Row]:
    with gzip.open(path, "rt", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def truth() -> list[Row]:
    """The ground truth of the bundled events, known with the prediction."""
    times = {row["id"]: row["timestamp"] for row in read_csv(ANALYSIS_ROWS)}
    rows = read_csv(DATA / "car_loan_analysis_target.csv.gz")
    return [{**row, "timestamp": times[row["id"]]} for row in rows]


@pytest.fixture
def folder(car_loan_folder: Path) -> Path:
    (car_loan_folder / "driftline.yaml").write_text(LABELLED)
    return car_loan_folder


def test_labels_of_a_file_of_their_own(
    driftline: Driftline, folder: Path, truth: list[Row]
) -> None:
    shuffled = random.Random(3).sample(truth, len(truth))
    write_labels(folder / "labels.csv", shuffled)
    ran = driftline("backtest", "--input", ANALYSIS_ROWS, "--labels", "labels.csv", "--verdicts")
    assert (ran.code, ran.err) == (0, "using driftline.yaml\n")
    text, _, verdicts = ran.out.partition("\n\nwindow (UTC)")
    assert ID.sub("ID", text) + "\n" == PRINTED
    assert (
        "\n2019-04-14 00:00  warning       performance.accuracy                  -"
        "  accuracy 0.915, interval 0.896 to 0.931, limit 0.934\n"
    ) in verdicts
    assert re.search(r"  ok +performance\.roc_auc +-  roc_auc 0\.\d+, interval 0\.\d", verdicts)
    assert re.search(r"  warning +performance\.estimated_accuracy +-  accuracy 0\.9", verdicts)


def test_labels_that_come_later(driftline: Driftline, folder: Path, truth: list[Row]) -> None:
    """The estimate tells 25 days before."""
    later = [
        {**row, "timestamp": str(datetime.fromisoformat(row["timestamp"]) + timedelta(days=30))}
        for row in truth
    ]
    write_labels(folder / "labels.csv", later)
    ran = driftline("backtest", "-i", ANALYSIS_ROWS, "--labels", "labels.csv", "--json")
    alerts = [json.loads(line) for line in ran.out.splitlines()]
    fired = {
        alert["feature"]: alert["window"]["end"][:10]
        for alert in alerts
        if alert["kind"] == "performance" and alert["revision"] == 1
    }
    assert fired == {
        "performance.estimated_accuracy": "2019-04-14",
        "performance.accuracy": "2019-05-20",
    }


def test_no_labels_are_said_and_performance_is_estimated(
    driftline: Driftline, folder: Path
) -> None:
    ran = driftline("backtest", "--input", ANALYSIS_ROWS, "--verdicts")
    assert ran.err.splitlines()[1:] == [
        "assumed  no labels: performance is estimated only; give --labels FILE"
    ]
    text, _, verdicts = ran.out.partition("\n\nwindow (UTC)")
    printed = [line for line in PRINTED.splitlines() if " performance.accuracy" not in line]
    shown = ID.sub("ID", text).splitlines()
    assert shown[:9] == printed[:9]
    assert shown[10] == (
        "6 alerts, 1 incident; quiet: debt_to_income_ratio, driver_tenure, prediction.label,"
        " size_of_downpayment"
    )
    assert len(shown) == 12
    assert " performance.estimated_accuracy " in verdicts
    assert " performance.accuracy " not in verdicts


SMALL = """\
kafka: {bootstrap_servers: "k:1"}
models:
  m: {predictions: in, reference: m.json, window: {length: 1h, min_events: 10}, LABELS}
"""
HOUR = 3_600


@pytest.fixture
def small(driftline: Driftline, tmp_path: Path) -> Callable[..., list[dict[str, object]]]:
    """Native events, one a minute for 40 hours, with a reference made of the same; their labels."""

    def write(labels: str, inline: bool = False) -> list[dict[str, object]]:
        rng, events, truth = random.Random(7), [], []
        for number in range(2_400):
            time = 1_600_000_000 + 60 * number
            said = rng.choice(["no", "yes"])
            actual = said if rng.random() < 0.9 else "yes"
            event = {
                "event_id": f"e{number}", "timestamp": time, "features": {"x": rng.random()},
                "prediction": {"label": said},
            }  # fmt: skip
            events.append({**event, "actual": actual})
            truth.append({"event_id": f"e{number}", "timestamp": time + HOUR, "actual": actual})
        lines = "".join(f"{json.dumps(event)}\n" for event in events)
        (tmp_path / "with.jsonl").write_text(lines)
        events = [{k: v for k, v in e.items() if inline or k != "actual"} for e in events]
        (tmp_path / "in.jsonl").write_text("".join(f"{json.dumps(event)}\n" for event in events))
        (tmp_path / "driftline.yaml").write_text(SMALL.replace("LABELS", labels))
        build = ("reference", "build", "--model", "m", "-o", "m.json", "-i", "with.jsonl")
        assert driftline(*build).code == 0
        return truth

    return write


def labels_file(folder: Path, rows: Iterable[dict[str, object]]) -> Path:
    path = folder / "truth.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return path


def counts(out: str, what: str) -> dict[str, int]:
    """Return the parts of the account of predictions or labels, which must add up."""
    (line,) = re.findall(rf"^([0-9,]+ {what}: .*)$", out, re.MULTILINE)
    total, _, rest = line.partition(f" {what}: ")
    parts = [part.partition(" ") for part in rest.split(", ")]
    found = {name: int(count.replace(",", "")) for count, _, name in parts}
    whole = int(total.replace(",", ""))
    assert sum(found.values()) == whole
    return {"": whole, **found}


def said_of_labels(out: str) -> list[str]:
    return [line for line in out.splitlines() if "label" in line]


# In the counts below the last two labels are missing: they lie within `grace` of the newest, and
# an earlier one could still come.
Small = Callable[..., list[dict[str, object]]]


def test_native_labels_need_no_mapping(driftline: Driftline, small: Small, tmp_path: Path) -> None:
    rows = small("labels: {topic: truth, horizon: 2h}")
    path = labels_file(tmp_path, [*rows[:1_000], *rows[1_010:]])
    ran = driftline("backtest", "-i", "in.jsonl", "--labels", path)
    assert ran.err == "using driftline.yaml\n"
    assert counts(ran.out, "predictions") == {
        "": 2_400, "got their label": 2_390, "expired": 10,
    }  # fmt: skip
    assert counts(ran.out, "labels") == {
        "": 2_390, "matched": 2_390, "without a prediction": 0,
    }  # fmt: skip


def test_what_became_of_each_label(driftline: Driftline, small: Small, tmp_path: Path) -> None:
    rows = small("labels: {topic: truth, horizon: 2h}")
    extra = [
        {**rows[5], "actual": {"yes": "no", "no": "yes"}[str(rows[5]["actual"])]},  # corrected
        rows[6],  # repeated
        {**rows[7], "event_id": "of nobody"},
        {**rows[8], "actual": "maybe"},
        {**rows[9], "event_id": None},
    ]
    ran = driftline("backtest", "-i", "in.jsonl", "--labels", labels_file(tmp_path, rows + extra))
    assert "warning  truth.jsonl: 1 of 2,405 rows are no labels: " in ran.err.replace(
        f"{tmp_path}/", ""
    )
    assert counts(ran.out, "predictions") == {
        "": 2_400, "got their label": 2_400, "expired": 0,
    }  # fmt: skip
    assert counts(ran.out, "labels") == {
        "": 2_405, "matched": 2_400, "corrected one before": 1, "repeated": 1,
        "without a prediction": 1, "rejected": 2,
    }  # fmt: skip
    assert ran.out.endswith("late 0, rejected 0 events\n")
    assert "\n1 label with an id that does not occur in in.jsonl\n" in ran.out


def test_windows_without_enough_labels_are_said(
    driftline: Driftline, small: Small, tmp_path: Path
) -> None:
    rows = small("labels: {topic: truth, horizon: 2h}")
    path = labels_file(tmp_path, rows[::20])
    ran = driftline("backtest", "-i", "in.jsonl", "--labels", path)
    assert re.search(
        r"^\d+ windows of labels not judged: fewer than 10 labelled events$", ran.out, re.MULTILINE
    )
    most = re.search(r"judged in no window, .* events in one are (\d+); judge them with", ran.out)
    assert most is not None
    assert 0 < int(most[1]) < 10
    ran = driftline("backtest", "-i", "in.jsonl", "--labels", labels_file(tmp_path, rows))
    assert "judged in no window" not in ran.out


def test_labels_beside_their_predictions(
    driftline: Driftline, small: Small, tmp_path: Path
) -> None:
    rows = small("labels: in", inline=True)
    ran = driftline("backtest", "-i", "in.jsonl")
    assert ran.err == "using driftline.yaml\n"
    assert counts(ran.out, "labels")["matched"] == 2_400
    ran = driftline("backtest", "-i", "in.jsonl", "--labels", labels_file(tmp_path, rows))
    assert ran.code == 0
    assert ran.err.splitlines()[-1] == (
        "assumed  labels: column actual of truth.jsonl, by event_id, known at once; 2,400 of 2,400"
        " events have one"
    )


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (
            [{"event_id": "e1", "timestamp": 1_600_000_000, "actual": "maybe"}],
            '1 of 1 rows are no labels: unknown_class, actual is "maybe"; the reference has no,'
            " yes; write the classes as in the reference, or build it with these",
        ),
        (
            [{"event_id": "e1", "timestamp": 1_600_000_000, "paid": True}],
            "no label has an actual, the ground truth: there is no column actual, correct"
            " sources.truth.fields; the file has event_id, timestamp, paid",
        ),
        (
            [{"event_id": "e1", "actual": "no", "known_at": "2026-03-01"}],
            "no label has a time, which tells when it came: there is no column timestamp, correct"
            " sources.truth.fields; the file has event_id, actual, known_at",
        ),
        (
            [{"event_id": "e1", "timestamp": 1_600_000_000, "actual": "no", "model": "other"}],
            "none of 1 rows is a label of the model m",
        ),
    ],
)
def test_files_of_labels_that_cannot_be_used(
    driftline: Driftline, small: Small, tmp_path: Path, rows: list[dict[str, object]], said: str
) -> None:
    small("labels: truth")
    path = labels_file(tmp_path, rows)
    ran = driftline("backtest", "-i", "in.jsonl", "--labels", path)
    assert (ran.code, ran.err.splitlines()[-1]) == (2, f"{path}: {said}")


def test_options_that_do_not_go_together(
    driftline: Driftline, small: Small, tmp_path: Path
) -> None:
    path = labels_file(tmp_path, small("labels: truth"))
    ran = driftline("backtest", "-i", "in.jsonl", "--actual", "features")
    assert (ran.code, ran.err.splitlines()[-1]) == (
        2, "--actual features: models.m.labels has the ground truth in truth: give a file of it"
        " with --labels FILE, or leave labels out",
    )  # fmt: skip
    (tmp_path / "driftline.yaml").unlink()
    assert driftline("backtest", "-i", "in.jsonl", "--labels", path).code == 0
    ran = driftline("backtest", "-i", "in.jsonl", "--actual", "x")
    assert ran.code == 2
    assert "--actual x: not in in.jsonl, which has event_id" in ran.err


def test_a_file_alone_with_its_ground_truth(driftline: Driftline) -> None:
    ran = driftline("backtest", "--input", REFERENCE_ROWS, "--actual", "repaid")
    assert "assumed  performance: actual is known at once; the budget watches accuracy" in ran.err
    text = ID.sub("ID", ran.out)
    assert counts(text, "labels") == {
        "": 25_000, "matched": 25_000, "without a prediction": 0,
    }  # fmt: skip
    assert "no alerts; " in text  # the model does as well in the second half


def test_a_model_that_becomes_wrong_is_found_in_a_file_alone(
    driftline: Driftline, tmp_path: Path
) -> None:
    """Nothing in the input tells, and no event has an id: the labels do."""
    rng, lines = random.Random(4), ["time,km,score,target\n"]
    for number in range(8_000):
        score = rng.random()
        right = rng.random() < (score if number < 6_000 else 1 - score)
        lines.append(f"{1_600_000_000 + 60 * number},{rng.random()},{score:.4f},{int(right)}\n")
    (tmp_path / "events.csv").write_text("".join(lines))
    ran = driftline("backtest", "--input", "events.csv", "--fail-on-drift")
    assert ran.code == 1
    assert "assumed  performance: actual is known at once; the budget watches roc_auc" in ran.err
    alerts = [line for line in ran.out.splitlines() if line.startswith("2020-")]
    assert {line.split()[3] for line in alerts} == {"performance.roc_auc"}
    assert any(re.search(r"critical .* -  ROC AUC 0\.\d+, normally 0\.8", each) for each in alerts)


def test_a_reference_without_ground_truth_leaves_performance_out(
    driftline: Driftline, tmp_path: Path, small: Small
) -> None:
    small("labels: in", inline=True)
    (tmp_path / "driftline.yaml").unlink()
    assert driftline("backtest", "-i", "in.jsonl").err.count("performance: actual is known") == 1
    build = ("reference", "build", "--model", "m", "-o", "bare.json", "-i", "bare.jsonl")
    bare = [json.loads(line) for line in (tmp_path / "in.jsonl").read_text().splitlines()]
    for event in bare:
        del event["actual"]
    (tmp_path / "bare.jsonl").write_text("".join(f"{json.dumps(event)}\n" for event in bare))
    assert driftline(*build).code == 0
    ran = driftline("backtest", "-i", "in.jsonl", "--reference", "bare.json")
    assert ran.code == 0
    assert "performance" not in ran.err + ran.out
