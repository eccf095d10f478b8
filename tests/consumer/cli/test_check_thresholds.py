"""What quiet data does to plain thresholds is worked out where there are any, of those alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from driftline.consumer.cli import check_thresholds
from driftline.consumer.cli.check_thresholds import threshold_findings
from driftline.consumer.config import Config, ModelConfig
from driftline.detectors import Baseline, FeatureColumn, build_reference

REFERENCE = build_reference(
    "m",
    {
        "a": FeatureColumn("numeric", np.arange(1_000.0)),
        "b": FeatureColumn("numeric", np.arange(1_000.0)),
        "c": FeatureColumn("categorical", ["x", "y"] * 500),
    },
)
LOUD = {"psi": {"warning": 0.001}}


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Gets each baseline that is made."""
    baselines: list[object] = []

    def counted(*of: Any) -> Baseline:
        baselines.append(of)
        return Baseline(*of)

    monkeypatch.setattr(check_thresholds, "Baseline", counted)
    return baselines


def model(**settings: Any) -> ModelConfig:
    kafka = {"bootstrap_servers": "localhost:9092"}
    each = {"predictions": "t", "reference": "m.json", **settings}
    return Config.model_validate({"kafka": kafka, "models": {"m": each}}).models["m"]


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"thresholds": LOUD, "ignore": ["a", "b", "c"]},
        {"features": {"c": {"thresholds": {"ks": {"warning": 0.001}}}}},
    ],
)
def test_where_no_feature_has_a_limit(settings: dict[str, Any], made: list[object]) -> None:
    assert list(threshold_findings("m", model(**settings), REFERENCE)) == []
    assert made == []


def test_one_feature_has_a_limit(made: list[object]) -> None:
    (found,) = threshold_findings("m", model(features={"b": {"thresholds": LOUD}}), REFERENCE)
    assert found.message.startswith("b: with min_events 500, ")
    (found,) = threshold_findings("m", model(thresholds=LOUD, ignore=["c"]), REFERENCE)
    assert found.message.startswith("2 features, a most: with min_events 500, ")
    assert len(made) == 2
