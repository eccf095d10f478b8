"""`driftline backtest`: the example of the documentation, and what a file alone gives."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path

import pytest
from tests.consumer.cli.conftest import ANALYSIS_ROWS, Driftline
from tests.consumer.html.agreement import agrees

from driftline.detectors.reference import Reference

TABLE = """\
car-loan   50,000 events, 2018-10-30 18:00 to 2019-08-29 11:51 UTC, 50 windows of 6d against reference ID

since (UTC)        severity  feature                   effect  what changed                                    alert
2019-03-30 12:00   critical  salary_range                0.27  "60K+ €" 0.6 %, normally 10.1 %                 ID
2019-03-31 00:00   critical  car_value                   0.42  median 34,732, normally 21,902                  ID
2019-03-31 00:00   critical  repaid_loan_on_prev_car     0.40  "true" 84.1 %, normally 55.1 %                  ID
2019-03-31 00:00   critical  prediction.score            0.38  0.09 to 0.52 in 26.1 %, normally 9.8 %          ID
2019-03-31 00:00   critical  loan_length                 0.29  median 17, normally 16                          ID

5 alerts, 1 incident; quiet: debt_to_income_ratio, driver_tenure, prediction.label, size_of_downpayment
The budget allows 10.1 false alarms in these 303 days. 908 events after 2019-08-24 are in a window that is not over, judged as it stands. Not judged: late 0, rejected 0
"""  # noqa: E501 (as it is printed)
ID = re.compile(r"\b[0-9a-f]{16}\b")


@pytest.mark.usefixtures("car_loan_folder")
def test_the_table_of_the_documentation(driftline: Driftline, car_loan: Reference) -> None:
    ran = driftline("backtest", "--input", ANALYSIS_ROWS)
    assert ran.code == 0
    assert ID.sub("ID", ran.out) == TABLE
    ids = ID.findall(ran.out)
    assert ids[0] == car_loan.id
    assert len(set(ids)) == 6
    assert ran.err == "using driftline.yaml\n"


@pytest.mark.usefixtures("car_loan_folder")
def test_json_is_one_document_a_line_and_drift_can_fail(driftline: Driftline) -> None:
    options = ["--model", "car-loan", "--json", "--verdicts", "--fail-on-drift"]
    options += ["--report", "reports/car-loan.html"]
    ran = driftline("backtest", "--input", ANALYSIS_ROWS, *options)
    assert ran.code == 1
    assert ran.err.endswith("wrote reports/car-loan.html\n")
    documents = [json.loads(line) for line in ran.out.splitlines()]
    verdicts = [each for each in documents if each["schema"] == "driftline.verdict.v1"]
    alerts = [each for each in documents if each["schema"] == "driftline.alert.v1"]
    assert len(verdicts) == 51 * 10  # nine features, and how many events came
    assert [each.get("complete") for each in verdicts] == [None] * 50 * 10 + [False] * 10
    assert {each["feature"] for each in alerts} == {
        "car_value",
        "repaid_loan_on_prev_car",
        "salary_range",
        "prediction.score",
        "loan_length",
    }
    assert len(verdicts) + len(alerts) == len(documents)
    report = agrees(Path("reports/car-loan.html"), verdicts, alerts)
    assert report["title"] == "Backtest of car_loan_analysis.csv.gz"
    assert (report["fired"], report["false"]) == (5, 0)
    assert report["promised"] == pytest.approx(306 / 30)  # 51 windows of 6 days
    (flow,) = report["pipeline"]["models"]
    assert (flow["counted"], flow["late"], flow["passed_over"]) == (50_000, 0, 0)


@pytest.fixture
def events(tmp_path: Path) -> Path:
    """4,000 events, one a minute, nothing ever changes."""
    file = tmp_path / "calm.csv"
    rows = [
        f"{1_600_000_000 + 60 * i},{i * 7919 % 101},{'abc'[i * 31 % 3]}\n" for i in range(4_000)
    ]
    file.write_text("time,km,kind\n" + "".join(rows))
    return file


def test_a_file_alone(driftline: Driftline, events: Path) -> None:
    ran = driftline("backtest", "--input", events, "--fail-on-drift")
    assert ran.code == 0
    assert ran.err.splitlines() == [
        "assumed  timestamp: column time (number, unit by its magnitude)",
        "assumed  features: km (numeric), kind (categorical)",
        "assumed  reference: the first 2,000 of 4,000 rows",
        "assumed  windows of 12h, about 720 events each; budget 1 per 30d",
    ]
    head, empty, verdict, short, rest = ID.sub("ID", ran.out).splitlines()
    assert head == (
        "calm   2,000 events, 2020-09-14 21:46 to 2020-09-16 07:05 UTC,"
        " 3 windows of 12h against reference ID"
    )
    assert empty == ""
    assert re.fullmatch(
        r"no alerts; the largest effect was -?0\.\d+ \((km|kind), 2020-09-1\d( 12:00)? to .*\)",
        verdict,
    )
    assert short == "2 windows not judged: fewer than 500 events"
    assert rest == (
        "The budget allows 0.0463 false alarms in these 33 hours. 426 events after 2020-09-16 are"
        " in a window that is not over. Not judged: late 0, rejected 0"
    )


def test_segments_that_are_too_small_are_named(driftline: Driftline, tmp_path: Path) -> None:
    """One event a minute, nine of ten in one shop; the names of shops are tags."""
    events = [
        {
            "timestamp": 1_600_000_000 + 60 * i,
            "features": {"km": i % 10},
            "tags": {"shop": "a" if i % 10 else "b"},
        }
        for i in range(3_000)
    ]
    (tmp_path / "events.jsonl").write_text("\n".join(map(json.dumps, events)))
    (tmp_path / "driftline.yaml").write_text(
        "kafka: {bootstrap_servers: k:1}\n"
        "models:\n"
        "  m: {predictions: t, reference: r.json, window: {length: 12h}, segments: [shop]}\n"
    )
    build = ("reference", "build", "--model", "m", "-o", "r.json", "-c", "driftline.yaml")
    ran = driftline(*build, "-i", "events.jsonl")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.endswith("3,000 events, 1 feature, segments shop (2 values)\n")
    ran = driftline("backtest", "-i", "events.jsonl", "--verdicts")
    assert "\nnever judged: shop=__other__, shop=b (fewer than 500 events)\n" in ran.out
    assert "  ok            km (shop=a)  " in ran.out


def test_every_verdict_on_a_line(driftline: Driftline, events: Path) -> None:
    ran = driftline("backtest", "--input", events, "--verdicts")
    lines = ran.out.split("rejected 0\n")[1].splitlines()
    assert lines[:2] == [
        "",
        "window (UTC)      state         feature                   effect  detectors",
    ]
    assert lines[2] == (
        "2020-09-14 12:00  insufficient  events                            how many events are"
        " normal is not known yet: 0 days of the stream were seen, 7 are needed"
    )
    assert lines[3] == (
        "2020-09-14 12:00  insufficient  kind                              134 events, 500 needed"
    )
    assert len(lines) == 2 + 4 * 3 + 2
    assert lines[-1] == "12 verdicts: features 4 ok, 4 insufficient; events 4 insufficient"
    assert re.fullmatch(
        r"2020-09-15 00:00  ok            km {25}-?0\.0\d  ks 0\.\d+ \(limit 0\.\d{3,4}\)", lines[7]
    )


def test_the_order_of_a_files_rows_changes_nothing(driftline: Driftline, tmp_path: Path) -> None:
    lines = [f"{1_600_000_000 + 60 * i},{i % 10 + i // 3_000}\n" for i in range(4_000)]
    shuffled = random.Random(1).sample(lines, len(lines))
    ran = []
    for number, order in enumerate((lines, lines[::-1], shuffled)):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "events.csv").write_text("time,km\n" + "".join(order))
        ran.append(driftline("backtest", "--input", folder / "events.csv", "--verdicts", "--json"))
    assert ran[0].out == ran[1].out == ran[2].out
    assert ran[0].out.count("driftline.alert.v1") == 1
    assert "reference: the first 2,000 of 4,000 rows" in ran[0].err
    assert "reference: the 2,000 of 4,000 rows before 2020-09-14T21:46:40Z" in ran[2].err


def test_rows_that_are_no_events_are_refused_with_the_reason(
    driftline: Driftline, car_loan_folder: Path, tmp_path: Path
) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"y_pred": 1, "timestamp": "yesterday"}\n' * 3)
    ran = driftline("backtest", "-c", car_loan_folder / "driftline.yaml", "--input", rows)
    assert ran.code == 2
    assert ran.out == ""
    assert ran.err == (
        "3 of 3 rows are no events: timestamp, the timestamp is no time that can be read:"
        " field timestamp (first: row 1); map the columns with sources.ml.predictions.fields\n"
    )


def test_a_mapping_that_finds_nothing_is_told_what_is_there(
    driftline: Driftline, car_loan_folder: Path, tmp_path: Path
) -> None:
    text = (car_loan_folder / "driftline.yaml").read_text()
    text = re.sub("features: [\"']?[*][\"']?", "features: inputs", text)
    (car_loan_folder / "driftline.yaml").write_text(text)
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"when": 1, "km": 2}\n' * 3)
    ran = driftline("backtest", "-c", car_loan_folder / "driftline.yaml", "--input", rows)
    assert ran.code == 2
    assert ran.err.startswith(
        f"warning  {rows}: nothing that sources.ml.predictions.fields names for features or a"
        " prediction is in its first 3 rows, which have when, km\n3 of 3 rows are no events: "
    )


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("km\n1\n2\n", "rows.csv: 2 rows are too few, 200 are needed: the first half is"),
        ("", "rows.csv: is empty"),
        ("time,km\n", "rows.csv: has no rows"),
    ],
)
def test_a_file_that_cannot_be_judged(
    driftline: Driftline, tmp_path: Path, rows: str, said: str
) -> None:
    (tmp_path / "rows.csv").write_text(rows)
    ran = driftline("backtest", "--input", "rows.csv")
    assert ran.code == 2
    assert said in ran.err.splitlines()[-1]


def test_several_models_want_a_choice(driftline: Driftline, tmp_path: Path) -> None:
    line = '{"model": "%s", "timestamp": 1600000000, "features": {"km": 1}}\n'
    (tmp_path / "rows.jsonl").write_text(line % "a" + line % "b")
    ran = driftline("backtest", "--input", "rows.jsonl")
    assert (ran.code, ran.err.splitlines()[-1]) == (2, "which model? give --model, one of a, b")


@pytest.mark.usefixtures("car_loan_folder")
def test_another_reference_and_a_wrong_model(driftline: Driftline) -> None:
    ran = driftline("backtest", "--input", ANALYSIS_ROWS, "--model", "car-lone")
    assert (ran.code, ran.err.splitlines()[-1]) == (
        2,
        "--model car-lone: not in the configuration, known are car-loan",
    )
    ran = driftline("backtest", "--input", ANALYSIS_ROWS, "--reference", "other.json")
    assert ran.code == 2
    assert "other.json does not exist" in ran.err
