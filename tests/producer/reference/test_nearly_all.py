"""A feature is numeric where nearly all of its values are numbers."""

from __future__ import annotations

from typing import Any

import pytest

from driftline.detectors.registry import FeatureType
from driftline.producer.records.table import column_of
from driftline.producer.reference.field import Field
from driftline.producer.reference.look import Look


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([*range(95), *"abcde"], "numeric"),
        ([*range(94), *"abcdef"], "categorical"),
        ([*range(94), True, *"abcde"], "categorical"),
        ([*range(19), "a", *[None] * 100, *["NaN"] * 100], "numeric"),
    ],
)
def test_nearly_all(values: list[Any], kind: FeatureType) -> None:
    look = Look()
    look.add(Field(column_of(values)))
    assert look.infer() == kind
