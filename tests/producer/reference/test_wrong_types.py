"""Where no record is an event for what it holds, the sentence says what that is."""

from __future__ import annotations

from typing import Any

import pytest

from driftline.producer.errors import InputError
from driftline.producer.records.mapping import Mapping
from driftline.producer.reference.build import ReferenceSettings, reference_from_rows


@pytest.mark.parametrize(
    ("event", "wrong"),
    [
        ({"features": {"km": 1.5}, "prediction": [0.1, 0.9]}, "prediction is an array"),
        ({"features": [1.5, 2.5], "prediction": 0.1}, "features is no object"),
        ({"km": 1.5}, "has features or a prediction"),
    ],
)
def test_the_true_reason(event: dict[str, Any], wrong: str) -> None:
    with pytest.raises(InputError, match=wrong):
        reference_from_rows([[event] * 3], Mapping(), ReferenceSettings("m"))
