"""A reference of rows that lie apart has the bytes of one that is built of them in turn."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.producer.reference.apart import apart, built_apart
from tests.producer.reference.test_scans import MAPPINGS, Rows, row

from driftline.producer.errors import InputError
from driftline.producer.records.mapping import Mapping
from driftline.producer.records.table import Coded, Numbers, Table, Times
from driftline.producer.reference import counted_answers, searches
from driftline.producer.reference.build import (
    ReferenceSettings,
    Together,
    reference_by,
    reference_from_rows,
    reference_from_tables,
)
from driftline.producer.reference.counted_answers import CountedAnswers

HOUR = 3_600_000


def bytes_of(build: Callable[..., Any], *given: Any) -> Any:
    try:
        built = build(*given)
    except InputError as error:  # the columns that it lists may be in another order, or renamed
        return re.sub(r"(, but| of) [^;]+", "", str(error))
    told = (built.skipped, built.unusable, built.notes, built.ignored)
    return (built.reference.to_json(), built.features, *told)


@given(
    st.lists(row(), min_size=1, max_size=40),
    st.sampled_from(MAPPINGS),
    st.randoms(use_true_random=False),
    st.lists(st.integers(0, 40), max_size=4),
)
def test_random_rows(rows: Rows, mapping: Mapping, random: Random, cuts: list[int]) -> None:
    settings = ReferenceSettings(
        "m", grid=11, types={"y": "categorical"} if mapping.wildcard else {}
    )
    whole = bytes_of(reference_from_rows, [rows], mapping, settings)
    random.shuffle(rows)
    ends = [0, *sorted(min(cut, len(rows)) for cut in cuts), len(rows)]
    slices = [rows[a:b] for a, b in pairwise(ends)]
    parts = [[Table.of_rows(each)] if each else [] for each in slices]
    assert bytes_of(built_apart, parts, mapping, settings, random) == whole


def table(rng: np.random.Generator, n: int, outcome: str) -> Table:
    """Three weeks of events whose numbers follow the hours, with an outcome of some kind."""
    times = np.sort(rng.integers(0, 21 * 24, n)) * HOUR + rng.integers(0, HOUR, n)
    hours = times // HOUR % 24
    a = rng.normal(size=n) + 2.0 * (hours > 12)
    truth = np.round(10 * a + rng.normal(size=n), 2 if outcome == "numbers" else 0)
    columns: dict[str, Any] = {
        "at": Times(times),
        "a": Numbers(a),
        "b": Numbers(rng.integers(0, 2_000, n)),
        "plan": Coded(rng.integers(0, 3, n), ["free", "paid", None]),
        "many": Coded(rng.integers(0, 400, n), [f"v{i}" for i in range(400)]),
        "tag": Coded(rng.integers(0, 2, n), ["web", "app"]),
    }
    if outcome == "classes":
        columns["out"] = Coded((a > 1).astype(np.int64), ["no", "yes"])
        columns["p"] = Numbers(1 / (1 + np.exp(-a)))
        columns["truth"] = Coded((a + rng.normal(size=n) > 1).astype(np.int64), ["no", "yes"])
    elif outcome == "scores":
        columns["p"] = Numbers(np.round(1 / (1 + np.exp(-a)), 2))
        columns["truth"] = Numbers((a + rng.normal(size=n) > 1).astype(float))
    elif outcome in ("numbers", "whole"):
        columns["p"] = Numbers(np.round(10 * a, 2 if outcome == "numbers" else 0))
        columns["truth"] = Numbers(np.where(rng.random(n) < 0.1, np.nan, truth))
    return Table(n, columns)


FIELDS = {"timestamp": "at", "tags.tag": "tag", "features.a": "a", "features.b": "b"}
OUTCOMES = {
    "classes": {"prediction.label": "out", "prediction.score": "p", "actual": "truth"},
    "scores": {"prediction.score": "p", "actual": "truth"},
    "numbers": {"prediction.score": "p", "actual": "truth"},
    "whole": {"prediction.score": "p", "actual": "truth"},
    "none": {},
}


@pytest.mark.parametrize("outcome", OUTCOMES)
@pytest.mark.parametrize("room", [None, 40])
def test_panes_cycles_segments_joint_and_outcomes(
    outcome: str, room: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the parts, and with room for few values or numbers of the ground truth."""
    rng = np.random.default_rng(4)
    whole = table(rng, 60_000 if outcome == "classes" else 6_000, outcome)
    fields = {**FIELDS, "features.plan": "plan", "features.many": "many", **OUTCOMES[outcome]}
    mapping = Mapping(dict(fields))
    settings = ReferenceSettings(
        "m", grid=64, segments=("tag",), timezone="Europe/Berlin",
        positive_label="yes" if outcome == "classes" else None,
    )  # fmt: skip
    built = reference_from_tables(lambda: [whole], mapping, settings, Together(2))
    assert (built.reference.outcome is None) == (outcome == "none")
    assert built.reference.dispersion is not None
    assert (built.reference.seasons is not None) == (outcome == "classes")
    assert built.reference.volume is not None
    if room is not None:
        monkeypatch.setattr(searches, "MOST_VALUES", room)
        monkeypatch.setattr("driftline.producer.reference.choosing.MOST_VALUES", room)
        monkeypatch.setattr("driftline.producer.reference.regression_seen.ROOM", room)
        if outcome != "scores":  # whose ground truth is two numbers
            monkeypatch.setattr(counted_answers, "_MOST_CELLS", room)
    order = rng.permutation(whole.rows)
    for cuts in ([1_000, 1_000, 4_500], []):
        parts = [[whole.take(rows)] for rows in np.split(order, cuts)]
        found = built_apart(parts, mapping, settings, Random(len(cuts)), Together(2))
        assert found.reference.to_json() == built.reference.to_json()
        assert found.features == built.features


LIMITS = {
    "look._THINNED": 500,
    "seen._DISTINCT": 2_048,
    "pane_plan._SAMPLE": 1 << 10,
    "pane_plan._MOST_CELLS": 1 << 12,
    "searches.MOST_VALUES": 4_000,
    "choosing.MOST_VALUES": 4_000,
    "regression_seen.ROOM": 4_000,
    "counted_answers._MOST_CELLS": 1_000,
}
"""What is held at most, small enough that thousands of rows reach it."""


def test_what_is_merged_does_not_grow_with_the_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, limit in LIMITS.items():
        monkeypatch.setattr(f"driftline.producer.reference.{name}", limit)
    mapping = Mapping({**FIELDS, **OUTCOMES["numbers"]})
    settings = ReferenceSettings("m", grid=64, segments=("tag",), timezone="UTC")
    largest = []
    for n in (20_000, 80_000):
        whole = table(np.random.default_rng(4), n, "numbers")
        parts = [[whole.take(slice(at, at + 2_000))] for at in range(0, n, 2_000)]
        reader = apart(parts, mapping, settings, Random(1))
        reference_by(reader, CountedAnswers(), settings)
        largest.append(reader.largest)
    assert largest[1] < 1.4 * largest[0]


def test_classes_that_are_numbers_without_end_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counted_answers, "_MOST_CELLS", 50)
    n = 200
    out = Coded(np.arange(n) % 2, ["a", "b"])
    one = Table(n, {"x": Numbers(np.arange(n)), "out": out, "truth": Numbers(np.arange(n) / 7)})
    mapping = Mapping({"features.x": "x", "prediction.label": "out", "actual": "truth"})
    with pytest.raises(InputError, match=r"^the ground truth is one of more than 50 numbers, not"):
        built_apart([[one]], mapping, ReferenceSettings("m"), Random(1))
    texts = Table(n, {**one.columns, "truth": Coded(np.arange(n), [f"c{i}" for i in range(n)])})
    with pytest.raises(InputError, match=r"^prediction\.label and the ground truth have more than"):
        built_apart([[texts]], mapping, ReferenceSettings("m"), Random(1))


def test_an_id_that_is_no_feature_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searches, "_MOST_CATEGORIES", 100)
    parts = [
        [Table(60, {"id": Coded(np.arange(60), [f"{part}-{i}" for i in range(60)])})]
        for part in range(2)
    ]
    with pytest.raises(InputError, match=r"^id: more than 100 different values: it is rather an"):
        built_apart(parts, Mapping({"features.id": "id"}), ReferenceSettings("m"), Random(1))
