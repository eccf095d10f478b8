"""What a verdict says: figures, states, bins, ids."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.consumer.service.small import HOUR, backtest, plan, row, rows, verdicts

from driftline.consumer.judge.bin_changes import edge
from driftline.consumer.wire.records import Verdict, most_frequent, number
from driftline.consumer.wire.subject import identity

HOURLY = {"length": "1h", "grace": "0s", "min_events": 100}


def judged(fixed: dict[str, Any] | None = None, **settings: Any) -> dict[str, Verdict]:
    """Verdicts, by feature, of one hour of 400 events."""
    events = rows(0, 400, 9_000, np.random.default_rng(1), **(fixed or {}))
    settings = {"window": HOURLY, "budget": "1 per 30d", **settings}
    found = verdicts(backtest(plan(**settings), [*events, row(HOUR)]))
    return {verdict.feature: verdict for verdict in found if verdict.feature is not None}


def test_detectors_of_each_type() -> None:
    found = judged()
    assert {feature: tuple(v.detectors) for feature, v in found.items()} == {
        "b": ("chi_square", "psi", "jensen_shannon"),
        "c": ("chi_square", "psi", "jensen_shannon"),
        "x": ("ks", "psi", "jensen_shannon", "wasserstein", "out_of_range"),  # a few are
    }
    # Nobody looks at psi and the others: no state.
    assert {n: d.state for n, d in found["x"].detectors.items()} == {
        "ks": "ok", "psi": None, "jensen_shannon": None, "wasserstein": None,
        "out_of_range": "ok",
    }  # fmt: skip


def test_a_detector_that_is_not_always_computed_stands_where_a_threshold_names_it() -> None:
    usual = judged()
    limits = {"thresholds": {"hellinger": {"warning": 0.9}}}
    found = judged(features={"x": limits})
    figure = found["x"].detectors["hellinger"]
    assert (figure.state, figure.threshold) == ("ok", 0.9)
    rest = {name: part for name, part in found["x"].detectors.items() if name != "hellinger"}
    assert rest == usual["x"].detectors
    assert (found["b"], found["c"]) == (usual["b"], usual["c"])
    everywhere = judged(thresholds=limits["thresholds"])
    assert all("hellinger" in verdict.detectors for verdict in everywhere.values())


def test_a_rate_is_shown_when_there_is_one() -> None:
    found = judged({"x": None, "c": "new"})
    assert found["x"].detectors["missing"].value == 1.0
    assert found["x"].detectors["missing"].state == "critical"
    assert found["c"].detectors["unseen"].state == "critical"
    assert "missing" not in found["c"].detectors
    assert "unseen" not in found["x"].detectors
    # An all-missing feature has no distribution to compare.
    assert found["x"].effect is None
    assert found["x"].detectors["ks"].p_value is None


def test_the_state_is_the_worst_of_those_that_a_rule_looks_at() -> None:
    limits = {"psi": {"warning": 0.1}, "jensen_shannon": {"critical": 0.01}}
    x = judged({"x": 1.5}, budget="off", thresholds=limits)["x"]
    assert {n: d.state for n, d in x.detectors.items()} == {
        "ks": None, "psi": "warning", "jensen_shannon": "critical", "wasserstein": None,
    }  # fmt: skip
    assert x.state == "critical"
    assert (x.detectors["psi"].threshold, x.detectors["jensen_shannon"].threshold) == (0.1, 0.01)
    assert x.detectors["ks"].threshold is None  # the budget is off, so no test has a level


def test_without_a_limit_the_threshold_is_what_a_quiet_window_exceeds() -> None:
    found = judged()
    for feature in ("x", "b", "c"):
        for name, figure in found[feature].detectors.items():
            assert (figure.threshold is None) == (name == "wasserstein"), name
    # A limit on the p-value leaves that threshold.
    limits = {"ks": {"warning": 0.001, "on": "p_value"}}
    other = judged(thresholds=limits)["x"].detectors["ks"]
    assert other.threshold == found["x"].detectors["ks"].threshold


def test_bins_draw_the_picture() -> None:
    found = judged()
    assert found["x"].bins is not None
    assert len(found["x"].bins["upper"]) + 1 == len(found["x"].bins["window"])
    assert found["c"].bins is not None
    assert found["c"].bins["categories"] == ["p", "q", "r"]
    assert found["b"].bins is not None
    assert found["b"].bins["categories"] == ["false", "true"]
    for verdict in found.values():
        assert verdict.bins is not None
        assert sum(verdict.bins["reference"]) == 1_000
        assert sum(verdict.bins["window"]) == 400
    unseen = judged({"c": "new"})["c"].bins
    assert unseen is not None
    assert unseen["categories"] == ["p", "q", "r", "__other__"]
    assert unseen["window"] == [0, 0, 0, 400]


def test_a_verdict_is_one_line_of_json_with_its_fields_in_order() -> None:
    text = msgspec.json.encode(judged({"x": None})["x"])
    body = json.loads(text, parse_constant=lambda name: pytest.fail(name))
    assert list(body) == [
        "schema", "verdict_id", "stream", "model", "segment", "feature", "type", "state", "reason",
        "window", "reference", "versions", "counts", "effect", "detectors", "bins", "sequential",
        "note",
    ]  # fmt: skip
    assert body["schema"] == "driftline.verdict.v1"
    assert b"\n" not in text


def test_ids_are_blake2b_of_a_compact_json_array() -> None:
    parts = ("car-loan", "car_value", "feature_drift", "2019-03-27T00:00:00Z")
    text = b'["car-loan","car_value","feature_drift","2019-03-27T00:00:00Z"]'
    assert identity(*parts) == hashlib.blake2b(text, digest_size=8).hexdigest()
    assert len(identity("é", "")) == 16
    assert identity("a", "b") != identity("ab") != identity('a","b')


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.43055149, 0.430551),
        (18323.649, 18323.6),
        (1.53282e-157, 1.53282e-157),
        (float("nan"), None),
        (float("inf"), None),
        (0.0, 0.0),
        (-0.00123456789, -0.00123457),
        (123456789.0, 123457000.0),
    ],
)
def test_numbers_have_six_digits(value: float, shown: float | None) -> None:
    assert number(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"), [(11744.0, 11744), (0.1 + 0.2, 0.3), (-5.0, -5), (1e20, 1e20), (0.0, 0)]
)
def test_edges_are_written_as_users_write_them(value: float, shown: float) -> None:
    assert json.dumps(edge(value)) == json.dumps(shown)


@given(st.dictionaries(st.text(max_size=3), st.integers(1, 9), max_size=12))
def test_versions_are_the_most_frequent_and_the_rest(versions: dict[str, int]) -> None:
    shown = most_frequent(versions)
    assert sum(shown.values()) == sum(versions.values())
    assert len(shown) <= 6
    kept = [n for name, n in shown.items() if name != "__other__"]
    assert kept == sorted(versions.values(), reverse=True)[: len(kept)]
