from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.consumer.config import Budget, For, Start, format_number, format_share
from driftline.consumer.config.values import parse_number

DAY = 86_400_000


@pytest.mark.parametrize(
    ("text", "budget"),
    [
        ("1 per 30d", Budget(1, 30 * DAY)),
        ("0.5 per 14d", Budget(0.5, 14 * DAY)),
        ("2.25 per 1d12h", Budget(2.25, DAY * 3 // 2)),
    ],
)
def test_budget(text: str, budget: Budget) -> None:
    assert Budget.parse(text) == budget
    assert str(budget) == text


@pytest.mark.parametrize("text", ["often", "1 per month", "per 30d", "1 / 30d", "-1 per 30d", "1"])
def test_not_a_budget(text: str) -> None:
    with pytest.raises(ValueError, match="write "):
        Budget.parse(text)


@pytest.mark.parametrize("text", ["0 per 30d", "1 per 0s"])
def test_an_empty_budget_is_off(text: str) -> None:
    with pytest.raises(ValueError, match="must be above 0; for no budget at all write off"):
        Budget.parse(text)


@pytest.mark.parametrize(
    ("text", "start", "shown"),
    [
        ("earliest", Start("earliest"), "earliest"),
        ("latest", Start("latest"), "latest"),
        ("-24h", Start("ago", DAY), "-1d"),
        ("1970-01-02T00:00:00Z", Start("time", DAY), "1970-01-02T00:00:00Z"),
        ("1970-01-02T01:00:00+01:00", Start("time", DAY), "1970-01-02T00:00:00Z"),
        ("1970-01-02", Start("time", DAY), "1970-01-02T00:00:00Z"),
        ("1970-01-01T00:00:00.250", Start("time", 250), "1970-01-01T00:00:00.250Z"),
    ],
)
def test_start(text: str, start: Start, shown: str) -> None:
    assert Start.parse(text) == start
    assert str(start) == shown
    assert Start.parse(shown) == start


@pytest.mark.parametrize("text", ["", "noon", "24h", "-", "-1.5h", "newest"])
def test_not_a_start(text: str) -> None:
    with pytest.raises(ValueError, match="write earliest, latest, a time such as"):
        Start.parse(text)


def test_for() -> None:
    assert For.parse("2 of 3") == For(k=2, n=3)
    assert str(For(2, 3)) == "2 of 3"


@pytest.mark.parametrize("text", ["0 of 3", "4 of 3", "2/3", "two of three", "2 of 3 windows"])
def test_not_k_of_n(text: str) -> None:
    with pytest.raises(ValueError, match="write `k of n` windows"):
        For.parse(text)


@given(st.integers(0, 10_000))
def test_percentages_are_exact(basis_points: int) -> None:
    share = basis_points / 10_000
    assert parse_number(format_share(share)) == share


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_read_back(value: float) -> None:
    assert parse_number(format_number(value)) == value


@pytest.mark.parametrize("text", ["", "%", "five", "nan", "inf", "1e999", "5%%", "sNaN"])
def test_not_a_number(text: str) -> None:
    with pytest.raises(ValueError, match="number"):
        parse_number(text)


def test_a_number_is_finite() -> None:
    assert math.isfinite(parse_number("1e300"))
