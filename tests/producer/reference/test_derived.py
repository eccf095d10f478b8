"""References of what is derived: fitted on some events, counted in others."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from driftline.consumer.sketch.decode import Decoder, ModelSchema
from driftline.detectors.counts import count_columns
from driftline.detectors.derivations import TextDerivation, VectorDerivation
from driftline.detectors.reference import Reference, content_hash
from driftline.errors import ReferenceError  # noqa: A004 (the operator's word for it)
from driftline.producer.errors import InputError
from driftline.producer.records.mapping import Mapping
from driftline.producer.records.table import Table
from driftline.producer.reference import derived
from driftline.producer.reference.build import (
    BuiltReference,
    ReferenceSettings,
    reference_from_events,
    reference_from_tables,
)
from driftline.producer.reference.derive import Derive, FieldType
from driftline.producer.reference.events import events_of

MINUTE = 60_000
START = 1_600_020_000_000
WORDS = [f"word{chr(97 + i // 26)}{chr(97 + i % 26)}" for i in range(600)]
TYPES: dict[str, FieldType | Derive] = {"place": Derive("vector", centroids=5), "note": "text"}


def events(n: int, seed: int = 1, **more: Any) -> list[dict[str, Any]]:
    """Places around five points, and notes of rare and frequent words."""
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(0).normal(0, 4, (5, 3))
    places = centres[rng.choice(5, n, p=[0.4, 0.25, 0.2, 0.1, 0.05])] + rng.normal(0, 0.3, (n, 3))
    rank = np.minimum(rng.zipf(1.4, (n, 6)), len(WORDS)) - 1
    return [
        {
            "timestamp": START + i * MINUTE,
            "model": "m",
            "features": {
                "age": int(rng.integers(20, 60)),
                "place": places[i].tolist() if i % 50 else None,
                "note": " ".join(WORDS[r] for r in rank[i]),
                **more,
            },
            "tags": {"shop": "ab"[i % 2]},
        }
        for i in range(n)
    ]


def build(rows: list[dict[str, Any]], **settings: Any) -> BuiltReference:
    return reference_from_events(rows, ReferenceSettings("m", **{"types": TYPES, **settings}))


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    return events(3_000)


@pytest.fixture(scope="module")
def built(rows: list[dict[str, Any]]) -> BuiltReference:
    return build(rows, segments=["shop"])


def counts_of(reference: Reference, rows: list[dict[str, Any]]) -> Any:
    decoder = Decoder(Mapping(), [ModelSchema("m", reference.layout, {})], 0, 1 << 20)
    records = [json.dumps(row).encode() for row in rows]
    return count_columns(
        reference.layout, decoder.decode(records, [-1] * len(rows)).models["m"].columns
    )


def test_each_event_counts_in_what_it_was_not_fitted_on(
    built: BuiltReference, rows: list[dict[str, Any]]
) -> None:
    layout, own = built.reference.layout, built.reference.counts
    place, note = layout.derived[1], layout.derived[0]
    assert isinstance(place, VectorDerivation)
    assert isinstance(note, TextDerivation)
    held_out = derived.Fitted(place, np.uint64(2**63 - 1)).on(0, len(rows))
    assert held_out is not None
    assert 0.45 < held_out.mean() < 0.55
    kept = counts_of(
        built.reference, [row for row, out in zip(rows, held_out, strict=True) if not out]
    )
    for f, feature in enumerate(layout.features):
        block = slice(layout.starts[f], layout.starts[f + 1])
        if feature.name in layout.derivations:
            assert own[0, block].tolist() == kept[block].tolist(), feature.name
        else:
            assert own[0, block].sum() == len(rows)
    assert (own[1] + own[2]).tolist() == own[0].tolist()


def test_words_that_only_new_texts_have_are_normal(built: BuiltReference) -> None:
    """The share of unseen words is that of new events, not that of the texts that gave them."""
    layout = built.reference.layout
    fresh = counts_of(built.reference, events(3_000, seed=9))
    f = layout.position["note.unseen_words"]
    block = slice(layout.starts[f], layout.starts[f + 1] - 3)
    first = 2  # the first gap and the tie with no unseen word
    shares = [c[block][:first].sum() / c[block].sum() for c in (built.reference.counts[0], fresh)]
    assert shares[0] < 0.995
    assert abs(shares[0] - shares[1]) < 0.03


def test_the_same_events_give_the_same_bytes(
    built: BuiltReference, rows: list[dict[str, Any]]
) -> None:
    def scan() -> Iterator[Table]:
        for start in range(0, len(rows), 700):
            yield Table.of_rows(rows[start : start + 700], start)

    settings = ReferenceSettings("m", types=TYPES, segments=["shop"])
    again = reference_from_tables(scan, Mapping(), settings).reference
    assert again.to_json() == built.reference.to_json()
    read = Reference.from_json(again.to_json())
    assert (read.id, read.layout_id) == (again.id, again.layout_id)
    assert read.to_json() == again.to_json()


def test_no_text_stands_in_the_file(built: BuiltReference) -> None:
    assert WORDS[0].encode() not in built.reference.to_json()
    assert b'"note.unseen_words"' in built.reference.to_json()


def test_centroids_are_those_of_most_events_first(built: BuiltReference) -> None:
    place = built.reference.layout.derived[1]
    assert isinstance(place, VectorDerivation)
    assert place.centroids.shape == (5, 3)
    f = built.reference.layout.position["place.cluster"]
    shares = built.reference.layout.slots(built.reference.counts[0], f)[:5]
    assert [*shares] == sorted(shares, reverse=True)
    near = np.random.default_rng(0).normal(0, 4, (5, 3))
    found = place.derive(near)
    assert sorted(found[0].tolist()) == [0, 1, 2, 3, 4]
    assert found[1].max() < 0.2


def test_panes_are_counted_of_what_counts(built: BuiltReference) -> None:
    """phi is that of independent events, although half of them were fitted on."""
    found = built.reference.dispersion
    assert found is not None
    f = built.reference.layout.position["place.distance"]
    assert np.nanmax(found.phi[0, :, f]) < 3
    age = built.reference.layout.position["age"]
    assert found.events[f] < 0.6 * found.events[age]


def test_a_layout_is_taken_over(built: BuiltReference) -> None:
    """Of another version of the model all events count: it was not fitted on them."""
    rows = events(800, seed=4)
    version = build(rows, types={}, layout_of=built.reference)
    assert version.reference.layout_id == built.reference.layout_id
    assert version.reference.counts[0].tolist() == counts_of(built.reference, rows).tolist()


def test_little_memory_fits_on_fewer_events(
    monkeypatch: pytest.MonkeyPatch, rows: list[dict[str, Any]]
) -> None:
    monkeypatch.setattr(derived, "_MOST_EVENTS", 100)
    [few] = derived.fit_derived(_scan(rows), {"place": Derive("vector")})
    assert few.on(0, len(rows)).sum() == 100  # type: ignore[union-attr]  # it was fitted on these
    monkeypatch.setattr(derived, "_MOST_NUMBERS", 90)
    [few] = derived.fit_derived(_scan(rows), {"place": Derive("vector")})
    assert 30 <= few.on(0, len(rows)).sum() <= 31  # type: ignore[union-attr]  # three numbers each


def _scan(rows: list[dict[str, Any]]) -> Any:
    def scan() -> Iterator[Any]:
        for start in range(0, len(rows), 500):
            yield events_of(Table.of_rows(rows[start : start + 500]), Mapping(), "m")

    return scan


def test_features_may_be_left_out(rows: list[dict[str, Any]]) -> None:
    found = build(rows[:300], ignore=["note.*", "place.distance"])
    assert [*found.reference.layout.position] == ["age", "place.cluster"]
    assert counts_of(found.reference, rows[:300]).sum() == 600


@pytest.mark.parametrize(
    ("types", "more", "message"),
    [
        (
            {"palce": "vector"},
            {},
            "type of palce: the events have no such feature, did you mean place?",
        ),
        (
            {"age": "vector"},
            {},
            "type of age: no value is an array of numbers; correct its type or mapping",
        ),
        ({"place": "text"}, {}, "type of place: no value is a text; correct its type or mapping"),
        (
            {"place": "vector"},
            {"place.cluster": 1},
            "place.cluster is a field of the events, and what would be derived: rename or map it",
        ),
        (
            {"place": "vector", "place.cluster": "numeric"},
            {},
            "type of place.cluster: it is derived, so it is categorical",
        ),
        (
            {"age": "number"},
            {},
            "type of age: not number, use one of numeric, categorical, boolean, vector, text",
        ),
    ],
)
def test_mistakes(types: dict[str, Any], more: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as raised:
        build(events(60, **more), types=types)
    assert str(raised.value) == message


@pytest.mark.parametrize("wrong", [{"centroids": 1}, {"centroids": 201}, {"words": 0}])
def test_numbers_out_of_bounds(wrong: dict[str, int]) -> None:
    with pytest.raises(InputError, match=r"centroids are 2 to 200|words are 1 to 100,000"):
        Derive("vector", **wrong)


def test_vectors_of_several_lengths_and_none_finite() -> None:
    mixed = events(60)
    for row in mixed[:20]:
        row["features"]["place"] = [1.0]
    layout = build(mixed, types={"place": "vector"}).reference.layout
    assert isinstance(layout.derived[0], VectorDerivation)
    assert layout.derived[0].dimensions == 3
    for row in mixed:
        row["features"]["place"] = [float("inf")]
    with pytest.raises(InputError, match="place: no array of numbers is finite"):
        build(mixed, types={"place": "vector"})
    for row in mixed:
        row["features"]["place"] = [1.0] * 65_537
    with pytest.raises(InputError, match="place: 65,537 numbers, at most 65,536"):
        build(mixed, types={"place": "vector"})


def test_a_damaged_file_is_refused(built: BuiltReference) -> None:
    document = json.loads(built.reference.to_json())
    document["layout"]["derived"][0]["kind"] = "picture"
    del document["id"]
    data = json.dumps({"id": content_hash(document), **document}).encode()
    with pytest.raises(ReferenceError, match="lacks fields or has wrong ones"):
        Reference.from_json(data)
