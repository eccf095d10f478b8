"""Fields that the reference does not list: counted exactly, however events are read and cut."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.consumer.sketch.decode import Decoder, ModelSchema
from driftline.consumer.sketch.listed import Listed
from driftline.detectors.counts import Feature, Layout
from driftline.producer.records.mapping import Mapping
from driftline.producer.records.table import Numbers, Table

LAYOUT = Layout.of(
    [
        Feature("x", "numeric", np.array([0.0, 1.0])),
        Feature("c", "categorical", np.empty(0), ("p", "q")),
    ],
    left_out=("trace_id", 'odd "name"'),
)
LISTED = Listed(LAYOUT, ignore=("debug_*",))
SCHEMA = ModelSchema("m", LAYOUT, {}, listed=LISTED)
NOW = 1_700_000_000_000
MAPPINGS = {
    "native": Mapping(),
    "every field": Mapping({"timestamp": "ts", "features": "*"}),
    "one object": Mapping({"timestamp": "ts", "features": "in.it"}),
}
VALUES = st.sampled_from([None, 1, -2.5, True, "text", "", [], [1], {}, {"a": 1}, 1 << 70, "NaN"])
NAMES = st.sampled_from(["x", "c", "trace_id", 'odd "name"', "debug_1", "new", "other", "é"])
EVENTS = st.lists(st.dictionaries(NAMES, VALUES), min_size=1, max_size=12)


def record(form: str, features: dict[str, Any]) -> dict[str, Any]:
    if form == "native":
        return {"timestamp": NOW, "features": features}
    return {"ts": NOW, **(features if form == "every field" else {"in": {"it": features}})}


def decoder(form: str) -> Decoder:
    return Decoder(MAPPINGS[form], [SCHEMA], 300_000, 262_144)


def counted(decode: Decoder, batches: list[list[bytes]]) -> Counter[str]:
    found: Counter[str] = Counter()
    for values in batches:
        rows = decode.decode(values, [-1] * len(values)).models.get("m")
        if rows is not None:
            found.update(rows.new.count(np.arange(len(rows.index))))
    return found


def expected(events: list[dict[str, Any]]) -> Counter[str]:
    known = {*LAYOUT.position, *(LAYOUT.left_out or ())}
    return Counter(
        name
        for event in events
        for name, value in event.items()
        if name not in known and not name.startswith("debug_")
        if isinstance(value, str | int | float) and value != "NaN"
    )


@pytest.mark.parametrize("form", MAPPINGS)
@given(events=EVENTS, size=st.integers(1, 12), text=st.booleans())
def test_new_fields_are_counted_in_whatever_way_events_are_read(
    form: str, events: list[dict[str, Any]], size: int, text: bool
) -> None:
    records = [record(form, event) for event in events]
    if text and form == "native":  # JSON in JSON is read exactly
        records = [each | {"features": json.dumps(each["features"])} for each in records]
    values = [*map(msgspec.json.encode, records)]
    cut = [values[at : at + size] for at in range(0, len(values), size)]
    assert counted(decoder(form), cut) == expected(events)
    rows = decoder(form).decode_table(Table.of_rows(records)).models["m"]
    assert rows.new.count(np.arange(len(events))) == expected(events)
    assert rows.new.count(np.arange(0)) == {}


def test_a_key_of_many_records_gets_a_place_and_changes_no_count() -> None:
    events = [{"x": 0.5, "c": "p", f"rare_{i}": 1, "often": i % 2 or None} for i in range(3_000)]
    values = [msgspec.json.encode(record("native", event)) for event in events]
    one = counted(decoder("native"), [values])
    assert one == counted(decoder("native"), [values[:7], values[7:2_500], values[2_500:]])
    assert one["often"] == 1_500
    assert len(one) == 3_001


def test_a_key_that_is_read_as_another_field_is_looked_at_too() -> None:
    mapping = Mapping({"timestamp": "in.ts", "features": "in"})
    values = [msgspec.json.encode({"in": {"ts": NOW, "x": 1, "new": 2}})]
    rows = Decoder(mapping, [SCHEMA], 300_000, 262_144).decode(values, [-1]).models["m"]
    assert rows.new.count(np.arange(1)) == {"ts": 1, "new": 1}


def test_a_name_that_is_no_text_is_no_event() -> None:
    value = b'{"timestamp": 1700000000000, "features": {"x": 1, "\xff": 2}}'
    decoded = decoder("native").decode([value], [-1])
    assert [bad.reason for bad in decoded.rejected] == ["malformed"]


def test_nobody_looks_where_the_reference_does_not_tell() -> None:
    layout = Layout(LAYOUT.features)
    listed = Listed(layout, fields=False)
    decode = Decoder(Mapping(), [ModelSchema("m", layout, {}, listed=listed)], 300_000, 262_144)
    values = [msgspec.json.encode(record("native", {"x": 1, "new": 2}))]
    assert counted(decode, [values]) == Counter()


def test_numbers_that_are_not_finite_are_no_new_field() -> None:
    rows = [{"timestamp": NOW, "features": {"x": 1, "new": v}} for v in (np.inf, np.nan, 2.5)]
    values = [
        b'{"timestamp": 1700000000000, "features": {"x": 1, "new": %s}}' % text
        for text in (b"1e400", b"NaN", b"2.5")
    ]
    assert counted(decoder("native"), [values]) == {"new": 1}
    read = decoder("native").decode_table(Table.of_rows(rows)).models["m"]
    assert read.new.count(np.arange(3)) == {"new": 1}
    columns = {"ts": Numbers(np.full(3, NOW)), "new": Numbers(np.array([np.inf, np.nan, 2.5]))}
    read = decoder("every field").decode_table(Table(3, columns)).models["m"]
    assert read.new.count(np.arange(3)) == {"new": 1}
