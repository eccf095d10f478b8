"""What changed between features, in words."""

from __future__ import annotations

from typing import Any

import pytest

from driftline.consumer.judge.joint.sentence import extremes_changed, pair_changed
from driftline.consumer.wire.records import Extremes, Pair

APART = [[1 / 9] * 3] * 3
TOGETHER = [[0.2, 0.1, 0.03], [0.1, 0.14, 0.1], [0.03, 0.1, 0.2]]
OPPOSED = [row[::-1] for row in TOGETHER]


def pair(normally: Any, now: Any) -> Pair:
    return Pair(("income", "age"), ((1.0, 2.0), (1.0, 2.0)), normally, now, 0.1, None)


@pytest.mark.parametrize(
    ("normally", "now", "text"),
    [
        (
            TOGETHER,
            APART,
            "no longer go together: both high in 11.1 % of events, normally 20.0 %",
        ),
        (
            APART,
            TOGETHER,
            "go together more than normally: both high in 20.0 % of events, normally 11.1 %",
        ),
        (
            TOGETHER,
            OPPOSED,
            "go together the other way round: both high in 3.0 % of events, normally 20.0 %",
        ),
        (
            TOGETHER,
            [[0.18, 0.1, 0.05], [0.1, 0.14, 0.1], [0.08, 0.1, 0.17]],
            "go together less than normally: income high and age low in 8.0 % of events, "
            "normally 3.0 %",
        ),
        (
            TOGETHER,
            [[0.2, 0.1, 0.03], [0.1, 0.06, 0.1], [0.03, 0.1, 0.28]],
            "go together more than normally: both high in 28.0 % of events, normally 20.0 %",
        ),
        (
            TOGETHER,
            [[0.2, 0.1, 0.03], [0.1, 0.3, 0.04], [0.03, 0.04, 0.16]],
            "go together less than normally: both in the middle in 30.0 % of events, "
            "normally 14.0 %",
        ),
    ],
)
def test_how_two_features_go_together(normally: Any, now: Any, text: str) -> None:
    assert pair_changed(pair(normally, now)).text == f"income and age {text}"


def test_other_pairs_are_counted() -> None:
    one, more = (pair_changed(pair(TOGETHER, APART), many) for many in (1, 2))
    assert one.text.endswith("normally 20.0 %; and 1 more pair")
    assert more.row == "both high in 11.1 % of events, normally 20.0 %; and 2 more pairs"


def test_extremes_that_come_no_longer_together() -> None:
    found = extremes_changed(Extremes(2, [0.9, 0.02, 0.08], [0.85, 0.14, 0.01], 0.1, None))
    assert found.text == (
        "extreme values no longer come together: 2 or more of 2 features are extreme in"
        " 1.0 % of events, normally 8.0 %"
    )
