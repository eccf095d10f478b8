"""Logging many predictions at once: rows out of every kind of table."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.producer.errors import InputError
from driftline.producer.logger.batch import rows_of
from driftline.producer.logger.logger import PredictionLogger
from driftline.producer.logger.outbox import MemorySender

WAIT = 30.0  # seconds: never reached, only to fail instead of hanging


@pytest.fixture
def sender() -> MemorySender:
    return MemorySender()


@pytest.fixture
def predictions(sender: MemorySender) -> Iterator[PredictionLogger]:
    with PredictionLogger("m", sender) as logger:
        yield logger


def sent(predictions: PredictionLogger, sender: MemorySender) -> list[dict[str, Any]]:
    assert predictions.flush(WAIT)
    return [json.loads(record.value) for record in sender.records]


IDS = ["a", "b", "c"]
COLUMNS = {"km": [1.5, 2.5, 3.5], "fuel": ["gas", "oil", "gas"], "new": [True, False, True]}
ROWS = [
    {"km": 1.5, "fuel": "gas", "new": True},
    {"km": 2.5, "fuel": "oil", "new": False},
    {"km": 3.5, "fuel": "gas", "new": True},
]


@pytest.mark.parametrize(
    "table",
    [
        ROWS,
        tuple(ROWS),
        pd.DataFrame(COLUMNS),
        pl.DataFrame(COLUMNS),
        np.array(
            [(1.5, "gas", True), (2.5, "oil", False), (3.5, "gas", True)],
            dtype=[("km", float), ("fuel", "U3"), ("new", bool)],
        ),
    ],
    ids=["dicts", "tuple", "pandas", "polars", "numpy"],
)
@pytest.mark.parametrize("wrap", [list, np.array, pd.Series, pl.Series])
def test_a_batch_is_its_rows(
    table: Any,
    wrap: Callable[[list[float]], Any],
    predictions: PredictionLogger,
    sender: MemorySender,
) -> None:
    scores = wrap([0.1, 0.2, 0.3])
    assert predictions.log_batch(table, scores, IDS, model_version="2", tags={"t": "x"}) == IDS
    events = sent(predictions, sender)
    assert [event["features"] for event in events] == ROWS
    assert [event["prediction"] for event in events] == [0.1, 0.2, 0.3]
    assert [event["event_id"] for event in events] == IDS
    assert [event["tags"] for event in events] == [{"t": "x"}] * 3
    assert {event["model_version"] for event in events} == {"2"}


@pytest.mark.parametrize("wrap", [list, np.array])
def test_an_array_needs_the_names_of_its_columns(
    wrap: Callable[[list[list[float]]], Any], predictions: PredictionLogger, sender: MemorySender
) -> None:
    array = wrap([[1.0, 2.0], [3.0, math.nan]])
    ids = predictions.log_batch(array, names=["a", "b"])
    events = sent(predictions, sender)
    assert [event["features"] for event in events] == [{"a": 1.0, "b": 2.0}, {"a": 3.0, "b": "NaN"}]
    assert [event["event_id"] for event in events] == ids
    assert "prediction" not in events[0]
    with pytest.raises(InputError, match=r"give names=\[...\]"):
        predictions.log_batch(array)
    with pytest.raises(InputError, match="every row needs 1 values"):
        predictions.log_batch(array, names=["a"])


def test_a_frame_says_what_is_missing_in_its_own_way(
    predictions: PredictionLogger, sender: MemorySender
) -> None:
    pandas = pd.DataFrame(
        {
            "x": [1.0, math.nan],
            "n": pd.array([1, None], dtype="Int64"),
            "s": ["a", None],
            "t": pd.to_datetime(["2026-01-01", None]),
        }
    )
    polars = pl.DataFrame({"x": [1.0, None], "y": [math.nan, 1.0]})
    predictions.log_batch(pandas)
    predictions.log_batch(polars)
    features = [event["features"] for event in sent(predictions, sender)]
    assert features == [
        {"x": 1.0, "n": 1, "s": "a", "t": 1_767_225_600_000},
        {"x": None, "n": None, "s": None, "t": None},
        {"x": 1.0, "y": "NaN"},
        {"x": None, "y": 1.0},
    ]
    assert type(features[0]["n"]) is int


def test_times_of_a_batch(predictions: PredictionLogger, sender: MemorySender) -> None:
    days = pd.DataFrame({"x": [1, 2]}), pd.to_datetime(["2026-01-01", "2026-01-02"])
    predictions.log_batch(days[0], timestamps=days[1])
    times = [event["timestamp"] for event in sent(predictions, sender)]
    assert times == [1_767_225_600_000, 1_767_312_000_000]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"predictions": [0.1]}, "predictions: 1 values for 3 rows; give one for each"),
        ({"event_ids": ["a", "b", "c", "d"]}, "event_ids: 4 values for 3 rows"),
        ({"timestamps": "now"}, "str: give a list or an array"),
        ({"features": "abc"}, "features: give a frame"),
        ({"features": 5}, "features: give a frame"),
        ({"features": [1, 2], "names": ["a"]}, "every row needs 1 values"),
    ],
)
def test_a_mistake_in_the_program_is_raised(
    arguments: dict[str, Any], said: str, predictions: PredictionLogger, sender: MemorySender
) -> None:
    with pytest.raises(InputError, match=said):
        predictions.log_batch(**{"features": ROWS, **arguments})
    assert sent(predictions, sender) == []


@given(st.lists(st.tuples(st.floats(), st.integers(-(2**53), 2**53)), min_size=1, max_size=20))
def test_rows_are_the_same_out_of_every_kind_of_table(table: list[tuple[float, int]]) -> None:
    expected = [{"a": a, "b": b} for a, b in table]
    frame = {"a": [a for a, _ in table], "b": [b for _, b in table]}
    assert str(rows_of(pl.DataFrame(frame))) == str(expected)
    array = np.array(table, dtype=[("a", float), ("b", int)])
    assert str(rows_of(array)) == str(expected)
    missing = [{**row, "a": None if math.isnan(row["a"]) else row["a"]} for row in expected]
    assert str(rows_of(pd.DataFrame(frame))) == str(missing)
