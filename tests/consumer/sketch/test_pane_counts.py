"""The sum of a pane's parts is judged as its parts are, and as what was never cut."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.consumer.service.small import SECOND, judge_all, plan, records, reference, row, sketch

from driftline.consumer.sketch import pane_counts
from driftline.consumer.sketch.pane_counts import PaneSource, merged
from driftline.consumer.sketch.totals import Output
from driftline.consumer.wire.codec import encode
from driftline.consumer.wire.messages import Horizon, Pane
from driftline.errors import RecordError

PLAN = plan(
    segments=["tier"],
    thresholds={"ks": {"warning": 0.3}, "unseen": {"warning": 0.05}, "psi": {"warning": 0.2}},
    releases=["model_version", "build"],
)
SOURCE = PaneSource("in", 0, 1 << 52, (1 << 52) + 1)


def stream(seed: int, count: int = 60, length: int = 50) -> list[dict[str, Any]]:
    """Events of `length` seconds, of which some hold what the reference does not list."""
    rng = np.random.default_rng(seed)
    times = np.sort(rng.integers(0, length * SECOND, count))
    return [
        row(
            int(time),
            x=round(float(rng.normal(time / 20_000)), 3),
            c=str(rng.choice(["p", "q", "r", "new", "odd"])),
            b=bool(rng.random() < 0.5),
            model_version=str(rng.choice(["1", "2", "3"])),
            tags={"tier": str(rng.choice(["gold", "tin", "?"])), "build": f"b{rng.integers(30)}"},
        )
        for time in times
    ]


def sent(
    values: Sequence[dict[str, Any]], cuts: Collection[int], partition: int = 0, many: int = 1
) -> list[Output]:
    """What one partition sends, cut before some offsets and at its end."""
    one = sketch(PLAN, partition, many)
    found: list[Output] = []
    for offset, value in enumerate(values):
        found += one.cut() if offset in cuts else []
        found += one.feed(records([value], partition, first=offset), 0)
    return [*found, *one.cut()]


def in_one(outputs: Sequence[Output]) -> list[Output]:
    """All panes merged by start, before all horizons."""
    groups: dict[int, list[Pane]] = defaultdict(list)
    for each in outputs:
        if isinstance(each, Pane):
            groups[each.start].append(each)
    model = PLAN.sketch_model("m")
    panes = [pane for _, group in sorted(groups.items()) for pane in merged(group, model, SOURCE)]
    return [*panes, *(each for each in outputs if isinstance(each, Horizon))]


def judged(outputs: Sequence[Output]) -> list[bytes]:
    panes = [each for each in outputs if isinstance(each, Pane)]
    rest = [each for each in outputs if isinstance(each, Horizon)]
    return [encode(each) for each in judge_all(PLAN, [*panes, *rest])]


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 1_000), st.sets(st.integers(1, 119), max_size=12), st.randoms())
def test_a_sum_is_judged_as_its_parts_are(seed: int, cuts: set[int], random: Any) -> None:
    parts = sent(stream(seed, 120), cuts)
    whole = judged(parts)
    assert whole
    assert judged(in_one(parts)) == whole
    random.shuffle(panes := [each for each in parts if isinstance(each, Pane)])
    rest = [each for each in parts if isinstance(each, Horizon)]
    assert in_one([*panes, *rest]) == in_one(parts)


@pytest.mark.parametrize("seed", range(2))
def test_it_is_judged_as_what_was_never_cut(seed: int) -> None:
    values = stream(seed, 400)
    assert judged(in_one(sent(values, range(0, 400, 7)))) == judged(sent(values, ()))


def test_of_one_part_the_sum_is_that_part() -> None:
    (part, *_) = (each for each in sent(stream(1, 100), ()) if isinstance(each, Pane))
    source = PaneSource(part.source, part.partition, part.first, part.until)
    assert list(merged([part], PLAN.sketch_model("m"), source)) == [part]


def test_what_is_too_large_for_a_message_is_split_again(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = sent(stream(3, 200), {20, 90})
    whole = in_one(parts)
    monkeypatch.setattr(pane_counts, "LARGEST_MESSAGE", 900)
    small = sent(stream(3, 200), {20, 90})
    pieces = in_one(small)
    assert len(small) > len(parts)
    assert len(pieces) > len(whole)
    assert judged(pieces) == judged(small) == judged(whole)


def test_parts_of_different_layouts_are_refused() -> None:
    (part, *_) = (each for each in sent(stream(1, 100), ()) if isinstance(each, Pane))
    other = plan({"m": reference(seed=8)}).sketch_model("m")
    with pytest.raises(RecordError, match="parts of a pane of m were counted in different layouts"):
        list(merged([part], other, SOURCE))
