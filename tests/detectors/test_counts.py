from __future__ import annotations

import numpy as np

from driftline.detectors import Columns, Feature, Layout, count_columns

AGE = Feature("age", "numeric", np.array([20.0, 30.0]))
FLAG = Feature("a flag", "boolean", np.empty(0), ("false", "true"))
PLAN = Feature("plan", "categorical", np.empty(0), ("free", "paid"))


def test_numeric_features_come_first_and_each_part_is_sorted() -> None:
    height = Feature("Height", "numeric", np.array([1.0]))
    layout = Layout.of([PLAN, AGE, FLAG, height])
    assert [f.name for f in layout.features] == ["Height", "age", "a flag", "plan"]
    assert layout.numeric == 2
    assert layout.starts.tolist() == [0, 6, 14, 20, 26]
    assert layout.size == 26
    assert layout.position == {"Height": 0, "age": 1, "a flag": 2, "plan": 3}


def test_every_kind_of_value_has_its_cell() -> None:
    layout = Layout.of([AGE, FLAG, PLAN])
    ages = [10.0, 20.0, 25.0, 30.0, 99.0, np.nan, np.inf, -np.inf, -np.inf]
    flags = [0, 1, 1, 2, 3, 4, 4, 5, 5]
    plans = [0, 0, 1, 2, 2, 3, 4, 5, 5]
    columns = Columns(np.array([ages]).T, np.array([flags, plans], np.int32).T)
    flat = count_columns(layout, columns)
    assert flat.tolist() == [1, 1, 1, 1, 1, 1, 1, 2, *[1, 2, 1, 1, 2, 2], *[2, 1, 2, 1, 1, 2]]
    assert flat.dtype == np.int64
    blocks = np.add.reduceat(flat, layout.starts[:-1])
    assert (blocks == len(ages)).all()


def test_negative_zero_is_zero() -> None:
    layout = Layout.of([Feature("x", "numeric", np.array([0.0]))])
    columns = Columns(np.array([[-0.0], [0.0]]), np.empty((2, 0), np.int32))
    assert count_columns(layout, columns).tolist() == [0, 2, 0, 0, 0, 0]


def test_no_events_count_nothing() -> None:
    layout = Layout.of([AGE, PLAN])
    empty = Columns(np.empty((0, 1)), np.empty((0, 1), np.int32))
    assert count_columns(layout, empty).tolist() == [0] * layout.size


def test_input_is_not_changed() -> None:
    layout = Layout.of([AGE])
    columns = Columns(np.array([[30.0], [10.0], [np.nan]]), np.empty((3, 0), np.int32))
    before = columns.numeric.copy()
    count_columns(layout, columns)
    assert np.array_equal(columns.numeric, before, equal_nan=True)
