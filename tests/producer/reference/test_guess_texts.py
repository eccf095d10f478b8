"""What texts of sample records stand for."""

from __future__ import annotations

from typing import Any

import pytest

from driftline.producer.reference.guess import guess_mapping
from driftline.producer.reference.guess_texts import guess_texts, perhaps_missing, surely_missing


@pytest.mark.parametrize(
    ("values", "coerce"),
    [
        (["1", "2.5", "-3e2"], True),
        ([1, 2, "3"], True),
        ([1, 2.5, "NA"], True),
        (["1", "", "2"], True),
        ([True, False, "n/a"], True),
        ([1, 2.5], False),
        (["true", "no", True], False),
        (["true", "false"], False),
        (["00501", "10115", "20095"], False),
        (["1", "2", "gas", "oil"], False),
        (["NA", "", None], False),
        ([], False),
    ],
)
def test_numbers_as_text(values: list[Any], coerce: bool) -> None:
    found = guess_texts({"x": [value for value in values if value is not None]})
    assert found.coerce == (("x",) if coerce else ())
    assert found.marks == {}


def test_marks_in_columns_of_text() -> None:
    found = guess_texts(
        {
            "fuel": ["gas", "oil", "NA", "?", "", "none"],
            "city": ["Berlin", "?", "Rome"],
            "only": ["-", "-"],
            "km": ["1", "-"],
        }
    )
    assert found.marks == {"": ["fuel"], "?": ["fuel", "city"], "NA": ["fuel"]}
    assert found.coerce == ("km",)


def test_na_among_codes_is_namibia() -> None:
    land = ["DE", "FR", "NA", "IT", "?"]
    assert surely_missing(land) == ["?"]
    found = guess_texts({"land": ["DE", "FR", "NA", "IT"], "fuel": ["gas", "NA"]})
    assert found.marks == {}


def test_a_guess_of_records_that_are_text_alone() -> None:
    rows = [
        {
            "ts": f"2026-01-01T00:{i % 60:02}:00Z",
            "score": f"0.{i + 1}",
            "km": str(i),
            "zip": "00501",
        }
        for i in range(60)
    ]
    found = guess_mapping(list(rows[0]), rows)
    assert found.mapping.fields["prediction.score"] == "score"
    assert found.mapping.texts.coerce
    assert found.features == {"km": "numeric", "zip": "categorical"}
    assert found.said[-1] == "numbers as text: score, km"


def test_a_guess_of_events_whose_prediction_is_text() -> None:
    rows = [
        {"features": {"fuel": "gas" if i % 2 else "?"}, "prediction": f"{i}.5"} for i in range(9)
    ]
    found = guess_mapping(["features", "prediction"], rows)
    assert found.mapping.is_native
    assert found.mapping.texts.coerce
    assert found.marks == {"?": ["fuel"]}
    classes = [{**row, "prediction": str(i % 2)} for i, row in enumerate(rows)]
    assert not guess_mapping(["features", "prediction"], classes).mapping.texts.coerce


def test_a_class_is_no_number() -> None:
    rows = [{"km": i / 2, "prediction": str(i % 2)} for i in range(60)]
    found = guess_mapping(["km", "prediction"], rows)
    assert found.mapping.fields["prediction.label"] == "prediction"
    assert not found.mapping.texts.coerce


def test_what_may_stand_for_no_value_is_none_of_numbers() -> None:
    assert perhaps_missing([], guess_mapping(["a"], [{"a": 1}]).mapping.texts) == []
