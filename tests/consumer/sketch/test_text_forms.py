"""Texts that stand for no value, and numbers that are written as text."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftline.consumer.sketch.decode import Decoder, ModelSchema
from driftline.consumer.sketch.labels import LabelReader
from driftline.detectors.counts import Feature, Layout, count_columns
from driftline.producer.errors import InputError, MappingError
from driftline.producer.records.mapping import Mapping
from driftline.producer.records.table import Numbers, Table
from driftline.producer.records.text_form import TextForm
from driftline.producer.reference.answers import GatheredAnswers
from driftline.producer.reference.build import ReferenceSettings, reference_from_rows
from driftline.producer.reference.events import events_of

from .decode_cases import MAX_AHEAD, MAX_BYTES, NOW, decoder, encoded, only, plain
from .test_decode_laws import ALL_TEXT
from .test_decode_table import can_be_sent, is_finite

COERCED = Mapping(texts=TextForm(coerce=True))
UNSEEN, MISSING = 3, 4  # codes of a feature with three categories
SCORED = ModelSchema(
    "price", Layout.of([Feature("prediction.score", "numeric", np.array([10.0]))]), {}
)


def value_of(feature: str, value: object, texts: TextForm) -> float:
    """What one value of a feature of the churn model is read as, by rows and by columns."""
    mapping = Mapping(texts=texts)
    event = {"features": {feature: value}}
    found = only(encoded(event), mapping=mapping)[2][feature]
    reader = decoder(mapping=mapping)
    table = Table.of_rows([event | {"timestamp": NOW}])
    ((_, _, numeric, codes, _, _),) = plain(reader, reader.decode_table(table))["rows"].values()
    names = ["age", "amount", "prediction.score", "plan", "prediction.label", "vip"]
    by_column = dict(zip(names, [*map(float, numeric), *codes], strict=True))[feature]
    assert repr(float(by_column)) == repr(float(found))
    return float(found)


@pytest.mark.parametrize("text", ["NA", "n/a", "", "null", "?", "nan", "-", "None", " na "])
def test_what_stands_for_no_number_where_texts_are_numbers(text: str) -> None:
    assert math.isnan(value_of("age", text, TextForm(coerce=True)))
    assert value_of("age", text, TextForm()) == -math.inf


@pytest.mark.parametrize(
    ("text", "number"),
    [("31", 31), ("-1.5e3", -1500), (" 2 ", 2), ("+1", 1), (".5", 0.5), ("0", 0)],
)
def test_texts_that_are_numbers(text: str, number: float) -> None:
    assert value_of("age", text, TextForm(coerce=True)) == number


@pytest.mark.parametrize(
    "text", ["old", "007", "1_0", "1234567890123456789", "1e400", "Infinity", "NaN", "1,5", "true"]
)
def test_texts_that_are_no_numbers(text: str) -> None:
    assert value_of("age", text, TextForm(coerce=True)) == -math.inf


@pytest.mark.parametrize("value", [None, 31, 2.5, True, [], {}])
@pytest.mark.parametrize("feature", ["age", "plan", "vip"])
def test_what_is_no_text_is_read_as_ever(feature: str, value: object) -> None:
    texts = TextForm(("31", "?"), coerce=True)
    assert repr(value_of(feature, value, texts)) == repr(value_of(feature, value, TextForm()))


def test_marks_that_the_configuration_names() -> None:
    texts = TextForm(("unknown", "free", "-999", "no"))
    assert math.isnan(value_of("age", "unknown", texts))
    assert math.isnan(value_of("age", "-999", texts))
    assert value_of("age", -999, texts) == -999  # no text
    assert value_of("age", "31", texts) == -math.inf
    assert value_of("plan", "unknown", texts) == MISSING
    assert value_of("plan", "Unknown", texts) == UNSEEN
    assert value_of("plan", "free", texts) == 1  # the reference lists it
    assert value_of("plan", "NA", TextForm(coerce=True)) == UNSEEN
    assert value_of("vip", "no", texts) == 3
    assert value_of("vip", "yes", texts) == 1


def test_a_mark_that_is_a_number_wins_over_the_number() -> None:
    texts = TextForm(("-999",), coerce=True)
    assert math.isnan(value_of("age", "-999", texts))
    assert value_of("age", "-998", texts) == -998
    assert value_of("age", -999, texts) == -999


@pytest.mark.parametrize(
    ("text", "code"), [("1", 1), ("1.0", 1), ("0", 0), ("2", 5), ("NA", 3), ("old", 5)]
)
def test_booleans_where_texts_are_numbers(text: str, code: int) -> None:
    """Codes behind those of false and true: unseen, missing, absent, invalid."""
    assert value_of("vip", text, TextForm(coerce=True)) == code


def test_numbers_that_are_not_finite_are_read_as_their_texts() -> None:
    table = Table(2, {"age": Numbers(np.array([np.nan, np.inf])), "t": Numbers(np.full(2, NOW))})
    fields: Any = {"features": "*", "timestamp": "t"}
    reader = decoder(mapping=Mapping(fields, texts=TextForm(("NaN",))))
    ages = reader.decode_table(table).models["churn"].columns.numeric[:, 0]
    assert math.isnan(ages[0])
    assert ages[1] == -math.inf


@pytest.mark.parametrize(
    ("value", "score"),
    [("0.93", 0.93), ({"score": "2"}, 2), (0.5, 0.5), ("ok", math.inf), (True, math.inf)],
)
def test_a_bare_text_that_is_a_number_is_the_score(value: object, score: float) -> None:
    event = {"prediction": value, "timestamp": NOW}
    assert only(encoded(event), SCORED, mapping=COERCED)[2] == {"prediction.score": score}
    rows = Decoder(COERCED, [SCORED], MAX_AHEAD, MAX_BYTES).decode_table(Table.of_rows([event]))
    assert rows.models["price"].columns.numeric.tolist() == [[score]]


def test_a_bare_text_is_a_class_where_classes_are_numbers() -> None:
    found = only(encoded({"prediction": "1"}), mapping=COERCED)[2]
    assert (found["prediction.label"], found["prediction.score"]) == (1, math.inf)


def test_labels_that_are_numbers_as_text() -> None:
    values = [encoded({"event_id": "a", "actual": text}) for text in ("12.5", "?", "much")]
    reader = LabelReader({"sales": ()}, COERCED, False, MAX_AHEAD, MAX_BYTES)
    rows, rejected = reader.labels_of("sales", reader.decode(values, [NOW] * 3))
    assert rows.actual.tolist() == [12.5]
    assert [bad.index for bad in rejected] == [1, 2]


def test_a_label_that_is_a_number_as_text_is_refused_with_the_key_to_set() -> None:
    values = [encoded({"event_id": "a", "actual": actual}) for actual in ("12.5", None, 3)]
    values.append(encoded({"event_id": "a", "actual": {"score": "12.5"}}))
    reader = LabelReader({"sales": ()}, Mapping(), False, MAX_AHEAD, MAX_BYTES)
    _, rejected = reader.labels_of("sales", reader.decode(values, [NOW] * 4))
    reasons = {bad.index: bad.detail for bad in rejected}
    assert reasons[3] == (
        "actual is missing or of the wrong type; if it is a number written as text, set coerce: "
        "true of its source"
    )
    assert "coerce" not in reasons[1]


def test_events_of_text_alone_do_not_take_the_exact_way(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise AssertionError("an event was read the exact way")

    monkeypatch.setattr(Decoder, "_read_exactly", fail)
    texts = {"age": "31", "amount": "NA", "plan": "unknown", "vip": "true"}
    numbers = {"age": 31, "amount": None, "plan": "free", "vip": False}
    mapping = Mapping(texts=TextForm(("unknown",), coerce=True))
    values = [json.dumps({"features": each}).encode() for each in (texts, numbers)]
    columns = decoder(mapping=mapping).decode(values, [NOW, NOW]).models["churn"].columns
    assert [row[:2] for row in map(str, columns.numeric[:, 0].tolist())] == ["31", "31"]
    assert columns.codes[:, 0].tolist() == [MISSING, 1]


def is_json(row: dict[str, Any]) -> bool:
    """Return whether JSON can hold a row: it has no infinity, which tables write as a text."""
    return can_be_sent(row) and is_finite(row)


@given(rows=st.lists(ALL_TEXT.filter(is_json), min_size=1, max_size=12))
@pytest.mark.parametrize("texts", [TextForm(("?", "unknown", "1")), TextForm(("?",), True)])
@settings(max_examples=60, deadline=None)
def test_a_reference_counts_what_the_monitor_counts(
    rows: list[dict[str, Any]], texts: TextForm
) -> None:
    """Built with the marks, a reference has the counts of its own events."""
    mapping = Mapping(texts=texts)
    events = [
        {"features": row["features"], "timestamp": NOW}
        for row in rows
        if isinstance(row.get("features"), dict)
    ]
    try:
        reference = reference_from_rows([events], mapping, ReferenceSettings("m")).reference
    except InputError:  # no value of use
        return
    reader = Decoder(mapping, [ModelSchema("m", reference.layout, {})], MAX_AHEAD, MAX_BYTES)
    decoded = reader.decode([encoded(event) for event in events], [NOW] * len(events))
    counts = count_columns(reference.layout, decoded.models["m"].columns)
    assert counts.tolist() == reference.counts[0].tolist()


def test_a_reference_lists_no_marks() -> None:
    rows = [{"fuel": fuel, "km": km} for fuel, km in zip("ab?a", ["1", "2.5", "?", 4], strict=True)]
    mapping = Mapping({"features": "*"}, texts=TextForm(("?",), coerce=True))
    built = reference_from_rows([rows], mapping, ReferenceSettings("cars"))
    km, fuel = built.reference.layout.features
    assert (km.type, km.grid.tolist()) == ("numeric", [1.0, 2.5, 4.0])
    assert fuel.categories == ("a", "b")
    assert [each.missing for each in built.features] == [0.25, 0.25]


def test_a_number_lists_a_category_though_its_text_is_a_mark() -> None:
    """The text then is that category: to the reference, in whatever chunk, as to the monitor."""
    mapping = Mapping(texts=TextForm(("1", "?")))
    chunks = [
        [{"features": {"plan": plan}, "prediction": {"label": plan}, "tags": {"site": plan}}]
        for plan in ("1", "a", "?", 1)
    ]
    settings = ReferenceSettings("m", segments=("site",))
    reference = reference_from_rows(chunks, mapping, settings).reference
    plan = reference.layout.features[0]
    assert (plan.name, plan.categories) == ("plan", ("1", "a"))
    assert reference.counts[0][:6].tolist() == [2, 1, 0, 1, 0, 0]
    assert reference.segments == {"site": ("1", "a")}
    assert reference.counted.events.tolist() == [4, 2, 1, 1]
    schema = ModelSchema("m", reference.layout, reference.segments)
    reader = Decoder(mapping, [schema], MAX_AHEAD, MAX_BYTES)
    values = [encoded(event | {"timestamp": NOW}) for (event,) in chunks]
    rows = reader.decode(values, [NOW] * len(values)).models["m"]
    assert count_columns(reference.layout, rows.columns).tolist() == reference.counts[0].tolist()


def test_classes_that_numbers_list_though_their_texts_are_marks() -> None:
    mapping = Mapping(texts=TextForm(("1", "?", "no")))
    rows = [
        {"prediction": {"label": said}, "actual": {"label": actual}}
        for said, actual in [(1, "1"), (0, "0"), ("1", "?"), ("?", 0), (0, "no")]
    ]
    found = GatheredAnswers()
    for row in rows:
        found.add(events_of(Table.of_rows([row]), mapping, ""))
    joined = found.joined()
    for labels, expected in (
        (joined.predicted, ["1", "0", "1", None, "0"]),
        (joined.actual, ["1", "0", None, "0", None]),
    ):
        assert [labels.names[code] if code >= 0 else None for code in labels.codes] == expected
    reader = LabelReader({"m": ("0", "1")}, mapping, True, MAX_AHEAD, MAX_BYTES)
    values = [
        encoded({"event_id": str(i), "actual": row["actual"], "timestamp": NOW})
        for i, row in enumerate(rows)
    ]
    read, rejected = reader.labels_of("m", reader.decode(values, [NOW] * len(values)))
    assert (read.index.tolist(), read.actual.tolist(), rejected) == ([0, 1, 3], [1, 0, 0], [])


def test_a_mark_that_is_a_value_of_booleans_is_refused() -> None:
    with pytest.raises(MappingError, match="missing: true is a value of booleans; leave it out"):
        TextForm(("NA", "true"))
