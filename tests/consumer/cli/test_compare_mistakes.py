"""`driftline backtest --compare` of what cannot be compared: refused, with what to do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.consumer.cli.conftest import Driftline
from tests.consumer.cli.test_backtest_compare import CONFIG, Row, answers, compared, write

COLUMNS = "event_id, time, km, y_pred, y_true"


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Two files of the same events with their ground truth, one without, and labels."""
    rows = answers(0.9, 1, range(100))
    write(tmp_path / "a.csv", rows)
    write(tmp_path / "b.csv", answers(0.8, 2, range(100)))
    write(tmp_path / "bare.csv", [{k: v for k, v in r.items() if k != "y_true"} for r in rows])
    write(tmp_path / "inputs.csv", [{"id": r["event_id"], "km": r["km"]} for r in rows])
    write(tmp_path / "labels.csv", [{"id": f"x{n}", "truth": n % 2} for n in range(100)])
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "give the events: --input FILE"),
        (("--compare", "a.csv", "none.csv"), "none.csv"),
        (("--compare", "a.csv", "champion"), "--compare champion: there is no such file; give two"),
        (("--compare", "a.csv", "b.csv", "--verdicts"), "--reference, --accept, --verdicts,"),
        (("--compare", "a.csv", "b.csv", "--report", "r.html"), "--alerts, --report, --junit,"),
        (("--compare", "bare.csv", "a.csv", "--actual", "y_true"), "y_true: not in bare.csv"),
        (("--compare", "a.csv", "b.csv", "--actual", "no"), f"not in a.csv, which has {COLUMNS}"),
        (("--compare", "a.csv", "./a.csv"), "--compare: a.csv is on both sides; name two files"),
        (("--compare", "a.csv", "inputs.csv"), "inputs.csv: no prediction column found: map"),
        (("--input", "a.csv", "--compare", "a.csv", "b.csv"), "with --input the sides are models"),
        (("--input", "a.csv", "--compare", "m@1", "m@1"), "--compare: m@1 is on both sides"),
        (("--input", "a.csv", "--compare", "m@1", "m"), "has a model_version: map its column with"),
        (("--input", "a.csv", "--compare", "m@1", "m@2"), "and give it with --config (-c)"),
        (("--input", "a.csv", "--compare", "one", "two"), "no row of a.csv names its model"),
        (("--compare", "a.csv", "b.csv", "--labels", "a.csv"), "has ground truth beside"),
        (("--compare", "a.csv", "b.csv", "--window", "6h"), "leave out --window, --every, --rows"),
        (("--input", "a.csv", "--compare", "m@", "m"), "write model or model@version"),
        (("--compare", "a.csv", "--json"), "takes two, champion and challenger"),
    ],
)  # fmt: skip
def test_the_operators_mistakes(
    driftline: Driftline, files: Path, arguments: tuple[str, ...], said: str
) -> None:
    ran = driftline("backtest", *arguments)
    assert ran.code == 2
    assert said in ran.err
    assert "Traceback" not in ran.err


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("mm@1", "--compare mm@1: there is no model mm; did you mean m?"),
        ("m@9", "--compare m@9: no row is a prediction of it; v.csv has those of @1, @2"),
    ],
)
def test_a_side_that_there_is_not(driftline: Driftline, files: Path, model: str, said: str) -> None:
    (files / "driftline.yaml").write_text(CONFIG)
    rows = [{"id": n, "time": n, "said": n % 2, "version": 1 + n % 2, "km": 1} for n in range(9)]
    write(files / "v.csv", rows)
    sides = ("backtest", "--input", "v.csv", "--compare", model, "m@2")
    ran = driftline(*sides)
    assert (ran.code, ran.err.splitlines()[-1]) == (2, said)
    ran = driftline(*sides, "--positive-label", "1")
    assert (ran.code, ran.err.splitlines()[-1]) == (
        2,
        "--compare: leave out --positive-label: it takes models.<name>.positive_label",
    )


def test_labels_of_other_events_are_said(driftline: Driftline, files: Path) -> None:
    (files / "driftline.yaml").write_text(CONFIG.replace("said, model_version: version", "y_pred"))
    for name in ("a.csv", "b.csv"):
        (files / name).write_text((files / name).read_text().replace("event_id", "id", 1))
    sides = ("backtest", "--compare", "a.csv", "b.csv", "--labels")
    ran = driftline(*sides, "labels.csv")
    assert (ran.code, ran.err.splitlines()[-1]) == (
        2,
        "no id of labels.csv occurs in a.csv or b.csv: check event_id in sources.<topic>.fields",
    )
    ran = driftline(*sides, "inputs.csv")
    assert (ran.code, ran.err.splitlines()[-1]) == (
        2,
        "inputs.csv: no row has event_id and actual: map them with sources.truth.fields; the file"
        " has id, km",
    )


Change = Callable[[Row], object]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda row: 1 - row["y_true"], "100 of 100 paired events have different ground truth"),
        (lambda row: "good" if row["y_true"] else "bad", "event e0 has 0 and bad;"),
    ],
)
def test_files_that_do_not_agree_on_the_ground_truth(
    driftline: Driftline, files: Path, change: Change, said: str
) -> None:
    rows = answers(0.95, 3, range(100))
    write(files / "other.csv", [{**row, "y_true": change(row)} for row in rows])
    ran = driftline("backtest", "--compare", "a.csv", "other.csv", "--actual", "y_true")
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err.splitlines()[-1]


def test_one_that_only_one_file_has_is_used_for_both(driftline: Driftline, files: Path) -> None:
    found = compared(driftline, "--compare", files / "a.csv", files / "bare.csv")
    assert (found["events"], found["challenger"]["labelled"]) == (100, 100)


def test_classes_that_do_not_fit_are_refused_of_other_events_too(
    driftline: Driftline, files: Path
) -> None:
    def named(row: Row, *columns: str) -> Row:
        return {**row, **{name: "good" if row[name] else "bad" for name in columns}}

    rows = answers(0.95, 3, range(1_000, 1_100))
    write(files / "truth.csv", [named(row, "y_true") for row in rows])
    write(files / "all.csv", [named(row, "y_true", "y_pred") for row in rows])
    write(files / "said.csv", [named(row, "y_pred") for row in rows])
    for name, said in (
        ("truth.csv", "have no class of ground truth in common: 0, 1 against bad, good; write"),
        ("all.csv", "have no class of ground truth in common"),
        ("said.csv", "said.csv: its predictions (bad, good) and the ground truth (0, 1) have no"),
    ):
        ran = driftline("backtest", "--compare", "a.csv", name, "--actual", "y_true")
        assert ran.code == 2
        assert said in ran.err.splitlines()[-1]


def test_what_is_assumed_names_its_file(driftline: Driftline, files: Path) -> None:
    ran = driftline("backtest", "--compare", "a.csv", "b.csv", "--actual", "y_true")
    assert "assumed  a.csv: prediction.label: column y_pred\n" in ran.err
    assert "assumed  b.csv: prediction.label: column y_pred\n" in ran.err
