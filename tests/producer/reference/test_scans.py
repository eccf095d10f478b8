"""References by scans: the same as from whole columns, however the rows are split and ordered."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.detectors.build import build_reference
from driftline.detectors.columns import FeatureColumn
from driftline.detectors.grid import choose_grid
from driftline.detectors.reference import Reference
from driftline.detectors.registry import FeatureType
from driftline.producer.errors import InputError
from driftline.producer.records.category import category_text
from driftline.producer.records.mapping import Constant, Mapping
from driftline.producer.records.table import (
    ABSENT,
    Coded,
    Column,
    Numbers,
    Struct,
    Table,
    Times,
    coded,
)
from driftline.producer.records.values import BOOLEAN, NUMERIC
from driftline.producer.reference.build import (
    BuiltReference,
    ReferenceSettings,
    reference_from_events,
    reference_from_rows,
    reference_from_tables,
)
from driftline.producer.reference.order_statistics import RankSearch, grid_search

Rows = list[dict[str, Any]]

SMALL = st.none() | st.integers(-3, 30) | st.floats(-2, 2) | st.sampled_from([2**60 + 1, 10**400])
ANY = SMALL | st.booleans() | st.sampled_from(["a", "é", "True", "NaN", "1", "\ud800", [1], {}])
OUTCOME = st.none() | st.floats(0, 1) | st.sampled_from(["ok", "bad"]) | st.integers(0, 1)


def row() -> st.SearchStrategy[dict[str, Any]]:
    inner = st.none() | st.just("bare") | st.fixed_dictionaries({}, optional={"a": SMALL, "b": ANY})
    fields = {"x": SMALL, "y": ANY, "in": inner, "out": OUTCOME, "truth": OUTCOME}
    others = {"tag": st.sampled_from(["web", "app", None, 1, 1.0]), "who": st.sampled_from("mo")}
    return st.fixed_dictionaries({"always": st.integers(0, 99)}, optional={**fields, **others})


MAPPINGS = [
    Mapping({"features": "*", "tags.tag": "tag", "model": "who"}),
    Mapping({"features": "*", "features.a": "in.a", "prediction": "out", "actual": "truth"}),
    Mapping({"features": "in", "features.a": "x", "prediction.score": "out", "actual": "truth"}),
    Mapping({"features": "in", "features.k": Constant("k"), "prediction.label": "out"}),
    Mapping({"prediction.label": "out", "actual.label": "truth", "features.always": "always"}),
]


def told(built: BuiltReference) -> tuple[Any, ...]:
    counts = (built.skipped, built.unusable, built.notes, built.ignored)
    return (built.reference.to_json(), built.features, *counts)


def outcome_of(build: Any, *given: Any) -> Any:
    try:
        return told(build(*given))
    except InputError as error:  # the columns that it lists may be in another order, or renamed
        return re.sub(r"(, but| of) [^;]+", "", str(error))


@given(st.lists(row(), min_size=1, max_size=40), st.sampled_from(MAPPINGS), st.randoms())
def test_rows_events_and_tables_give_the_same_in_any_order_and_parts(
    rows: Rows, mapping: Mapping, random: Random
) -> None:
    settings = ReferenceSettings(
        "m", grid=11, types={"y": "categorical"} if mapping.wildcard else {}
    )
    whole = outcome_of(reference_from_rows, [rows], mapping, settings)
    events = list(map(mapping.to_event, rows))
    assert outcome_of(reference_from_events, events, settings) == whole
    random.shuffle(rows)
    parts = [part for part in (rows[:3], rows[3:4], rows[4:]) if part]
    tables = list(map(Table.of_rows, parts))
    assert outcome_of(reference_from_tables, lambda: iter(tables), mapping, settings) == whole
    assert outcome_of(reference_from_rows, parts, mapping, settings) == whole


def prepared(values: Sequence[Any], kind: FeatureType) -> FeatureColumn:
    """A column as the value table reads each value."""
    if kind == "numeric":
        numbers = [math.inf if value is ABSENT else NUMERIC.read(value) for value in values]
        return FeatureColumn(kind, np.array(numbers))
    texts = [None if value is ABSENT else category_text(value) for value in values]
    if kind == "boolean":
        read = [NUMERIC.read(None) if v is ABSENT else BOOLEAN.read(v) for v in values]
        texts = [{0.0: "false", 1.0: "true"}.get(code) for code in read]
    absent = np.array([value is ABSENT for value in values])
    fits = np.array(
        [text is not None or value is None for text, value in zip(texts, values, strict=True)]
    )
    return FeatureColumn(kind, texts, absent, ~fits & ~absent)


@pytest.mark.parametrize("grid", [11, 64, None])
def test_the_same_bytes_as_from_whole_columns(grid: int | None) -> None:
    rng = np.random.default_rng(7)
    n = 3_000
    values: dict[str, list[Any]] = {
        "even": rng.normal(size=n).tolist(),
        "few": rng.integers(0, 9, n).tolist(),
        "ties": np.where(rng.random(n) < 0.6, 0.0, rng.normal(size=n)).tolist(),
        "gone": [ABSENT if i % 3 else None if i % 5 else float(i) for i in range(n)],
        "plan": rng.choice(["free", "paid", "gold"], n).tolist(),
        "many": [f"v{i}" for i in rng.integers(0, 400, n)],
        "flag": [(True, "false", None, ABSENT)[i % 4] for i in range(n)],
        "mixed": [(1, 2.5, "x", [1], 2**60)[i % 5] for i in range(n)],
    }
    kinds: dict[str, FeatureType] = dict.fromkeys(values, "numeric")
    kinds |= {
        "plan": "categorical",
        "many": "categorical",
        "mixed": "categorical",
        "flag": "boolean",
    }
    tags = rng.choice(["web", "app", "__other__"], n).tolist()
    rows = [
        {name: column[i] for name, column in values.items() if column[i] is not ABSENT}
        | {"tag": tags[i]}
        for i in range(n)
    ]
    expected = build_reference(
        "m", {name: prepared(values[name], kinds[name]) for name in values}, {"tag": tags}, grid
    )
    # Of columns nobody knows what was left out; of rows it is known to be nothing.
    expected = replace(expected, layout=replace(expected.layout, left_out=()))
    settings = ReferenceSettings("m", grid=grid, segments=["tag"])
    mapping = Mapping({"features": "*", "tags.tag": "tag"})
    parts = [rows[start : start + 700] for start in range(0, n, 700)]
    built = reference_from_rows(parts, mapping, settings)
    assert built.reference.to_json() == expected.to_json()
    assert {f.name: f.distinct for f in built.features}["even"] == n


def test_columns_of_every_form_mean_what_their_rows_mean() -> None:
    n = 60
    places = np.arange(n)
    null, gone = places % 5 == 0, places % 7 == 0
    scores = np.where(places % 9 == 0, np.nan, np.where(places % 11 == 0, -np.inf, places / n))
    columns: dict[str, Column] = {
        "number": Numbers(places, null),
        "float": Numbers(scores),
        "when": Times(places * 86_400_000, null),
        "text": Coded(places % 3, ["a", ABSENT, None]),
        "struct": Struct(n, {"deep": Numbers(places / 3), "when": Times(places)}, gone),
        "list": coded([[1], None] * (n // 2)),
    }
    for out in (Numbers(scores, null), Times(places), columns["text"], columns["struct"]):
        table = Table(n, {**columns, "out": out})
        for fields in (
            {"features": "*", "prediction": "out"},
            {"features": "struct", "features.deep": "number", "prediction": "out"},
            {"features": "list", "prediction.score": "out", "tags.t": "struct.deep"},
            {"features.text": "text", "features.w": "struct.when", "model_version": "number"},
        ):
            mapping, settings = Mapping(dict(fields)), ReferenceSettings("m", grid=11)
            by_rows = outcome_of(reference_from_rows, [table.to_rows()], mapping, settings)
            by_table = outcome_of(reference_from_tables, lambda t=table: [t], mapping, settings)
            assert by_table == by_rows


@given(
    st.lists(st.floats(-10, 10) | st.integers(-3, 3).map(float), min_size=20, max_size=400),
    st.integers(1, 40),
    st.integers(11, 30),
)
def test_the_grid_by_scans_is_that_of_the_sorted_column(
    values: list[float], sample: int, limit: int
) -> None:
    column = np.array(values) + 0.0
    if np.unique(column).size <= limit:
        return
    search = grid_search(column[:sample], limit)
    for part in np.array_split(column, 3):
        search.count(part)
    for part in np.array_split(column[::-1], 4):
        search.keep(part)
    assert np.unique(search.values()).tolist() == choose_grid(np.sort(column), limit).tolist()


@given(
    st.lists(st.floats(-10, 10) | st.integers(-3, 3).map(float), min_size=1, max_size=400),
    st.integers(1, 20),
    st.integers(0, 50),
    st.randoms(),
)
def test_ranks_are_found_with_little_room(
    values: list[float], sample: int, room: int, random: Random
) -> None:
    """Values that would not have room are searched again, with more splitters, until they have."""
    column = np.array(values) + 0.0
    wanted = np.array([random.randrange(column.size) for _ in range(5)])
    search = RankSearch(np.unique(column[:sample]), lambda _: wanted, room)
    for part in np.array_split(column, 3):
        search.count(part)
    while not search.has_room:
        finer = search.refined([search.sampled(part)[:7] for part in np.array_split(column, 2)])
        search = finer
        search.count(column)
    for part in np.array_split(column[::-1], 4):
        search.keep(part)
    assert search.values().tolist() == np.sort(column)[wanted].tolist()
    assert sum(search.sampled(part).size for part in np.array_split(column, 2)) <= room


def test_an_input_is_read_five_times_at_most() -> None:
    rng = np.random.default_rng(3)
    truth = rng.normal(size=2_000)
    table = Table(
        2_000,
        {
            "x": Numbers(rng.normal(size=2_000)),
            "out": Numbers(truth + rng.normal(size=2_000)),
            "truth": Numbers(truth),
        },
    )
    reads = 0

    def scan() -> list[Table]:
        nonlocal reads
        reads += 1
        return [table.take(slice(0, 900)), table.take(slice(900, None))]

    mapping = Mapping({"features": "*", "prediction": "out", "actual": "truth"})
    built = reference_from_tables(scan, mapping, ReferenceSettings("m", grid=64))
    assert reads <= 5
    again = reference_from_rows([table.to_rows()], mapping, ReferenceSettings("m", grid=64))
    assert Reference.from_json(built.reference.to_json()).id == again.reference.id
    assert built.reference.outcome is not None
    assert built.reference.outcome["error_model"] is not None
