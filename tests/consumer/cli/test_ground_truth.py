"""`--actual COLUMN`: what it measures, and why it measures nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.consumer.cli.conftest import Driftline

Write = Callable[..., None]
CONFIG = """\
kafka: {bootstrap_servers: "k:1"}
sources:
  in: {fields: {timestamp: time, prediction.label: said, MORE features: "*"}}
models:
  m: {predictions: in, reference: m.json, window: {length: 1d}, LABELS}
"""
BUILD = ("reference", "build", "--model", "m", "--output", "new/m.json", "--input")


@pytest.fixture(autouse=True)
def files(tmp_path: Path) -> None:
    """3,000 events, one a minute; right in nine of ten."""
    lines = ["time,km,said,truth,empty,named,inputs"]
    for i in range(3_000):
        truth = i % 2 if i % 10 else 1
        row = (1_600_000_000 + 60 * i, i % 9, i % 2, truth, "", "good" if truth else "bad", i % 7)
        lines.append(",".join(map(str, row)))
    (tmp_path / "in.csv").write_text("\n".join(lines).replace("said", "y_pred"))
    (tmp_path / "mapped.csv").write_text("\n".join(lines))
    (tmp_path / "inputs.csv").write_text("\n".join(lines).replace("said", "guessed"))


def config(folder: Path, more: str = "", labels: str = "") -> None:
    text = CONFIG.replace("MORE", more).replace("LABELS", labels)
    (folder / "driftline.yaml").write_text(text)


@pytest.mark.parametrize(
    ("file", "column", "said"),
    [
        ("in.csv", "empty", "--actual empty: empty is empty or no number in every row; name"),
        (
            "in.csv",
            "named",
            "--actual named: prediction.label (0, 1) and actual (bad, good) have no",
        ),
        ("in.csv", "tru", "--actual tru: not in in.csv, which has time, km, "),
        ("inputs.csv", "truth", "--actual truth: no prediction column found: map prediction.score"
         " or prediction.label in a configuration, or call it prediction"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("verb", [("backtest", "--input"), ("init", "--from"), BUILD])
def test_a_column_that_measures_nothing(
    driftline: Driftline, tmp_path: Path, verb: tuple[str, ...], file: str, column: str, said: str
) -> None:
    ran = driftline(*verb, file, "--actual", column)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.splitlines()[-1].startswith(said)
    assert not (tmp_path / "driftline.yaml").exists()
    assert not (tmp_path / "new").exists()


def test_a_column_that_nobody_named_is_suggested_once(driftline: Driftline) -> None:
    said = "note  without ground truth performance is not measured: if truth is it, give --actual"
    for verb in (("backtest", "--input"), ("init", "--from"), BUILD):
        err = driftline(*verb, "in.csv").err
        assert err.count(f"{said} truth\n") == 1
        assert said not in driftline(*verb, "in.csv", "--actual", "truth").err


def test_a_reference_tells_all_metrics_it_has(driftline: Driftline, tmp_path: Path) -> None:
    ran = driftline(*BUILD, "in.csv", "--actual", "truth")
    assert (ran.code, (tmp_path / "new" / "m.json").exists()) == (0, True)
    assert ran.out.splitlines()[-1] == (
        "on 3,000 events with ground truth: accuracy 0.9, precision 1, recall 0.833, f1 0.909"
    )


def test_a_ground_truth_that_is_mapped_and_not_used_is_said(
    driftline: Driftline, tmp_path: Path
) -> None:
    assert driftline(*BUILD, "in.csv", "--actual", "truth", "-o", "m.json").code == 0
    config(tmp_path, "actual: truth,")
    ran = driftline("backtest", "--input", "mapped.csv")
    assert (ran.code, ran.err.splitlines()[1:]) == (
        0, ["note  ground truth is not used: set models.m.labels: in"],
    )  # fmt: skip
    config(tmp_path, "actual: truth,", "labels: in")
    ran = driftline("backtest", "--input", "mapped.csv")
    assert ran.err == "using driftline.yaml\n"
    assert "3,000 labels: " in ran.out


def test_a_column_beside_a_configuration(driftline: Driftline, tmp_path: Path) -> None:
    """It adds what the configuration leaves open, and contradicts nothing that it says."""
    assert driftline(*BUILD, "in.csv", "--actual", "truth", "-o", "m.json").code == 0
    config(tmp_path)
    ran = driftline("backtest", "--input", "mapped.csv", "--actual", "truth")
    assert (ran.code, ran.err) == (0, "using driftline.yaml\n")
    assert "3,000 labels: " in ran.out
    ran = driftline("backtest", "--input", "mapped.csv", "--actual", "trut")
    assert (ran.code, "--actual trut: not in mapped.csv, which has time" in ran.err) == (2, True)
    config(tmp_path, "actual: truth,", "labels: in")
    assert driftline("backtest", "--input", "mapped.csv", "--actual", "truth").code == 0
    ran = driftline("backtest", "--input", "mapped.csv", "--actual", "named")
    assert (ran.code, ran.err.splitlines()[-1]) == (
        2,
        "--actual named: the configuration has another column: correct sources.in.fields.actual,"
        " or leave out --actual",
    )


def test_classes_that_the_given_reference_does_not_have(
    driftline: Driftline, tmp_path: Path
) -> None:
    assert driftline(*BUILD, "in.csv", "--actual", "truth", "-o", "m.json").code == 0
    ran = driftline("backtest", "-i", "in.csv", "--reference", "m.json", "--actual", "named")
    assert ran.code == 2
    assert 'actual is "good"; the reference has 0, 1' in ran.err.splitlines()[-1]
    assert driftline(*BUILD, "in.csv", "-o", "bare.json").code == 0
    ran = driftline("backtest", "-i", "in.csv", "--reference", "bare.json", "--actual", "truth")
    assert (ran.code, ran.err.splitlines()[-1]) == (
        2,
        "--actual truth: the reference was built without ground truth: build it again with"
        " --actual",
    )


def test_a_guess_that_measures_nothing_is_said(driftline: Driftline, tmp_path: Path) -> None:
    """Nobody asked for performance, so it is no error."""
    text = (
        (tmp_path / "in.csv").read_text().replace(",truth,", ",x,").replace(",named,", ",target,")
    )
    (tmp_path / "guess.csv").write_text(text)
    ran = driftline("backtest", "--input", "guess.csv")
    assert ran.code == 0
    said = "note  no performance measured: prediction.label (0, 1) and actual (bad, good) have no"
    assert said in ran.err
