"""One text per category, however it was written."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.producer.records.category import category_text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (False, "false"),
        (3, "3"),
        (3.0, "3"),
        (-0.0, "0"),
        (2.5, "2.5"),
        (9007199254740993, "9007199254740993"),
        (2**63, "9.223372036854775808e+18".replace("9.223372036854775808", "9.223372036854776")),
        (1e30, "1e+30"),
        (10**30, "1e+30"),
        ("", ""),
        ("3.0", "3.0"),
        ("20K - 40K €", "20K - 40K €"),
        (None, None),
        ([], None),
        ({}, None),
        (float("nan"), None),
        (float("inf"), None),
        (10**400, None),
    ],
)
def test_the_text_of_a_value(value: object, text: str | None) -> None:
    assert category_text(value) == text


@given(st.integers(-(2**53), 2**53))
def test_whole_numbers_have_one_text(number: int) -> None:
    assert category_text(number) == category_text(float(number)) == str(number)


@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**70), 2**70))
def test_the_text_survives_json(number: float) -> None:
    text = category_text(number)
    assert text is not None
    assert category_text(json.loads(json.dumps(number))) == text
    if abs(number) < 2**63:
        assert category_text(msgspec.json.decode(msgspec.json.encode(number))) == text
    assert float(text) == number or abs(number) >= 2**53
