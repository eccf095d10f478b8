"""The stream names the versions, so their names must not make a pane larger than a message."""

from __future__ import annotations

import numpy as np
import pytest
from tests.consumer.service.small import (
    MINUTE,
    START,
    judge_all,
    plan,
    records,
    row,
    sketch,
    verdicts,
)

from driftline.consumer.sketch import pane_counts
from driftline.consumer.wire.codec import encode
from driftline.consumer.wire.messages import Pane
from driftline.detectors import FeatureColumn, build_reference

BROKERS_LIMIT = 1_048_588


@pytest.mark.parametrize("length", [60, 250])
def test_long_names_in_many_segments_fit_into_one_message(length: int) -> None:
    rng = np.random.default_rng(0)
    values = [f"v{i}" for i in range(20)]
    reference = build_reference(
        model="m",
        features={"x": FeatureColumn("numeric", rng.normal(size=2_000))},
        segments={tag: rng.choice(values, 2_000).tolist() for tag in "ab"},
    )
    one = sketch(plan({"m": reference}, segments=["a", "b"]))
    events = [
        {
            "timestamp": START + version,
            "model": "m",
            "model_version": f"{version:03}" + "x" * length,
            "features": {"x": 0.1},
            "tags": {"a": value, "b": value},
        }
        for version in range(100)
        for value in values
    ]
    one.feed(records(events), 0)
    words = one.feed(records([row(MINUTE)], first=len(events)), 0)
    panes = [horizon for horizon in words if isinstance(horizon, Pane)]
    assert sum(s.events for s in panes[0].streams if s.stream is None) == len(events)
    assert max(len(encode(pane)) for pane in panes) < BROKERS_LIMIT


def test_only_the_first_piece_of_a_pane_carries_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    events = [row(t * 1_000, model_version=str(1 + t % 3)) for t in range(60)]
    whole = sketch(plan(segments=["tier"])).feed(records(events), 0)
    monkeypatch.setattr(pane_counts, "LARGEST_MESSAGE", 10)
    split = sketch(plan(segments=["tier"])).feed(records(events), 0)
    pieces = [horizon for horizon in split if isinstance(horizon, Pane) and horizon.start == START]
    assert len(pieces) == 3  # one per feature
    for piece in pieces:
        for counts in piece.streams:
            expected = {"1": 4, "2": 3, "3": 3} if piece.low == 0 else {}
            assert (counts.events, counts.versions) == (10, expected)
    # What is judged is the same.
    watched = plan(segments=["tier"])
    assert judge_all(watched, split) == judge_all(watched, whole)
    assert verdicts(judge_all(watched, split))[0].versions
