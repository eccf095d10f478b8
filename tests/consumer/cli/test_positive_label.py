"""`backtest --positive-label`: two classes of any form make a classifier of a file alone."""

from __future__ import annotations

import csv
import math
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.consumer.cli.conftest import Driftline

Score = Callable[[float], float]


def probability(p: float) -> float:
    return round(p, 4)


def percent(p: float) -> float:
    return round(100 * p, 2)


def logit(p: float) -> float:
    return round(math.log(p / (1 - p)), 4)


def write(path: Path, classes: tuple[object, object], score: Score, *, named: bool = False) -> None:
    """Write 1,200 events of a model that is right, more or less; `named`: it names a class."""
    rng = random.Random(3)
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["ts", "amount", "score", "actual", *(["y_pred"] if named else [])])
        for n in range(1_200):
            p = rng.uniform(0.01, 0.99)
            time = f"2026-03-{1 + n // 100:02d}T{n % 100 // 5:02d}:00:00Z"
            truth = classes[rng.random() < p]
            row = [time, round(rng.random(), 3), score(p), truth]
            rows.writerow([*row, *([classes[p > 0.5]] if named else [])])


def measured(out: str) -> set[str]:
    """The metrics of the table."""
    lines = out.partition("\nmetric ")[2].partition("\n\n")[0].splitlines()[1:]
    return {line.split()[0] for line in lines}


@pytest.mark.parametrize(
    ("classes", "score", "positive"),
    [
        ((-1, 1), probability, "1"),
        ((-1, 1), logit, "1.0"),
        (("no", "yes"), percent, "yes"),
        (("no", "yes"), probability, "no"),
        ((0, 1), logit, "true"),
        (("False", "True"), percent, "1"),
        ((1, 2), probability, "2"),
    ],
)
def test_two_classes_and_a_score(
    driftline: Driftline,
    tmp_path: Path,
    classes: tuple[object, object],
    score: Score,
    positive: str,
) -> None:
    write(tmp_path / "e.csv", classes, score)
    ran = driftline("backtest", "-i", "e.csv", "--positive-label", positive)
    assert ran.code == 0
    assert "the budget watches roc_auc" in ran.err
    found = measured(ran.out)
    assert "roc_auc" in found
    assert ("log_loss" in found) == (score is probability)
    line = next(line for line in ran.out.splitlines() if line.startswith("roc_auc"))
    assert (float(line.split()[1]) < 0.5) == (positive == "no")


def test_the_score_of_a_model_that_names_classes(driftline: Driftline, tmp_path: Path) -> None:
    write(tmp_path / "e.csv", ("no", "yes"), probability, named=True)
    ran = driftline("backtest", "-i", "e.csv", "--positive-label", "yes")
    assert {"accuracy", "roc_auc", "recall"} <= measured(ran.out)
    ran = driftline("backtest", "-i", "e.csv")
    assert "accuracy" in measured(ran.out)
    assert "roc_auc" not in measured(ran.out)


def test_numbers_that_may_be_classes_are_noted(driftline: Driftline, tmp_path: Path) -> None:
    write(tmp_path / "e.csv", (-1, 1), probability)
    ran = driftline("backtest", "-i", "e.csv")
    assert (
        "note  the ground truth is -1 or 1 throughout: if these are classes, not amounts, give"
        " --positive-label 1\n"
    ) in ran.err
    assert "mae" in measured(ran.out)


def test_text_without_a_named_class_is_noted(driftline: Driftline, tmp_path: Path) -> None:
    write(tmp_path / "e.csv", ("no", "yes"), probability)
    ran = driftline("backtest", "-i", "e.csv")
    assert "which class prediction.score speaks of: give it with --positive-label\n" in ran.err


def test_what_the_class_is_compared_with(driftline: Driftline, tmp_path: Path) -> None:
    write(tmp_path / "e.csv", ("no", "yes"), probability)

    def refused(*options: str) -> str:
        ran = driftline("backtest", "-i", "e.csv", *options)
        assert ran.code == 2
        return ran.err.splitlines()[-1]

    assert refused("--positive-label", "maybe") == (
        "positive_label maybe: never occurs; the classes are no, yes"
    )
    build = ("reference", "build", "--model", "m", "-i", "e.csv", "-o")
    driftline(*build, "yes.json", "--positive-label", "yes")
    driftline(*build, "none.json")
    assert driftline(
        "backtest", "-i", "e.csv", "--reference", "yes.json", "--positive-label", "yes"
    ).code == 0  # fmt: skip
    again = "build it again with --positive-label no"
    assert refused("--reference", "yes.json", "--positive-label", "no") == (
        f"--positive-label no: the reference was built with yes: {again}"
    )
    assert refused("--reference", "none.json", "--positive-label", "no") == (
        f"--positive-label no: the reference was built without ground truth: {again}"
    )
    text = (tmp_path / "e.csv").read_text().replace(",actual", ",kind")
    (tmp_path / "e.csv").write_text(text)
    assert refused("--positive-label", "yes") == (
        "--positive-label yes: no column is known to hold the ground truth: give --actual COLUMN,"
        " or --labels FILE"
    )


def test_a_metric_of_a_file_that_ends_in_its_only_window(
    driftline: Driftline, tmp_path: Path
) -> None:
    """It is told, and what became better too."""
    rng = random.Random(1)
    with (tmp_path / "e.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["ts", "x", "prediction", "actual"])
        for n in range(600):
            truth, right = rng.random() < 0.5, rng.random() < (0.8 if n < 300 else 0.97)
            time = f"2026-03-{1 + n // 50:02d}T{n % 24:02d}:00:00Z"
            rows.writerow([time, round(rng.random(), 3), int(truth == right), int(truth)])
    ran = driftline("backtest", "-i", "e.csv", "--window", "30d", "--min-events", "100")
    (accuracy,) = [line for line in ran.out.splitlines() if line.startswith("accuracy ")]
    assert accuracy.split()[-4:] == ["better", "2026-03-08", "to", "2026-04-07"]
