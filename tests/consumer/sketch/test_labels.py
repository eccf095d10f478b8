"""Labels, good and bad, one by one: each is a label, a dead letter, or none of this model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from driftline.consumer.sketch.decode import Rejected
from driftline.consumer.sketch.event_ids import hash_ids
from driftline.consumer.sketch.labels import LabelReader, LabelRows
from driftline.producer.records.mapping import Mapping

from .decode_cases import MAX_AHEAD, MAX_BYTES, NOW, NOW_TEXT, encoded

CLASSES, ZERO_ONE, TRUTH = ("no", "yes"), ("0", "1"), ("false", "true")
REGRESSION: tuple[str, ...] = ()
DAY = 86_400_000


def reader(
    classes: tuple[str, ...] = CLASSES,
    mapping: Mapping | None = None,
    *,
    among_events: bool = False,
) -> LabelReader:
    return LabelReader({"m": classes}, mapping or Mapping(), among_events, MAX_AHEAD, MAX_BYTES)


def labels_of(
    labels: LabelReader, values: Sequence[bytes | None], times: Sequence[int], model: str = "m"
) -> tuple[LabelRows, list[Rejected]]:
    return labels.labels_of(model, labels.decode(values, times))


def fate(labels: LabelReader, value: bytes | None, written: int = NOW) -> Any:
    """Return (actual, time) of a label, the reason it is refused for, or None: it is no label."""
    rows, rejected = labels_of(labels, [value], [written])
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
        # A boolean where the classes are 0 and 1.
        (True, ZERO_ONE, 1),
        (False, ZERO_ONE, 0),
        ("False", ZERO_ONE, 0),
        ({"label": "TRUE"}, ZERO_ONE, 1),
        ("yes", ZERO_ONE, 1),
        ("N", TRUTH, 0),
        ("perhaps", ZERO_ONE, "unknown_class"),
        (True, ("0", "1", "2"), "unknown_class"),
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
        (0.5, ZERO_ONE, "unknown_class"),
        ({"label": "maybe", "score": 1}, ZERO_ONE, "unknown_class"),
        (float("nan"), ZERO_ONE, "unknown_class"),  # a text, as in a file
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
        rows, _ = labels_of(reader(), values, [NOW] * len(ids))
        assert rows.ids.tolist() == hash_ids(list(map(str, ids))).tolist()


def test_the_field_of_the_record_that_is_wrong_is_named() -> None:
    """As of events: where a mapping has the ground truth in another field."""
    mapping = Mapping({"event_id": "id", "actual": "loan.paid"})
    value = encoded({"id": "a", "loan": {"paid": "perhaps"}})
    found = []
    for classes in (CLASSES, REGRESSION):
        [bad] = labels_of(reader(classes, mapping), [value], [NOW])[1]
        found.append((bad.reason, bad.detail.partition(";")[0]))
    assert found == [
        ("unknown_class", "actual is a class that the reference does not have: field loan.paid"),
        ("schema", "actual is missing or of the wrong type: field loan.paid"),
    ]
