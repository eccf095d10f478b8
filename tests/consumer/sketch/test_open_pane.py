"""Counts of one open pane, and the messages that they become."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.consumer.service.small import REFERENCE, plan

from driftline.consumer.judge.windows.panes import PaneStore
from driftline.consumer.sketch import open_pane, pane_counts
from driftline.consumer.sketch.listed import Listed
from driftline.consumer.sketch.open_pane import OpenPane, SketchModel
from driftline.consumer.wire.codec import decode, encode, unpack_integers
from driftline.consumer.wire.messages import Pane
from driftline.detectors.counts import Columns, Feature, Layout, count_columns

MODEL = plan(segments=["tier"]).sketch_model("m")
NAMES = ["1", "2", "3"]


def draw(rng: np.random.Generator, layout: Layout, n: int) -> Columns:
    """Columns with every kind of value."""
    numeric = rng.choice([-np.inf, np.inf, np.nan, -9.0, 0.0, 0.5, 9.0], (n, layout.numeric))
    sizes = [feature.slots + 3 for feature in layout.features[layout.numeric :]]
    codes = np.array([rng.integers(0, size, n) for size in sizes], np.int32).reshape(-1, n).T
    return Columns(numeric, codes)


def cut(columns: Columns, chosen: slice) -> Columns:
    return Columns(columns.numeric[chosen], columns.codes[chosen])


def sent(pane: OpenPane, until: int = 1_000) -> list[Pane]:
    """The messages, as they come out of the log."""
    return [decode(encode(m), Pane) for m in pane.messages("in", 0, until)]


def store(model: SketchModel, messages: list[Pane]) -> PaneStore:
    panes = PaneStore(model.pane, (model.layout_id,), model.layout.size)
    for offset, message in enumerate(messages):
        panes.add(message, offset)
    return panes


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1 << 30), st.lists(st.integers(0, 30), max_size=4), st.booleans())
def test_counts_are_those_of_all_rows_at_once(seed: int, cuts: list[int], small: bool) -> None:
    rng = np.random.default_rng(seed)
    columns = draw(rng, MODEL.layout, 30)
    versions = rng.integers(-1, 3, 30).astype(np.int32)
    tier = rng.integers(0, 3, 30).astype(np.int32)
    pane = OpenPane(MODEL, 0, 7)
    edges = [0, *sorted(cuts), 30]
    with pytest.MonkeyPatch.context() as patch:
        if small:  # every add is folded and merged at once
            patch.setattr(open_pane, "_BUFFERED_VALUES", 1)
            patch.setattr(open_pane, "_PENDING_ENTRIES", 1)
            patch.setattr(pane_counts, "LARGEST_MESSAGE", 100)
        for start, end in zip(edges, edges[1:], strict=False):  # noqa: RUF007 - empty cuts too
            some = slice(start, end)
            pane.add(cut(columns, some), versions[some], {"tier": tier[some]}, NAMES)
        messages = sent(pane)
    assert pane.events == 30
    assert (len(messages) > 1) == small
    panes = store(MODEL, messages)
    for place, stream in enumerate(MODEL.streams):
        mine = np.ones(30, np.bool_) if place == 0 else tier == place - 1
        expected = count_columns(MODEL.layout, Columns(columns.numeric[mine], columns.codes[mine]))
        assert panes.counts(0, MODEL.pane, stream).tolist() == expected.tolist()
        assert panes.events(0, MODEL.pane, stream) == mine.sum()
        named = {name: int((versions[mine] == code).sum()) for code, name in enumerate(NAMES)}
        assert panes.versions(0, MODEL.pane, stream) == {n: k for n, k in named.items() if k}


def test_a_message_says_what_it_counts() -> None:
    pane = OpenPane(MODEL, 20_000, first=7)
    versions, tiers = np.array([0, 0, -1, 1], np.int32), np.ones(4, np.int32)
    pane.add(draw(np.random.default_rng(1), MODEL.layout, 4), versions, {"tier": tiers}, NAMES)
    (message,) = sent(pane, until=12)
    assert (message.source, message.partition, message.model) == ("in", 0, "m")
    assert (message.start, message.length, message.layout_id) == (
        20_000,
        10_000,
        REFERENCE.layout_id,
    )
    assert (message.first, message.until) == (7, 12)
    assert (message.low, message.high) == (0, MODEL.layout.size)
    second = f"tier={REFERENCE.segments['tier'][1]}"
    # A stream without events is left out.
    assert [(s.stream, s.events, s.versions) for s in message.streams] == [
        (None, 4, {"1": 2, "2": 1}),
        (second, 4, {"1": 2, "2": 1}),
    ]
    assert pane.end == 30_000


def test_the_same_rows_give_the_same_bytes() -> None:
    rng = np.random.default_rng(3)
    columns, versions = draw(rng, MODEL.layout, 50), rng.integers(0, 3, 50).astype(np.int32)
    tiers = {"tier": rng.integers(0, 3, 50).astype(np.int32)}
    whole, parts = OpenPane(MODEL, 0, 0), OpenPane(MODEL, 0, 0)
    whole.add(columns, versions, tiers, NAMES)
    for i in range(49, -1, -1):  # in another order even
        one = slice(i, i + 1)
        parts.add(cut(columns, one), versions[one], {"tier": tiers["tier"][one]}, NAMES)
    assert [encode(m) for m in sent(whole)] == [encode(m) for m in sent(parts)]


def test_a_pane_may_be_sent_and_go_on() -> None:
    rng = np.random.default_rng(4)
    columns = draw(rng, MODEL.layout, 20)
    pane = OpenPane(MODEL, 0, 0)
    none = np.zeros(10, np.int32)
    pane.add(cut(columns, slice(0, 10)), none, {"tier": none}, NAMES)
    early = sent(pane, 10)
    pane.add(cut(columns, slice(10, 20)), none, {"tier": none}, NAMES)
    panes = store(MODEL, [*early, *sent(pane, 20)])
    assert panes.events(0, MODEL.pane, None) == 20
    expected = count_columns(MODEL.layout, columns).tolist()
    assert panes.counts(0, MODEL.pane, None).tolist() == expected


def test_a_huge_pane_is_split_by_feature_below_what_a_broker_takes() -> None:
    rng = np.random.default_rng(2)
    grid = np.arange(20_000.0)
    layout = Layout.of([Feature(f"f{i:02}", "numeric", grid) for i in range(30)])
    model = replace(MODEL, listed=Listed(layout), streams=(None,), segments={})
    values = rng.integers(0, 20_000, (30_000, 30))
    columns = Columns(values.astype(np.float64), np.zeros((30_000, 0), np.int32))
    pane = OpenPane(model, 0, 0)
    pane.add(columns, np.zeros(30_000, np.int32), {}, NAMES)
    messages = sent(pane)
    assert len(messages) > 1
    assert all(len(encode(message)) < 1 << 20 for message in messages)
    ranges = [(message.low, message.high) for message in messages]
    assert [low for low, _ in ranges] == [0, *(high for _, high in ranges[:-1])]
    assert ranges[-1][1] == layout.size
    assert {low for low, _ in ranges} <= set(layout.starts.tolist())
    expected = count_columns(layout, columns)
    for order in (messages, messages[::-1], [*messages, *messages]):
        panes = store(model, order)
        assert panes.events(0, model.pane, None) == 30_000
        assert panes.versions(0, model.pane, None) == {"1": 30_000}
        assert np.array_equal(panes.counts(0, model.pane, None), expected)


def test_counts_are_sparse() -> None:
    pane = OpenPane(MODEL, 0, 0)
    one = np.zeros(1, np.int32)
    pane.add(Columns(np.array([[0.0]]), np.array([[0, 0]], np.int32)), one, {"tier": one}, NAMES)
    (message,) = sent(pane)
    assert all(len(unpack_integers(s.counts)) == 3 for s in message.streams)
    assert len(encode(message)) < 400
