"""Features that are derived: read alike from records, tables and one by one, in any batch."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftline.consumer.sketch import compile as compiled_way
from driftline.consumer.sketch.decode import ModelSchema
from driftline.consumer.sketch.listed import Listed
from driftline.consumer.sketch.sampling import notes_of
from driftline.detectors.counts import Feature, Layout
from driftline.detectors.derivations import TextDerivation, VectorDerivation
from driftline.detectors.derivations.text import word_hashes
from driftline.producer.records.derived_values import raw_values
from driftline.producer.records.mapping import Constant, Mapping
from driftline.producer.records.table import ABSENT as NO_KEY
from driftline.producer.records.table import Numbers, Struct, Table, Vectors
from driftline.producer.records.text_form import TextForm

from .decode_cases import NO_GRID, NOW, decoder, encoded, plain
from .test_decode_laws import exact_only, mostly, objects
from .test_decode_table import assert_columns_mean_rows, can_be_sent

VECTOR = VectorDerivation.of("place", 4, np.array([[0, 0], [32, 0], [0, 48]], np.int16))
NOTE = TextDerivation.of("note", np.unique(word_hashes(["late payment of August"]).hashes))
# Of three centroids the last is no category, as where no event of a reference is near it; of the
# features of a text some are left out.
LAYOUT = Layout.of(
    [
        Feature("age", "numeric", np.array([20.0])),
        Feature("place.cluster", "categorical", NO_GRID, ("0", "1")),
        Feature("place.distance", "numeric", np.array([0.5])),
        Feature("note.length", "numeric", np.array([5.0])),
        Feature("note.unseen_words", "numeric", np.array([0.5])),
        Feature("note.digits", "numeric", np.array([0.5])),
    ],
    left_out=(),
    derived=(VECTOR, NOTE),
)
MODEL = ModelSchema("m", LAYOUT, {}, listed=Listed(LAYOUT))

NUMBER = st.floats(-5, 5) | st.integers(-3, 3) | st.sampled_from([2**70, 1e300])
NUMBERS = st.lists(mostly(NUMBER), min_size=1, max_size=3) | st.lists(
    NUMBER, min_size=2, max_size=2
)
PLACE = mostly(NUMBERS | NUMBERS.map(json.dumps) | st.sampled_from([None, "?", "[1, 2", "[1,NaN]"]))
WRITTEN = st.sampled_from(["late", "Late PAYMENT 7", "?", "", "語", "NaN", 3, 2.5, True, None])
FIELDS = objects(
    age=st.integers(0, 90), place=PLACE, note=mostly(WRITTEN), **{"place.cluster": st.just("0")}
)
CASES: dict[str, tuple[Mapping, st.SearchStrategy[dict[str, Any]]]] = {
    "native": (Mapping(), objects(features=FIELDS, inputs=FIELDS)),
    "marks": (Mapping(texts=TextForm(("?", "late"), coerce=True)), objects(features=FIELDS)),
    "flat": (Mapping({"features": "*"}), FIELDS),
    "named": (
        Mapping({"features": "x", "features.place": "y.place", "features.note": Constant("late")}),
        objects(x=FIELDS, y=mostly(FIELDS)),
    ),
}


@pytest.fixture(scope="module", autouse=True)
def small_chunks() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiled_way, "_CHUNK", 5)
        yield


@pytest.mark.parametrize("case", CASES)
@given(data=st.data())
@settings(max_examples=80, deadline=None)
def test_records_tables_and_single_events_agree(case: str, data: st.DataObject) -> None:
    mapping, values = CASES[case]
    rows = data.draw(st.lists(values.filter(can_be_sent), min_size=1, max_size=8))
    assert_columns_mean_rows(Table.of_rows(rows), mapping, MODEL)
    records = [encoded(row) for row in rows]
    whole, one, exact = (decoder(MODEL, mapping=mapping) for _ in range(3))
    exact_only(exact)
    expected = plain(exact, exact.decode(records, [NOW] * len(rows)))
    assert plain(whole, whole.decode(records, [NOW] * len(rows))) == expected
    for place, record in enumerate(records):
        alone = plain(one, one.decode([record], [NOW]))
        assert alone["rows"].get(0) == expected["rows"].get(place)


@pytest.mark.parametrize("null", [None, np.array([False, True, False])])
@pytest.mark.parametrize(
    "data",
    [
        np.array([[2.0, 0.5], [0.0, 0.0], [np.nan, 1.0]]),
        np.array([[2, 0], [-3, 7], [1, 1]]),
        np.array([[1.0], [2.0], [3.0]]),
    ],
)
def test_columns_of_arrays(data: Any, null: Any) -> None:
    """As a field of the rows, and of objects in them; of a prediction they are no score."""
    place = Vectors(data, null)
    age = Numbers(np.array([31, 32, 33]))
    assert_columns_mean_rows(Table(3, {"place": place, "age": age}), CASES["flat"][0], MODEL)
    inputs = Struct(3, {"place": place, "age": age})
    assert_columns_mean_rows(Table(3, {"features": inputs}), Mapping(), MODEL)
    outcome = Mapping({"prediction": "place", "features": "*"})
    assert_columns_mean_rows(Table(3, {"place": place, "age": age}), outcome, MODEL)
    tags = Mapping({"features": "*", "model_version": "place"})
    assert_columns_mean_rows(Table(3, {"place": place, "age": age}), tags, MODEL)


def read(features: dict[str, Any]) -> dict[str, Any]:
    """Features by name: a code or a number."""
    columns = (
        decoder(MODEL)
        .decode([encoded({"features": {"age": 1, **features}})], [NOW])
        .models["m"]
        .columns
    )
    values = [*columns.numeric[0].tolist(), *columns.codes[0].tolist()]
    return dict(zip([feature.name for feature in LAYOUT.features], values, strict=True))


MISSING, INVALID = (2 + 1, "nan"), (2 + 3, "-inf")  # of two categories, and of numbers


@pytest.mark.parametrize(
    ("place", "cluster", "distance"),
    [
        ([2, 0.5], 1, "0.5"),
        ("[2, 0.5]", 1, "0.5"),
        ([0, 3], 2, "0.0"),  # a centroid that the layout does not list
        ([1e300, 0], 1, str(32_767 / 16 - 2)),  # as far as steps go
        (None, *MISSING),
        ([], *INVALID),
        ([1], *INVALID),
        ([1, 2, 3], *INVALID),
        ([1, None], *INVALID),
        ([1, True], *INVALID),
        ([1, "2"], *INVALID),
        ([1, float("nan")], *INVALID),
        ([1, 10**400], *INVALID),
        ("[1, 2", *INVALID),
        ("1, 2", *INVALID),
        ("{}", *INVALID),
        (1.5, *INVALID),
        ({"x": 1, "y": 2}, *INVALID),
    ],
)
def test_vectors(place: Any, cluster: int, distance: str) -> None:
    found = read({"place": place})
    assert (found["place.cluster"], repr(found["place.distance"])) == (cluster, distance)


@pytest.mark.parametrize(
    ("note", "length", "unseen", "digits"),
    [
        ("Late payments: 12", "17.0", "0.5", repr(2 / 17)),
        ("", "0.0", "nan", "nan"),
        (12, "2.0", "nan", "1.0"),  # as a category would be written
        (True, "4.0", "1.0", "0.0"),
        (None, "nan", "nan", "nan"),
        ([], "-inf", "-inf", "-inf"),
        ({}, "-inf", "-inf", "-inf"),
    ],
)
def test_texts(note: Any, length: str, unseen: str, digits: str) -> None:
    found = read({"note": note})
    names = ("note.length", "note.unseen_words", "note.digits")
    assert tuple(repr(found[name]) for name in names) == (length, unseen, digits)


def test_without_the_field_nothing_is_derived() -> None:
    found = read({"place.cluster": "0", "place.distance": 3})
    assert [repr(found[name]) for name in ("place.cluster", "place.distance", "note.length")] == [
        "4", "inf", "inf",
    ]  # fmt: skip


def test_a_field_that_features_are_derived_of_is_not_new() -> None:
    features = {"age": 1, "note": "late", "place": "[1, 2]", "more": 1}
    decoded = decoder(MODEL).decode([encoded({"features": features})] * 3, [NOW] * 3)
    assert decoded.models["m"].new.count(np.arange(3)) == {"more": 3}


def test_nothing_of_any_kind_is_read_of_no_values() -> None:
    assert raw_values(VECTOR, []).shape == (2, 0)
    assert raw_values(NOTE, [NO_KEY]).tolist() == [[np.inf]] * 7


def test_what_is_odd_is_the_value_that_it_is_derived_of() -> None:
    event = {"age": 1, "place": [1], "note": {}}
    odd = np.array([LAYOUT.position["place.distance"], LAYOUT.position["note.length"]])
    notes = notes_of(Listed(LAYOUT), event, odd, 0)
    assert [(note.name, note.type) for note in notes] == [
        ("note.length", "an object"),
        ("place.distance", "an array of length 1"),
    ]
