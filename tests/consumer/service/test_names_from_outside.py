"""Names that others chose: what they may hold, and that they cannot forge what is said."""

from __future__ import annotations

import numpy as np
import pytest
from tests.consumer.service.small import SECOND, alerts, backtest, plan, row, verdicts

from driftline.consumer.judge.sentence import category_change, scope
from driftline.detectors import FeatureColumn, build_reference

EVIL = "9\nFIRING  critical\x1b[31m\u202e\u2066"
SHOWN = r"9\nFIRING  critical\x1b[31m\u202e\u2066"


def test_a_version_cannot_forge_a_line_of_the_sentence() -> None:
    events = [
        row(
            t * SECOND,
            model_version="1" if t < 30 else EVIL,
            **({"x": None} if t >= 30 else {}),
        )
        for t in range(100)
    ]
    (fired,) = alerts(backtest(plan(thresholds={"missing": {"warning": 0.2}}), events))
    assert fired.summary.endswith(f"Began with version {SHOWN}.")
    assert fired.summary.isprintable()


def test_a_category_is_escaped_and_plain_names_are_not() -> None:
    assert category_change(EVIL, 0.5, 0.1).row == f'"{SHOWN}" 50.0 %, normally 10.0 %'
    assert category_change("60K+ €", 0.5, 0.1).text.startswith('changed: "60K+ €" is ')
    assert scope([], {"model_version": "3.2-β"}) == "Only this feature. Began with version 3.2-β."


@pytest.mark.parametrize(
    ("tag", "values", "other"),
    [("a=b", ["1", "2"], "a"), ("a", ["b=1", "="], "a=b"), ("=", ["=", "x"], "")],
)
def test_a_tag_or_value_with_an_equals_sign(tag: str, values: list[str], other: str) -> None:
    """`other` is a tag of the reference that looks alike and is not watched."""
    reference = build_reference(
        model="m",
        features={"x": FeatureColumn("numeric", np.arange(100.0))},
        segments={tag: values * 50} | ({other: ["p", "q"] * 50} if other else {}),
    )
    events = [row(t * SECOND, tags={tag: values[t % 2], other: "p"}) for t in range(60)]
    found = verdicts(backtest(plan({"m": reference}, segments=[tag]), events), "x")
    last = max(v.window.times[1] for v in found)
    counted = {v.segment: v.window.events for v in found if v.window.end == last}
    whole = counted.pop(None)
    assert counted.pop(f"{tag}=__other__") == 0
    assert set(counted) == {f"{tag}={value}" for value in values}
    assert sum(counted.values()) == whole
