"""Thresholds follow the table of detectors."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from driftline.consumer.config import ModelConfig
from driftline.detectors import DETECTORS


def refusal(detector: str, **limit: object) -> str | None:
    """Return why a threshold is refused."""
    try:
        ModelConfig.model_validate(
            {"predictions": "t", "reference": "r.json", "thresholds": {detector: limit}}
        )
    except ValidationError as error:
        return str(error)
    return None


@pytest.mark.parametrize("name", DETECTORS)
def test_every_detector_takes_the_thresholds_that_it_can_reach(name: str) -> None:
    assert refusal(name, critical=0.5) is None
    assert (refusal(name, critical=0.5, on="p_value") is None) == bool(DETECTORS[name].law)
    assert (refusal(name, critical=5) is None) != DETECTORS[name].scale.is_share


def test_another_name_is_refused() -> None:
    assert "'total_variation'" in (refusal("total_variance", critical=1) or "")
