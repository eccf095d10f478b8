"""A feature's values: what type they have, and how many there are."""

from __future__ import annotations

import math
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.producer.records.table import ABSENT, Times
from driftline.producer.reference.distinct import DistinctNumbers
from driftline.producer.reference.field import Field, field_of
from driftline.producer.reference.look import Look


def seen(*parts: list[Any]) -> Look:
    look = Look()
    for part in parts:
        look.add(field_of(part))
    return look


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
    assert seen(values).infer() == kind
    assert seen(values[:1], values[1:]).infer() == kind
    assert seen(*([value] for value in values)).infer() == kind


def times(n: int) -> list[str]:
    return [f"2026-03-{i % 28 + 1:02}T{i // 28 % 24:02}:{i // 672:02}:00Z" for i in range(n)]


@pytest.mark.parametrize(
    ("values", "holds"),
    [
        (times(1_001), True),
        (times(1_000), False),
        ([*times(1_500), "soon"], False),
        ([*times(1_500), 1], False),
        ([*times(1_500), None, ABSENT], True),
    ],
)
def test_many_texts_that_are_all_times(values: list[Any], holds: bool) -> None:
    assert seen(values).holds_times == holds
    assert seen(values[:700], values[700:]).holds_times == holds


def test_native_times_are_texts_of_which_many_are_left_out() -> None:
    ms = np.arange(1_500, dtype=np.int64) * 1_000
    look = Look()
    look.add(Field(Times(ms, ms > 1_200_000), ms < 1_000))
    assert (look.infer(), look.holds_times) == ("categorical", True)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1), st.randoms())
def test_distinct_numbers_are_the_same_in_any_order_and_parts(
    values: list[float], random: Random
) -> None:
    def counted(parts: int) -> DistinctNumbers:
        found = DistinctNumbers(11)
        for i in range(parts):
            found.add(np.array(values[i::parts], np.float64))
        return found

    first = counted(1)
    random.shuffle(values)
    second = counted(3)
    assert second.about() == first.about()
    different, kept = set(values), second.all()
    assert (kept is None) == (len(different) > 11)
    if kept is not None:
        assert kept.tolist() == sorted(different)
