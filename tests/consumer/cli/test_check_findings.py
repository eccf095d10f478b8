"""Rows of `check`: one finding each."""

from __future__ import annotations

from driftline.consumer.cli.check_findings import Finding, finding, render
from driftline.consumer.config import Problem


def test_rows_align_whatever_the_subject() -> None:
    long = "a-model-with-a-name-that-is-long"
    rows = render([Finding("ok", long, "fine"), Finding("error", "b", "x\ny")], "").splitlines()
    column = len("ok       ") + len(long) + 3
    assert [row[column:] for row in rows[:3]] == ["fine", "x", "y"]


def test_a_problem_of_no_model_stands_at_its_section() -> None:
    assert finding(Problem("a.yaml", 3, ("kafka", "tls"), "wrong", "warning")) == Finding(
        "warning", "kafka", "tls: wrong", "a.yaml", 3
    )
    assert finding(Problem("a.yaml", None, (), "no such file")).subject == "configuration"


def test_a_problem_stands_at_its_model_whatever_its_name() -> None:
    key = ("models", "fraud.eu", "predictions", 0)
    assert finding(Problem("a.yaml", 3, key, "wrong")) == Finding(
        "error", "fraud.eu", "predictions[0]: wrong", "a.yaml", 3
    )
