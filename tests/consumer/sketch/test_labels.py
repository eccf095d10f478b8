"""Labels, good and bad, one by one: each is a label, a dead letter, or none of this model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftline.consumer.sketch.batch import Batch
from driftline.consumer.sketch.decode import Decoder
from driftline.consumer.sketch.event_ids import hash_ids
from driftline.consumer.sketch.labels import LabelReader
from driftline.detectors.grid import IntArray
from driftline.producer.mapping import Constant, Mapping

from .decode_cases import MAX_AHEAD, MAX_BYTES, NOW, NOW_TEXT, encoded
from .test_decode_laws import JUNK, ReadNothing, mostly, objects

CLASSES, ZERO_ONE, TRUTH = ("no", "yes"), ("0", "1"), ("false", "true")
REGRESSION: tuple[str, ...] = ()
DAY = 86_400_000


def reader(
    classes: tuple[str, ...] = CLASSES,
    mapping: Mapping | None = None,
    *,
    among_events: bool = False,
) -> LabelReader:
    return LabelReader("m", classes, mapping or Mapping(), among_events, MAX_AHEAD, MAX_BYTES)


def fate(labels: LabelReader, value: bytes | None, written: int = NOW) -> Any:
    """Return (actual, time) of a label, the reason it is refused for, or None: it is no label."""
    rows, rejected = labels.read([value], [written])
    fates: list[Any] = list(zip(rows.actual.tolist(), rows.times.tolist(), strict=True))
    fates += [bad.reason for bad in rejected]
    return fates[0] if fates else None


def read(actual: object, classes: tuple[str, ...] = CLASSES, **fields: object) -> Any:
    """Return what the actual is read as, or the reason it is refused for."""
    found = fate(reader(classes), encoded({"event_id": "a", "actual": actual, **fields}))
    return found[0] if isinstance(found, tuple) else found


@pytest.mark.parametrize(
    ("actual", "classes", "expected"),
    [
        # A class: as text, or in an object.
        ("yes", CLASSES, 1),
        ("no", CLASSES, 0),
        ({"label": "yes"}, CLASSES, 1),
        ({"label": "yes", "score": 0.2}, CLASSES, 1),
        ({"label": "yes", "probabilities": {"yes": 1}, "by": ["x"]}, CLASSES, 1),
        # A bare number is a class's text.
        (1, ZERO_ONE, 1),
        (0.0, ZERO_ONE, 0),
        ("1", ZERO_ONE, 1),
        ({"score": 1}, ZERO_ONE, 1),
        ({"label": 1}, ZERO_ONE, 1),
        ({"label": None, "score": 1}, ZERO_ONE, 1),
        # A boolean.
        (True, TRUTH, 1),
        (False, TRUTH, 0),
        ("true", TRUTH, 1),
        (1, TRUTH, 1),
        ({"label": False}, TRUTH, 0),
        # A number.
        (2.5, REGRESSION, 2.5),
        (-3, REGRESSION, -3),
        ({"score": 1e300}, REGRESSION, 1e300),
        ({"score": 2, "label": "x"}, REGRESSION, 2),
        # Outside the classes.
        ("maybe", CLASSES, "unknown_class"),
        ("", CLASSES, "unknown_class"),
        ("YES", CLASSES, "unknown_class"),
        (1, CLASSES, "unknown_class"),
        (True, CLASSES, "unknown_class"),
        (True, ZERO_ONE, "unknown_class"),
        (0.5, ZERO_ONE, "unknown_class"),
        ({"label": "maybe", "score": 1}, ZERO_ONE, "unknown_class"),
        # Of the wrong type, or not there.
        ("maybe", TRUTH, "schema"),
        (2, TRUTH, "schema"),
        ("2.5", REGRESSION, "schema"),
        (True, REGRESSION, "schema"),
        ({"label": 2.5}, REGRESSION, "schema"),
        ([1], CLASSES, "schema"),
        ({"label": ["yes"]}, CLASSES, "schema"),
        ({"label": {"yes": 1}}, CLASSES, "schema"),
        (None, CLASSES, "schema"),
        ({}, CLASSES, "schema"),
        ({"label": None}, CLASSES, "schema"),
        ({"score": None, "label": None}, REGRESSION, "schema"),
        # Numbers that are not finite.
        (float("nan"), REGRESSION, "schema"),
        (float("inf"), REGRESSION, "schema"),
        ({"score": float("nan")}, REGRESSION, "schema"),
        (10**400, REGRESSION, "schema"),
        (float("nan"), ZERO_ONE, "schema"),
    ],
    ids=str,
)
def test_actual(actual: object, classes: tuple[str, ...], expected: object) -> None:
    assert read(actual, classes) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"prediction_id": "a", "target": "yes"}, 1),
        ({"event_id": "a", "ground_truth": "yes"}, 1),
        ({"event_id": "a", "label": "yes"}, 1),
        ({"event_id": "a", "actual": "no", "target": "yes"}, 0),
        ({"event_id": 7, "actual": "yes"}, 1),
        ({"event_id": "a", "actual": "yes", "model": "m"}, 1),
        ({"event_id": "a", "actual": "yes", "model": None}, 1),
        ({"event_id": "a", "actual": "yes", "model": "another"}, None),
        ({"event_id": "a", "actual": "maybe", "model": "another"}, None),
        ({"event_id": "a", "actual": "yes", "model": 7}, "schema"),
        ({"actual": "yes"}, "schema"),
        ({"event_id": None, "actual": "yes"}, "schema"),
        ({"event_id": ["a"], "actual": "yes"}, "schema"),
        ({"event_id": "a"}, "schema"),
        ({}, "schema"),
    ],
    ids=str,
)
def test_record(value: dict[str, object], expected: object) -> None:
    found = fate(reader(), encoded(value))
    assert (found[0] if isinstance(found, tuple) else found) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),  # a tombstone
        (b"", "malformed"),
        (b"yes", "malformed"),
        (b'["a"]', "malformed"),
        (b'{"event_id": "a", "actual": "\xff"}', "malformed"),
        (b'{"event_id": "a", "actual": "yes", "note": "' + b"x" * MAX_BYTES + b'"}', "too_large"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_bytes(value: bytes | None, expected: str | None) -> None:
    assert fate(reader(), value) == expected


@pytest.mark.parametrize(
    ("timestamp", "expected"),
    [
        (NOW_TEXT, NOW),
        (NOW, NOW),
        (None, NOW),  # the record's
        (NOW - 3_000 * DAY, NOW - 3_000 * DAY),  # before its prediction: it waits for that
        (NOW + MAX_AHEAD, NOW + MAX_AHEAD),
        (NOW + MAX_AHEAD + 1, "too_far_ahead"),
        (NOW + 3_000 * DAY, "too_far_ahead"),
        ("soon", "timestamp"),
        (0, "timestamp"),
        (["2026"], "timestamp"),
    ],
    ids=str,
)
def test_timestamp(timestamp: object, expected: object) -> None:
    found = fate(reader(), encoded({"event_id": "a", "actual": "yes", "timestamp": timestamp}))
    assert (found[1] if isinstance(found, tuple) else found) == expected


EVENT = {"event_id": "a", "features": {"x": 1}}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({**EVENT, "actual": "yes"}, 1),
        ({"features": {"x": 1}, "actual": "yes"}, 1),  # its own label: it needs no id
        ({"event_id": "a", "actual": "yes"}, 1),
        (EVENT, None),
        ({**EVENT, "actual": None}, None),
        ({**EVENT, "actual": {}}, None),
        ({**EVENT, "actual": {"label": None, "score": None}}, None),
        ({**EVENT, "actual": "maybe"}, "unknown_class"),
        ({**EVENT, "actual": ["yes"]}, "schema"),
        ({**EVENT, "actual": {"label": ["yes"]}}, "schema"),
        ({**EVENT, "actual": "yes", "model": "another"}, None),
        ({**EVENT, "actual": "yes", "timestamp": NOW + DAY}, "too_far_ahead"),
    ],
    ids=str,
)
def test_labels_among_events(value: dict[str, object], expected: object) -> None:
    found = fate(reader(among_events=True), encoded(value))
    assert (found[0] if isinstance(found, tuple) else found) == expected


@pytest.mark.parametrize("classes", [CLASSES, ZERO_ONE, REGRESSION], ids=str)
def test_a_mapped_column_that_is_null_until_it_is_known(classes: tuple[str, ...]) -> None:
    name = "actual.label" if classes else "actual.score"
    mapping = Mapping({"event_id": "id", name: "truth", "features": "*"})
    known = {CLASSES: "yes", ZERO_ONE: 1, REGRESSION: 1.0}[classes]
    events = reader(classes, mapping, among_events=True)
    assert fate(events, encoded({"id": 7, "km": 3, "truth": None})) is None
    assert fate(events, encoded({"id": 7, "km": 3})) is None
    assert fate(events, encoded({"id": 7, "km": 3, "truth": known})) == (1.0, NOW)
    assert fate(events, encoded({"id": 7, "km": 3, "truth": [known]})) == "schema"
    assert fate(reader(classes, mapping), encoded({"id": 7, "truth": None})) == "schema"


def test_ids_are_those_of_the_events() -> None:
    ids = ("a", 7, "7", "größer", 2**64 + 1, 2**64 + 2, -(2**63) - 1, 10**39)
    ordinary = [encoded({"event_id": one, "actual": "yes"}) for one in ids]
    # These are read the exact way.
    odd = [encoded({"event_id": one, "actual": "yes", "model": None, "target": []}) for one in ids]
    for values in (ordinary, odd):
        rows, _ = reader().read(values, [NOW] * len(ids))
        assert rows.ids.tolist() == hash_ids(list(map(str, ids))).tolist()


ACTUAL = mostly(
    st.sampled_from(["yes", "no", "maybe", "0", "1", "true", True, False, 0, 1, 0.5, None])
    | objects(
        label=mostly(st.sampled_from(["yes", "1", 1, True, None])),
        score=mostly(st.sampled_from([0, 1, 1.0, 0.3, None])),
    )
)
ID = mostly(st.sampled_from(["a", "b", 7, "", None]))
TIMESTAMP = mostly(st.sampled_from([NOW_TEXT, NOW, NOW + 10**9, None]))
MODEL = mostly(st.sampled_from(["m", "m", "another", None]))
NATIVE = objects(
    event_id=ID, prediction_id=ID, actual=ACTUAL, target=ACTUAL, label=ACTUAL, timestamp=TIMESTAMP,
    model=MODEL, features=objects(x=JUNK), prediction=JUNK,
)  # fmt: skip
PLAIN = st.fixed_dictionaries({"event_id": ID, "actual": ACTUAL})
NESTED = objects(key=ID, body=mostly(objects(truth=ACTUAL, at=TIMESTAMP, value=ACTUAL)))
CASES: dict[str, tuple[Mapping, st.SearchStrategy[dict[str, Any]]]] = {
    "native": (Mapping(), PLAIN | NATIVE),
    "nested": (
        Mapping({"event_id": "key", "actual": "body.truth", "timestamp": "body.at"}),
        NESTED,
    ),
    "parts": (
        Mapping({"event_id": "key", "actual.label": "body.truth", "actual.score": "body.value"}),
        NESTED,
    ),
    "flat": (
        Mapping({"event_id": "key", "actual": "t", "features": "*"}),
        objects(key=ID, t=ACTUAL, x=JUNK),
    ),
    "constant model": (
        Mapping({"event_id": "key", "actual": "body.truth", "model": Constant("m")}),
        NESTED,
    ),
}


class LeaveAll(ReadNothing):
    """Leaves every value to the exact way, and has the column of ids that labels have."""

    def read(self, places: IntArray, values: Sequence[bytes]) -> tuple[Batch, list[int]]:
        batch, left = super().read(places, values)
        return replace(batch, raw={**batch.raw, "event_id": []}), left


def plain(labels: LabelReader, values: list[bytes | None]) -> tuple[list[Any], list[Any]]:
    rows, rejected = labels.read(values, [NOW] * len(values))
    columns = (rows.index, rows.times, rows.ids, rows.actual)
    assert (np.diff(rows.index) > 0).all()
    return (
        list(zip(*(column.tolist() for column in columns), strict=True)),
        [(bad.index, bad.reason, bad.detail) for bad in rejected],
    )


@pytest.mark.parametrize("case", CASES)
@given(data=st.data())
@settings(max_examples=50, deadline=None)
def test_the_compiled_way_reads_labels_as_the_exact_one_does(
    case: str, data: st.DataObject
) -> None:
    mapping, records = CASES[case]
    broken = st.sampled_from([None, b"", b"x", b'{"actual":', b"[]", b"\xff\xfe"])
    value = st.integers(0, 9).flatmap(lambda i: broken if i == 0 else records.map(encoded))
    values = data.draw(st.lists(value, max_size=8))
    classes = data.draw(st.sampled_from([CLASSES, ZERO_ONE, TRUTH, REGRESSION]))
    among_events = data.draw(st.booleans())
    fast = plain(reader(classes, mapping, among_events=among_events), values)
    exact = reader(classes, mapping, among_events=among_events)
    exact._decoder._models["m"]._compiled = LeaveAll(2 if classes else 1)  # type: ignore[assignment]  # has the method that is used
    assert fast == plain(exact, values)
    one_by_one = reader(classes, mapping, among_events=among_events)
    for place, single in enumerate(values):
        rows, rejected = plain(one_by_one, [single])
        assert [row[1:] for row in rows] == [row[1:] for row in fast[0] if row[0] == place]
        assert [bad[1:] for bad in rejected] == [bad[1:] for bad in fast[1] if bad[0] == place]


def test_ordinary_labels_do_not_take_the_exact_way(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise AssertionError("an ordinary label was read the exact way")

    monkeypatch.setattr(Decoder, "_read_exactly", fail)
    labels = [
        {"event_id": "a", "timestamp": NOW_TEXT, "model": "m", "actual": {"label": "yes"}},
        {"event_id": "b", "timestamp": NOW, "actual": "no"},
        {"event_id": 7, "actual": "maybe"},
        {"event_id": "c", "actual": "yes", "model": "another"},
    ]
    values = [encoded(label) for label in labels]
    rows, rejected = reader().read(values, [NOW] * len(values))
    assert rows.actual.tolist() == [1, 0]
    assert [bad.reason for bad in rejected] == ["unknown_class"]
    events = [EVENT, {**EVENT, "actual": None}, {**EVENT, "actual": "yes"}]
    rows, rejected = reader(among_events=True).read([encoded(event) for event in events], [NOW] * 3)
    assert rows.index.tolist() == [2]
    assert rejected == []
