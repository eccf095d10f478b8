"""Texts that are numbers but for what stands around them are told, names are not."""

from __future__ import annotations

import pytest

from driftline.producer.reference.guess_time import infer_times
from driftline.producer.reference.guess_units import numbers_with_others

AMOUNTS = [i + 0.25 for i in range(60)]


@pytest.mark.parametrize(
    "written",
    [
        "{} kg", "{}k", "{} °C", "~{}", '="{}"', "{:.3e}", "1,23,{:06.2f}",
        "({})", "{}*", "$ {}", "<{}",
    ],
)  # fmt: skip
def test_numbers_with_something_around(written: str) -> None:
    texts = [written.format(amount) for amount in AMOUNTS]
    if written == "{:.3e}":
        texts = [text.replace("e", "D") for text in texts]
    [sentence] = numbers_with_others({"amount": [*texts, "NA"]})
    assert sentence.startswith(f"amount: texts with numbers in them ({texts[0]!r} is the first)")


@pytest.mark.parametrize(
    "written",
    [
        "{}", "{:05d}", "shop {}", "s{}", "{}-{}", "10.0.{}.1", "2026-03-{:02d}", "1.2.{}", "{}:30",
        "#{}", "+49{:010d}", "{:020d}",
    ],
)  # fmt: skip
def test_names_times_and_plain_numbers(written: str) -> None:
    assert not [*numbers_with_others({"x": [written.format(i, i) for i in range(60)]})]


@pytest.mark.parametrize(
    ("texts", "kind"),
    [
        ([f"0:{i:02d}:35" for i in range(60)], "durations as text"),
        ([f"{i % 24:02d}:{i:02d}:35" for i in range(60)], "times of day, or durations, as text"),
        ([f"{i} days 01:{i:02d}:35.5" for i in range(60)], "durations as text"),
        ([f"{100 + i}/{60 + i}" for i in range(60)], "fractions, or two numbers each, as text"),
        ([f"{10 * i}-{10 * i + 10}" for i in range(60)], "ranges as text"),
        ([f"{i}.5 to {i + 1}" for i in range(60)], "ranges as text"),
    ],
)
def test_numbers_of_several_parts(texts: list[str], kind: str) -> None:
    [sentence] = numbers_with_others({"x": texts})
    assert sentence.startswith(f"x: {kind} ({texts[0]!r} is the first), compared as texts; for")


def test_classes_and_columns_of_numbers_with_a_few_texts() -> None:
    assert not [*numbers_with_others({"x": [f"{i % 9}.5 kg" for i in range(60)]})]
    assert not [*numbers_with_others({"x": [*range(100), *(f"{i}.5 kg" for i in range(30))]})]


def test_what_stands_for_no_time_says_nothing() -> None:
    times = [f"2026-03-02 10:{minute:02d}:00" for minute in range(60)]
    for mark in ("NaT", "NA", "null", "-", ""):
        assert infer_times([*times, *[mark] * 40]).share == 1
    assert infer_times(["NaT", "-"]).problem == "is empty"
    assert infer_times([*times, *["soon"] * 40]).form is None
