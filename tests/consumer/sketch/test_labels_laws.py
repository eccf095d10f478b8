"""What holds for any labels: two ways of reading agree, and batches may be cut anywhere."""

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
from driftline.consumer.sketch.labels import LabelReader
from driftline.detectors.grid import IntArray
from driftline.producer.records.mapping import Constant, Mapping

from .decode_cases import MAX_AHEAD, MAX_BYTES, NOW, NOW_TEXT, encoded
from .test_decode_laws import JUNK, ReadNothing, mostly, objects
from .test_labels import CLASSES, EVENT, REGRESSION, TRUTH, ZERO_ONE, labels_of, reader

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


def plain(
    labels: LabelReader, values: list[bytes | None], model: str = "m"
) -> tuple[list[Any], list[Any]]:
    rows, rejected = labels_of(labels, values, [NOW] * len(values), model)
    assert rows.refused == len(rejected)
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
    (decoder,) = exact._decoders.values()
    decoder._models["m"]._compiled = LeaveAll(2 if classes else 1)  # type: ignore[assignment]  # has the method that is used
    assert fast == plain(exact, values)
    one_by_one = reader(classes, mapping, among_events=among_events)
    for place, single in enumerate(values):
        rows, rejected = plain(one_by_one, [single])
        assert [row[1:] for row in rows] == [row[1:] for row in fast[0] if row[0] == place]
        assert [bad[1:] for bad in rejected] == [bad[1:] for bad in fast[1] if bad[0] == place]


@pytest.mark.parametrize("case", CASES)
@given(data=st.data())
@settings(max_examples=50, deadline=None)
def test_models_that_share_a_topic_read_it_as_each_would_alone(
    case: str, data: st.DataObject
) -> None:
    mapping, records = CASES[case]
    broken = st.sampled_from([None, b"", b"x", b'{"actual":', b"[]", b"\xff\xfe"])
    value = st.integers(0, 9).flatmap(lambda i: broken if i == 0 else records.map(encoded))
    values = data.draw(st.lists(value, max_size=12))
    kinds = st.sampled_from([CLASSES, CLASSES[::-1], ("maybe", "yes"), ZERO_ONE, TRUTH, REGRESSION])
    classes = data.draw(st.dictionaries(st.sampled_from(["m", "another", "third"]), kinds))
    among_events = data.draw(st.booleans())

    def of(*models: str) -> LabelReader:
        wanted = {name: classes[name] for name in models}
        return LabelReader(wanted, mapping, among_events, MAX_AHEAD, MAX_BYTES)

    shared = of(*classes)
    for name in classes:
        assert plain(shared, values, name) == plain(of(name), values, name)


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
    rows, rejected = labels_of(reader(), values, [NOW] * len(values))
    assert rows.actual.tolist() == [1, 0]
    assert [bad.reason for bad in rejected] == ["unknown_class"]
    events = [EVENT, {**EVENT, "actual": None}, {**EVENT, "actual": "yes"}]
    values = [encoded(event) for event in events]
    rows, rejected = labels_of(reader(among_events=True), values, [NOW] * 3)
    assert rows.index.tolist() == [2]
    assert rejected == []
