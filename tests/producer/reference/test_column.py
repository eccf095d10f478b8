"""A feature's values: what type they have, and what does not fit it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.detectors.registry import FeatureType
from driftline.producer.records.category import category_text
from driftline.producer.records.table import ABSENT
from driftline.producer.reference.column import Column

JSON: st.SearchStrategy[Any] = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([0, 1, 0.0, 1.0, 2**60])
    | st.floats()
    | st.sampled_from(["true", "False", "NaN", "Infinity", "a", "b", "", "1"])
    | st.just([])
    | st.just(ABSENT)
)


def column_of(values: list[Any], absent: int = 0) -> Column:
    column = Column(absent)
    half = len(values) // 2
    column.add(values[:half])
    column.add(values[half:])
    return column


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1, 2.5, None, ABSENT], "numeric"),
        ([1, "NaN", "-Infinity", []], "numeric"),
        ([10**400, 1], "numeric"),
        ([True, False, None], "boolean"),
        ([True, "false"], "boolean"),
        (["true", "false"], "boolean"),
        (["true", "no"], "categorical"),
        ([True, 1], "categorical"),
        (["True", "FALSE"], "boolean"),
        (["NaN", True], "boolean"),
        ([1, "a"], "categorical"),
        ([1, "true"], "categorical"),
        (["NaN", "a"], "categorical"),
        ([None, ABSENT, [], {}, "NaN", math.inf], None),
        ([], None),
    ],
)
def test_types(values: list[Any], kind: str | None) -> None:
    assert column_of(values).infer() == kind


@given(st.lists(JSON), st.integers(0, 3))
def test_numeric_values(values: list[Any], absent: int) -> None:
    def expected(value: Any) -> float:
        if value is None:
            return math.nan
        if value is ABSENT:
            return math.inf
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return float(value) if number and math.isfinite(value) else -math.inf

    prepared = column_of(values, absent).prepare("numeric")
    wanted = [math.inf] * absent + [expected(value) for value in values]
    np.testing.assert_array_equal(np.asarray(prepared.values), wanted)


@given(st.lists(JSON), st.sampled_from(["categorical", "boolean"]))
def test_texts(values: list[Any], kind: FeatureType) -> None:
    prepared = column_of(values).prepare(kind)
    texts = [category_text(value) for value in values]
    if kind == "boolean":
        texts = [text.lower() if text else None for text in texts]
        words = {"0": "false", "1": "true"}
        texts = [
            words.get(text or "", text) if not isinstance(value, str) else text
            for value, text in zip(values, texts, strict=True)
        ]
        texts = [text if text in ("true", "false") else None for text in texts]
    assert list(prepared.values) == texts
    assert prepared.absent is not None
    assert prepared.invalid is not None
    assert prepared.absent.tolist() == [value is ABSENT for value in values]
    assert prepared.invalid.tolist() == [
        text is None and value is not None and value is not ABSENT
        for text, value in zip(texts, values, strict=True)
    ]


def test_large_integers_keep_every_digit_as_categories() -> None:
    values = [9007199254740993, 9007199254740995, 5]
    prepared = column_of(values).prepare("categorical")
    assert list(prepared.values) == ["9007199254740993", "9007199254740995", "5"]


def test_half_a_surrogate_pair_is_replaced() -> None:
    assert list(column_of(["a", "\ud800"]).prepare("categorical").values) == ["a", "?"]
