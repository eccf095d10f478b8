from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from driftline.detectors import (
    OTHER,
    DriftlineError,
    FeatureColumn,
    Reference,
    ReferenceError,  # noqa: A004 - the operator's word for it
    build_reference,
    count_columns,
    encode,
)
from driftline.detectors.reference import content_hash

rng = np.random.default_rng(5)
N = 3_000
AMOUNT = rng.lognormal(size=N)
AMOUNT[:30] = np.nan
COUNTRY = [str(x) if i % 50 else None for i, x in enumerate(rng.choice(["at", "ch", "de"], N))]
CHANNEL: list[str | None] = [f"c{int(x)}" for x in np.minimum(rng.exponential(6.0, N), 29)]
CHANNEL[:7] = [None] * 7
FEATURES = {
    "country": FeatureColumn("categorical", COUNTRY),
    "amount": FeatureColumn("numeric", AMOUNT),
    "new": FeatureColumn("boolean", ["true" if x else "false" for x in rng.random(N) < 0.2]),
}


@pytest.fixture(scope="module")
def reference() -> Reference:
    return build_reference(
        "fraud", FEATURES, {"channel": CHANNEL}, grid=200, positive_label="1", outcome={"n": 3}
    )


def test_same_content_gives_same_bytes_in_any_order_of_events(reference: Reference) -> None:
    order = rng.permutation(N)
    shuffled = {
        "new": FeatureColumn("boolean", [FEATURES["new"].values[i] for i in order]),
        "country": FeatureColumn("categorical", [COUNTRY[i] for i in order]),
        "amount": FeatureColumn("numeric", AMOUNT[order]),
    }
    again = build_reference(
        "fraud", shuffled, {"channel": [CHANNEL[i] for i in order]}, 200, "1", {"n": 3}
    )
    assert again.to_json() == reference.to_json()


def test_the_layout_has_an_id_that_the_baseline_does_not_change(reference: Reference) -> None:
    counted = replace(reference.counted, counts=reference.counts * 2)
    other = replace(reference, counted=counted, outcome={"n": 4})
    assert (other.layout_id, other.id == reference.id) == (reference.layout_id, False)
    assert json.loads(reference.to_json())["layout"]["id"] == reference.layout_id
    renamed = build_reference("fraud", {**FEATURES, "more": FEATURES["amount"]}, grid=200)
    assert renamed.layout_id != reference.layout_id


def test_a_file_of_the_first_schema_keeps_its_id_and_its_bytes() -> None:
    content = (Path(__file__).parents[1] / "data/reference_0_1_0.json").read_bytes()
    before = Reference.from_json(content)
    assert before.id == json.loads(content)["id"]
    assert before.to_json() == content


def test_values_that_many_share_are_ties_of_the_layout() -> None:
    values = np.array([0.1] * 50 + [0.1 + 0.2] * 20 + [0.3] * 20 + list(np.linspace(1, 2, 200)))
    reference = build_reference("m", {"x": FeatureColumn("numeric", values)})
    feature = reference.layout.features[0]
    assert feature.grid[feature.ties].tolist() == [0.1, 0.3]
    singles = {"x": FeatureColumn("numeric", values.astype(np.float32).astype(np.float64))}
    counted = count_columns(reference.layout, encode(reference.layout, singles))
    assert counted[1:4:2].tolist() == reference.counts[0][1:4:2].tolist() == [50, 40]


def test_restore_equals(reference: Reference) -> None:
    restored = Reference.from_json(reference.to_json())
    assert restored.to_json() == reference.to_json()
    assert np.array_equal(restored.counts, reference.counts)
    assert restored.streams == reference.streams
    assert restored.segments == reference.segments
    assert (restored.model, restored.events) == ("fraud", N)
    assert (restored.positive_label, restored.outcome) == ("1", {"n": 3})
    for before, after in zip(reference.layout.features, restored.layout.features, strict=True):
        assert np.array_equal(before.grid, after.grid)
        assert (before.name, before.type, before.ks_error) == (
            after.name,
            after.type,
            after.ks_error,
        )


def test_id_is_the_hash_of_the_content(reference: Reference) -> None:
    document = json.loads(reference.to_json())
    assert len(document["id"]) == 16
    stated = document.pop("id")
    assert stated == content_hash(document) == reference.id
    other = build_reference("fraud", FEATURES, grid=200)
    assert other.id != reference.id


def test_stream_is_counted_by_the_same_code(reference: Reference) -> None:
    counted = count_columns(reference.layout, encode(reference.layout, FEATURES))
    assert np.array_equal(counted, reference.counts[0])


def test_segments_list_the_most_frequent_values_and_the_rest(reference: Reference) -> None:
    listed = reference.segments["channel"]
    frequency = Counter(value for value in CHANNEL if value is not None)
    wanted = sorted(frequency, key=lambda value: (-frequency[value], value))[:20]
    assert list(listed) == wanted
    assert reference.streams == (None, *(f"channel={v}" for v in wanted), f"channel={OTHER}")
    assert np.array_equal(reference.counts[1:].sum(axis=0), reference.counts[0])
    assert reference.stream_events[0] == reference.stream_events[1:].sum() == N
    assert reference.stream_events[1] == frequency[wanted[0]]
    assert reference.position[f"channel={OTHER}"] == 21


def test_ks_error_is_the_largest_share_in_a_gap(reference: Reference) -> None:
    f = reference.layout.position["amount"]
    slots = reference.layout.slots(reference.counts[0], f)
    assert reference.layout.features[f].ks_error == slots[::2].max() / slots.sum() > 0
    exact = build_reference("fraud", FEATURES, grid=None).layout.features[f]
    assert exact.ks_error == 0.0
    assert exact.grid.size == N - 30


def test_categories_beyond_two_hundred_share_the_unseen_slot() -> None:
    texts = [f"{i:03}" for i in range(300) for _ in range(100 if i < 150 else 1)] + [None]
    column = FeatureColumn("categorical", texts)
    reference = build_reference("m", {"id": column})
    categories = reference.layout.features[0].categories
    # Listed by one half of the events, counted in the other.
    assert len(categories) == 200
    assert categories[:150] == tuple(f"{i:03}" for i in range(150))
    assert reference.counts[0][150:200].max() == 0
    assert 0 < reference.counts[0][200] < 100
    assert reference.counts[0][201:].tolist() == [1, 0, 0]


def test_absent_and_invalid_texts_have_their_cells() -> None:
    column = FeatureColumn(
        "categorical",
        ["a", "junk", "b", "gone", None],
        absent=np.array([False, False, False, True, False]),
        invalid=np.array([False, True, False, False, False]),
    )
    reference = build_reference("m", {"x": column})
    assert reference.layout.features[0].categories == ("a", "b")
    assert reference.counts[0].tolist() == [1, 1, 0, 1, 1, 1]


def test_feature_without_a_column_is_absent(reference: Reference) -> None:
    flat = count_columns(reference.layout, encode(reference.layout, {"amount": FEATURES["amount"]}))
    for name in ("country", "new"):
        f = reference.layout.position[name]
        block = flat[reference.layout.starts[f] : reference.layout.starts[f + 1]]
        assert block[-2] == block.sum() == N


def test_column_of_another_type_is_refused(reference: Reference) -> None:
    with pytest.raises(ValueError, match="amount is categorical, but numeric in the reference"):
        encode(reference.layout, {"amount": FeatureColumn("categorical", ["1"])})


def test_negative_zero_and_zero_are_one_grid_value() -> None:
    column = FeatureColumn("numeric", np.array([-0.0, 0.0, 1.0]))
    reference = build_reference("m", {"x": column})
    assert str(reference.layout.features[0].grid.tolist()) == "[0.0, 1.0]"


@pytest.mark.parametrize(
    ("features", "grid", "message"),
    [
        ({}, 1024, "no feature"),
        ({"x": FeatureColumn("numeric", np.empty(0))}, 1024, "no events"),
        ({"x": FeatureColumn("numeric", np.ones(5))}, 10, "too small"),
    ],
)
def test_nothing_to_build_from_is_refused(
    features: dict[str, FeatureColumn], grid: int, message: str
) -> None:
    with pytest.raises(ReferenceError, match=message):
        build_reference("m", features, grid=grid)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text[:-40], "not valid JSON"),
        (lambda text: b"[1, 2]", "schema None"),
        (lambda text: b"\xff\xfe", "not valid JSON"),
        (
            lambda text: text.replace(b"reference.v2", b"reference.v3"),
            "schema 'driftline.reference.v3'",
        ),
        (lambda text: text.replace(b'"events":3000', b'"events":3001', 1), "damaged or edited"),
        (lambda text: text.replace(b'"model":"fraud"', b'"model":"other"'), "damaged or edited"),
    ],
)
def test_damaged_files_are_refused_in_one_sentence(
    reference: Reference, change: object, message: str
) -> None:
    assert callable(change)
    with pytest.raises(ReferenceError, match=message) as caught:
        Reference.from_json(change(reference.to_json()))
    assert "\n" not in str(caught.value)
    assert isinstance(caught.value, DriftlineError)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    "content",
    [
        {"schema": "driftline.reference.v1"},
        {"schema": "driftline.reference.v1", "features": [{"name": "x"}], "streams": []},
        {"schema": "driftline.reference.v1", "features": 3, "streams": []},
    ],
)
def test_sealed_nonsense_is_refused(content: dict[str, object]) -> None:
    sealed = json.dumps({**content, "id": content_hash(content)}).encode()
    with pytest.raises(ReferenceError, match="lacks fields"):
        Reference.from_json(sealed)
