"""`comparisons`: what is read, and every error with its exact sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from driftline.consumer.config import Side, show

if TYPE_CHECKING:
    from tests.consumer.config.conftest import Problems, Read

START = """\
kafka: {bootstrap_servers: "localhost:9092"}
models:
  m: {predictions: in, reference: m.json, labels: truth}
  n: {predictions: in, reference: n.json, labels: truth}
  elsewhere: {predictions: in, reference: n.json, labels: other}
  unlabelled: {predictions: in, reference: n.json}
comparisons:
"""


def test_sides_are_models_or_versions_of_them(read: Read) -> None:
    loaded = read(f"{START}  new: {{champion: m@3.1, challenger: m@rc@2, alpha: 1%}}\n")
    found = loaded.config.comparisons["new"]
    assert found.sides == (Side("m", "3.1"), Side("m", "rc@2"))
    assert (found.traffic, found.alpha) == ("split", 0.01)
    assert "champion: m@3.1" in show(loaded)


@pytest.mark.parametrize(
    ("keys", "place", "message"),
    [
        (
            "champion: m, challenger: o",
            "challenger",
            "there is no model o; known are m, n, elsewhere, unlabelled",
        ),
        (
            "champion: unlabeled, challenger: m",
            "champion",
            "there is no model unlabeled; did you mean unlabelled?",
        ),
        ("champion: m, challenger: m", "challenger", "is the champion itself"),
        ("champion: m@1, challenger: m@1", "challenger", "is the champion itself"),
        (
            "champion: unlabelled, challenger: m",
            "champion",
            "unlabelled has no labels, so nobody knows when it is right: set its labels",
        ),
        (
            "champion: m, challenger: elsewhere",
            "challenger",
            "its labels come from other and those of the champion from truth: both must "
            "be judged by the same labels",
        ),
        (
            "champion: m@, challenger: n",
            "champion",
            "write model or model@version, for example fraud-scorer@3.2",
        ),
        ("champion: 3, challenger: n", "champion", "must be text; put it in quotes"),
        (
            "champion: m, challenger: n, traffic: both",
            "traffic",
            "unknown value, known are split, same",
        ),
        (
            "champion: m, challenger: n, alpha: 0",
            "alpha",
            "must be above 0 and below 1; 0.05 is one wrong answer in 20 comparisons",
        ),
        (
            "champion: m, challenger: n, trafic: same",
            "trafic",
            "unknown key, did you mean traffic?",
        ),
        ("champion: m", "challenger", "required key is missing"),
    ],
)
def test_every_error_has_its_place(problems: Problems, keys: str, place: str, message: str) -> None:
    found = problems(f"{START}  new: {{{keys}}}\n")
    assert found == [f"driftline.yaml:8: comparisons.new.{place}: {message}"]


def test_a_comparison_is_not_called_like_a_model(problems: Problems) -> None:
    found = problems(f"{START}  m: {{champion: m, challenger: n}}\n")
    assert found == [
        "driftline.yaml:8: comparisons.m: a model has this name: alerts would speak of both"
    ]
    found = problems(f"{START}  a/b: {{champion: m, challenger: n}}\n")
    assert "not a legal comparison name" in found[0]
