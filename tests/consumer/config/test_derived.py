"""Fields that features are derived of, as types in a configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from driftline.producer.reference.derive import Derive

if TYPE_CHECKING:
    from tests.consumer.config.conftest import Problems, Read

TEXT = (
    "kafka: {bootstrap_servers: localhost:9092}\nmodels:\n  m:\n"
    "    predictions: t\n    reference: r.json\n    features: "
)


@pytest.mark.parametrize(
    ("features", "problem"),
    [
        ("{x: {type: text, centroids: 4}}", "x.centroids: belongs to type: vector"),
        ("{x: {words: 4}}", "x.words: belongs to type: text"),
        (
            "{x: {type: vector, weight: 2}}",
            "x.weight: a vector is no feature: write it below one that is derived of it",
        ),
        ("{x: {type: vector, centroids: 1}}", "x: centroids are 2 to 200"),
        ("{x: {type: text, words: 100001}}", "x: words are 1 to 100,000"),
    ],
)
def test_mistakes(problems: Problems, features: str, problem: str) -> None:
    assert problems(TEXT + features) == [f"driftline.yaml:6: models.m.features.{problem}"]


def test_a_reference_is_built_with_them(read: Read) -> None:
    features = "{x: {type: vector, centroids: 8}, y: {type: text}, z: {type: boolean}, w: {}}"
    found = read(TEXT + features).config.models["m"].features
    assert {name: each.built_as for name, each in found.items()} == {
        "x": Derive("vector", centroids=8),
        "y": Derive("text"),
        "z": "boolean",
        "w": None,
    }
