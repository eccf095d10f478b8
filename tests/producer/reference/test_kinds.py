"""Records of several kinds in one input are told, optional fields are not."""

from __future__ import annotations

from typing import Any

import pytest

from driftline.producer.records.mapping import parse_path
from driftline.producer.reference.guess import guess_mapping
from driftline.producer.reference.kinds import kinds_of

CLICK: dict[str, Any] = {"id": 1, "data": {"page": "home", "x": 3}}
SALE: dict[str, Any] = {"id": 2, "data": {"sku": "a", "price": 9.5}, "coupon": "no"}
PING: dict[str, Any] = {"id": 3, "host": "h1"}


def kinds(*of: dict[str, Any], name: str = "type") -> list[dict[str, Any]]:
    return [{**each, name: f"k{at}"} for _ in range(30) for at, each in enumerate(of)]


def test_kinds_are_told_by_the_field_that_names_them() -> None:
    found = kinds_of(kinds(CLICK, SALE, PING))

    assert found is not None
    assert found.field == "type"
    assert found.own == {
        ("k0",): ["data.page", "data.x"],
        ("k1",): ["data.sku", "data.price", "coupon"],
        ("k2",): ["host"],
    }


def test_values_of_one_shape_are_one_kind() -> None:
    found = kinds_of(kinds(CLICK, SALE, CLICK))

    assert found is not None
    assert list(found.own) == [("k0", "k2"), ("k1",)]


@pytest.mark.parametrize(
    "records",
    [
        kinds(SALE, {"id": 7, "data": {"sku": "b", "price": 1.0}}),  # one lacks a field
        kinds(SALE, SALE),
        [{**(CLICK if i % 3 else SALE), "id": i} for i in range(60)],  # no field tells
        [{"type": f"k{i % 2}", **({"a": 1} if i % 3 else {"b": 1})} for i in range(60)],
        [{**(CLICK if i % 2 else PING), "id": 1, "type": f"k{i}"} for i in range(60)],  # each new
        [],
    ],
)
def test_what_makes_no_kinds(records: list[dict[str, Any]]) -> None:
    assert kinds_of(records) is None


@pytest.mark.parametrize("count", [300, 601, 1_795, 3_001])
def test_kinds_in_turn_are_met_whatever_the_number_of_records(count: int) -> None:
    records = (kinds(CLICK, SALE, PING, SALE) * (count // 120 + 1))[:count]
    found = kinds_of(records)

    assert found is not None
    assert {frozenset(names) for names in found.own} == {
        frozenset(names) for names in (["k0"], ["k1", "k3"], ["k2"])
    }


def test_a_few_hundred_records_are_looked_at_however_many_there_are() -> None:
    opened: list[int] = []

    class Opened(list[dict[str, Any]]):
        def __getitem__(self, at: Any) -> Any:
            opened.append(at)
            return super().__getitem__(at)

    assert kinds_of(Opened(kinds(CLICK, SALE) * 100)) is not None
    assert len({*opened}) == 300
    assert max(opened) >= 5_900


def test_the_field_that_tells_kinds_is_named_as_mappings_name_it() -> None:
    found = kinds_of(kinds(CLICK, SALE, name="meta.type"))

    assert found is not None
    assert parse_path(found.field) == ("meta.type",)
    assert r"map `model` to meta\.type and" in found.advice


def test_a_guess_says_so() -> None:
    rows = kinds(CLICK, PING, name="event")
    told = guess_mapping(["id", "data", "host", "event"], rows).said

    assert (
        "records of 2 kinds, told by event: k0 (data.page, data.x); k1 (host); they are judged as"
        " one, so give one kind alone, or map `model` to event and have a model of each"
    ) in told


def test_labels_among_the_events_are_no_mixture() -> None:
    scored = {"id": 1, "age": 31, "score": 0.5}
    told = guess_mapping(
        ["id", "age", "score", "actual", "type"], kinds(scored, {"id": 1, "actual": 1})
    ).said

    assert "actual: column actual" in told
    assert not any("kinds" in sentence for sentence in told)


def test_events_of_several_models_are_no_mixture() -> None:
    rows: list[dict[str, Any]] = [
        {"model": name, "features": {field: 1.5}} for name, field in (("a", "x"), ("b", "y"))
    ]
    native = guess_mapping(["model", "features"], rows * 9).said
    nameless = [{"features": row["features"]} for row in rows]
    told = guess_mapping(["kind", "features"], kinds(*nameless, name="kind")).said

    assert not any("kinds" in sentence for sentence in native)
    assert any("told by kind: k0 (features.x); k1 (features.y)" in sentence for sentence in told)
