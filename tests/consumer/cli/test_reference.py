"""`driftline reference build`: from files and topics."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from tests.consumer.cli.conftest import CAR_LOAN, REFERENCE_ROWS, Driftline

from driftline.consumer.log import kafka_python
from driftline.consumer.log.memory import MemoryBroker
from driftline.consumer.log.protocol import Message
from driftline.detectors.reference import Reference

TABLE = """\
feature                   type          distinct   missing   invalid
car_value                 numeric         29,712     0.0 %     0.0 %
debt_to_income_ratio      numeric         50,000     0.0 %     0.0 %
driver_tenure             numeric         50,000     0.0 %     0.0 %
loan_length               numeric             17     0.0 %     0.0 %
prediction.score          numeric            101     0.0 %     0.0 %
prediction.label          categorical          2     0.0 %     0.0 %
repaid_loan_on_prev_car   boolean              2     0.0 %     0.0 %
salary_range              categorical          4     0.0 %     0.0 %
size_of_downpayment       categorical          5     0.0 %     0.0 %

"""
ROWS = "ts,km,kind,zip\n" + "".join(
    f"{1_600_000_000 + i},{i % 7 or ''},{'ab'[i % 2]},{10_000 + i % 3}\n" for i in range(70)
)


def test_the_car_loans(driftline: Driftline, car_loan: Reference, tmp_path: Path) -> None:
    (tmp_path / "driftline.yaml").write_text(CAR_LOAN)
    wanted = ("--model", "car-loan", "--output", "ref.json.gz", "--grid", "exact")
    ran = driftline("reference", "build", "-i", REFERENCE_ROWS, *wanted, "-c", "driftline.yaml")
    assert (ran.code, ran.err) == (0, "")
    size = len((tmp_path / "ref.json.gz").read_bytes())
    assert ran.out == (
        f"{TABLE}ref.json.gz   {size / 1e6:.1f} MB, reference {car_loan.id}: 50,000 events,"
        " 9 features\non 50,000 events with ground truth: accuracy 0.944, precision 0.957, recall"
        " 0.929, f1 0.943, roc_auc 0.971, pr_auc 0.962, log_loss 0.293, brier 0.0456,"
        " calibration_error 0.0161\n"
    )
    written = gzip.decompress((tmp_path / "ref.json.gz").read_bytes())
    assert Reference.from_json(written).id == car_loan.id


def test_columns_are_guessed_and_it_is_said(driftline: Driftline, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text(ROWS)
    options = ("--type", "zip=categorical", "--grid", "11", "--json")
    ran = driftline(
        "reference", "build", "-i", "rows.csv", "--model", "m", "-o", "r.json", *options
    )
    assert ran.err == (
        "assumed  timestamp: column ts (number, unit by its magnitude)\n"
        "assumed  features: km (numeric), kind (categorical), zip (numeric)\n"
    )
    told = json.loads(ran.out)
    reference = Reference.from_json((tmp_path / "r.json").read_bytes())
    assert told["reference"] == reference.id
    assert told["bytes"] == (tmp_path / "r.json").stat().st_size
    assert [(f["name"], f["type"], f["missing"]) for f in told["features"]] == [
        ("km", "numeric", 1 / 7),
        ("kind", "categorical", 0.0),
        ("zip", "categorical", 0.0),
    ]
    assert reference.layout.features[0].grid.size == 6


def test_the_ground_truth_is_no_feature(driftline: Driftline, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("ts,km,y_pred,paid\n1600000000,1,1,1\n1600000001,2,0,1\n")
    build = ("reference", "build", "-i", "rows.csv", "--model", "m", "-o", "r.json")
    ran = driftline(*build, "--actual", "paid")
    assert "assumed  features: km (numeric)\n" in ran.err
    assert ran.out.endswith(
        "on 2 events with ground truth: accuracy 0.5, precision 1, recall 0.5, f1 0.667\n"
    )
    ran = driftline(*build, "--actual", "payd")
    assert (ran.code, ran.err) == (
        2,
        "--actual payd: not in rows.csv, which has ts, km, y_pred, paid\n",
    )


def test_the_same_rows_give_the_same_file(driftline: Driftline, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text(ROWS)
    written = []
    for _ in range(2):
        driftline("reference", "build", "-i", "rows.csv", "--model", "m", "-o", "r.json.gz")
        written.append((tmp_path / "r.json.gz").read_bytes())
    assert written[0] == written[1]
    assert [path.name for path in tmp_path.iterdir() if "part" in path.name] == []


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> MemoryBroker:
    """30 events in the first partition, 5 in the second, a minute apart in each."""
    made = MemoryBroker()
    made.create("events", 2)
    for partition, events in ((0, 30), (1, 5)):
        for i in range(events):
            made.now = 1_700_000_000_000 + i * 60_000
            value = json.dumps({"features": {"km": i}}).encode() if i else b"oops"
            made.append(Message("events", partition, None, value))
    monkeypatch.setattr(kafka_python, "connect", lambda config: made)
    return made


@pytest.mark.parametrize(
    ("stretch", "events"),
    [
        (["--first", "1000"], 33),
        (["--first", "20"], 15 - 1 + 5 - 1),
        (["--since", "2023-11-14T22:23:20Z"], 20),
        (["--since", "2023-11-14T22:14:20Z", "--until", "2023-11-14T22:16:20Z"], 4),
    ],
)
def test_out_of_a_topic(
    driftline: Driftline, broker: MemoryBroker, stretch: list[str], events: int
) -> None:
    build = ("reference", "build", "--model", "m", "-o", "r.json", "--json")
    ran = driftline(*build, "--from-topic", "events", *stretch, "--bootstrap-servers", "k:9092")
    assert ran.code == 0, ran.err
    assert json.loads(ran.out)["events"] == events
    assert "assumed  the records are events already" in ran.err
    oops = (
        "note  2 records are left out: the value is not JSON: Expecting value at character 0 of 4"
    )
    assert (oops in ran.err) == ("--first" in stretch)


BUILD = ["--model", "m", "-o", "r.json"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (BUILD, "read from what? give --input FILE or --from-topic TOPIC"),
        ([*BUILD, "-i", "rows.csv", "--from-topic", "t"], "read from what?"),
        ([*BUILD, "-i", "rows.csv", "--first", "3"], "choose from a topic: give --from-topic"),
        ([*BUILD, "--from-topic", "events"], "how much of the topic? give --first N"),
        (
            [*BUILD, "--from-topic", "events", "--first", "3", "--since", "1h"],
            "give either --first",
        ),
        ([*BUILD, "--from-topic", "nope", "--first", "3"], "--from-topic nope: there is no such"),
        ([*BUILD, "--from-topic", "events", "--since", "1s"], "events has no records there"),
        ([*BUILD, "-i", "rows.csv", "--grid", "ten"], "--grid ten: write a number such as 1024"),
        ([*BUILD, "-i", "rows.csv", "--type", "km"], "--type km: write FEATURE=TYPE"),
        ([*BUILD, "-i", "rows.csv", "--type", "k=numeric"], "type of k: the events have no such"),
        ([*BUILD, "-i", "rows.csv", "--segment", "web"], "segment web: no event has this tag"),
        ([*BUILD, "-i", "nope.csv"], "nope.csv: no such file"),
        (["--model", "m", "-i", "rows.csv", "-o", "r.txt"], "--output r.txt: name a .json or"),
    ],
)
def test_what_cannot_be_done(
    driftline: Driftline, broker: MemoryBroker, tmp_path: Path, options: list[str], said: str
) -> None:
    (tmp_path / "rows.csv").write_text(ROWS)
    ran = driftline("reference", "build", *options, "--bootstrap-servers", "kafka:9092")
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err.splitlines()[-1]
    assert not (tmp_path / "r.json").exists()


def test_a_model_that_the_configuration_lacks(driftline: Driftline, tmp_path: Path) -> None:
    (tmp_path / "driftline.yaml").write_text(CAR_LOAN)
    ran = driftline("reference", "build", *BUILD, "-i", REFERENCE_ROWS, "-c", "driftline.yaml")
    assert (ran.code, ran.err) == (
        2,
        "--model m: not in the configuration, known are car-loan\n",
    )


def test_what_the_configuration_ignores_is_not_built(driftline: Driftline, tmp_path: Path) -> None:
    """Nor are texts that are times, of which every window has others, unless that is wanted."""
    seen = [f"2020-09-01T{i // 60:02}:{i % 60:02}:00Z" for i in range(1_100)]
    lines = [f"{1_600_000_000 + i},{i % 7},{time},x{i}" for i, time in enumerate(seen)]
    (tmp_path / "rows.csv").write_text("\n".join(["ts,km,seen,name", *lines]))
    (tmp_path / "driftline.yaml").write_text(
        "kafka: {bootstrap_servers: 'k:1'}\n"
        "sources: {in: {fields: {timestamp: ts, features: '*'}}}\n"
        "models: {m: {predictions: in, reference: r.json, ignore: [na*, none]}}\n"
    )
    wanted = ("-i", "rows.csv", "--model", "m", "-o", "r.json", "-c", "driftline.yaml")
    ran = driftline("reference", "build", *wanted)
    assert ran.err.splitlines() == [
        "note  the configuration ignores, so left out: name",
        "note  seen is left out: it holds times; to keep it, give --type seen=categorical",
    ]
    reference = Reference.from_json((tmp_path / "r.json").read_bytes())
    assert list(reference.layout.position) == ["km"]
    assert "0 errors" not in driftline("check", "--offline").out
    assert "no errors. Next" in driftline("check", "--offline").out
    driftline("reference", "build", *wanted, "--type", "seen=categorical")
    reference = Reference.from_json((tmp_path / "r.json").read_bytes())
    assert set(reference.layout.position) == {"km", "seen"}


def test_over_the_layout_of_another_version(driftline: Driftline, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text(ROWS)
    build = ("reference", "build", "-i", "rows.csv", "--model", "m", "-o")
    assert driftline(*build, "3.1.json").code == 0
    (tmp_path / "rows.csv").write_text(ROWS.replace(",a,", ",c,"))
    ran = driftline(*build, "3.2.json", "--layout-of", "3.1.json")
    assert ran.code == 0
    known, other = (
        Reference.from_json((tmp_path / name).read_bytes()) for name in ("3.1.json", "3.2.json")
    )
    assert (other.layout_id == known.layout_id, other.id == known.id) == (True, False)
    ran = driftline(*build, "3.2.json", "--layout-of", "3.1.json", "--segment", "kind")
    assert (ran.code, ran.err) == (
        2,
        "--layout-of: that reference has types, segments, grids and a positive label:"
        " leave out --type, --segment, --grid and --positive-label\n",
    )
    ran = driftline(*build, "3.2.json", "--layout-of", "gone.json")
    assert (ran.code, "gone.json" in ran.err) == (2, True)


def test_captures_of_a_model_server_are_events_in_files_too(
    driftline: Driftline, tmp_path: Path
) -> None:
    captures = [
        {
            "captureData": {
                "endpointInput": {"data": f"{i % 60},{'DE' if i % 3 else 'FR'}", "encoding": "CSV"},
                "endpointOutput": {"data": str(i % 10 / 10), "encoding": "CSV"},
            },
            "eventMetadata": {"eventId": str(i), "inferenceTime": 1_772_000_000 + 60 * i},
        }
        for i in range(900)
    ]
    (tmp_path / "captures.jsonl").write_text("".join(json.dumps(x) + "\n" for x in captures))
    (tmp_path / "driftline.yaml").write_text(
        """\
kafka: {bootstrap_servers: "localhost:9092"}
sources: {captures: {preset: sagemaker, names: [age, country]}}
models: {m: {predictions: captures, reference: r.json, window: {length: 3h, min_events: 100}}}
"""
    )
    given = ("-c", "driftline.yaml", "--json")
    ran = driftline(
        "reference", "build", "-i", "captures.jsonl", "--model", "m", "-o", "r.json", *given
    )
    assert (ran.code, ran.err) == (0, "")
    features = json.loads(ran.out)["features"]
    assert [each["name"] for each in features] == ["age", "prediction.score", "country"]
    ran = driftline("backtest", "-i", "captures.jsonl", "-c", "driftline.yaml")
    assert ran.code == 0
    assert "900 events" in ran.out
    assert "no alerts" in ran.out
