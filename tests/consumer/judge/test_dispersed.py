"""Tests of what is said where values near in time resemble each other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.consumer.service.small import HOUR, MODEL, REFERENCE, alerts, backtest, plan, rows
from tests.consumer.service.small import verdicts as verdicts_of

from driftline.consumer.judge.dispersed import NOT_KNOWN, counted, notes_of
from driftline.consumer.wire.records import Verdict
from driftline.detectors.dispersion import DIRECTIONS, JOINS, NONE, OTHER, Dispersion
from driftline.detectors.reference import Reference

FEATURES = [feature.name for feature in REFERENCE.layout.features]
X = FEATURES.index("x")


def dispersed(values: float = 1.0, none: float = 1.0) -> Reference:
    """The reference of which x varies so many times as much as independent events."""
    phi = np.ones((len(JOINS), len(DIRECTIONS), len(FEATURES)))
    phi[:, OTHER, X], phi[:, NONE, X] = values, none
    events = np.full(len(FEATURES), 200.0)
    return replace(REFERENCE, dispersion=Dispersion(HOUR, 100, events, phi))


def judged(reference: Reference, hours: int = 1) -> list[list[Verdict]]:
    """The verdicts of some hours of 200 quiet events each, of x then c."""
    rng = np.random.default_rng(4)
    events = [e for h in range(hours + 1) for e in rows(h * HOUR, 200, HOUR // 200, rng)]
    window = {"length": "1h", "grace": "0s", "min_events": 100}
    made = plan({MODEL: reference}, budget="1 per 30d", window=window)
    found = verdicts_of(backtest(made, events))
    return [[v for v in found if v.feature == name][:hours] for name in ("x", "c")]


def test_a_verdict_says_that_few_of_its_events_count() -> None:
    (x,), (c,) = judged(dispersed(8.3))
    assert x.note == (
        "values near in time resemble each other: 100 events tell as much as 12 independent ones"
    )
    assert c.note is None


def test_figures_are_those_of_fewer_events() -> None:
    (plain,), _ = judged(dispersed())
    (x,), _ = judged(dispersed(4.0))
    assert plain.note is None
    ks, tempered = plain.detectors["ks"], x.detectors["ks"]
    assert tempered.value == ks.value
    assert tempered.threshold == pytest.approx(2 * ks.threshold, rel=1e-5)  # type: ignore[operator]  # it is a number


def test_without_times_thirty_panes_tell() -> None:
    x, c = judged(REFERENCE, hours=34)
    known = [v.note is None for v in x]
    assert not any(known[:30])
    assert all(known[31:])
    assert x[0].note == c[0].note == NOT_KNOWN
    halves = x[0].detectors["ks"].threshold, judged(dispersed(2.0))[0][0].detectors["ks"].threshold
    assert halves[0] == halves[1]


def test_a_window_has_no_say_in_how_it_is_judged() -> None:
    rng = np.random.default_rng(4)
    events = [e for h in range(40) for e in rows(h * HOUR, 200, HOUR // 200, rng)]
    events += rows(40 * HOUR, 200, HOUR // 200, rng, x=9.0)
    events += rows(41 * HOUR, 1, 1, rng)
    window = {"length": "1h", "grace": "0s", "min_events": 100}
    found = backtest(plan({MODEL: dispersed()}, budget="1 per 30d", window=window), events)
    x = [v for v in verdicts_of(found) if v.feature == "x"]
    before, moved = x[39].detectors["ks"], x[40].detectors["ks"]
    # The panes of the hours before are many, so one more changes little.
    assert moved.threshold == pytest.approx(before.threshold, rel=0.05)
    assert "x" in {a.feature for a in alerts(found)}


def test_references_name_what_varies_most() -> None:
    (one,) = notes_of(dispersed(8.3))
    assert one == (
        "x: values near in time resemble each other, so few of them count:"
        " 100 events tell as much as 12 independent ones"
    )
    assert list(notes_of(dispersed(8.3), ignored=["x"])) == []
    assert list(notes_of(dispersed(5.0))) == []
    assert list(notes_of(REFERENCE)) == []
    (none,) = notes_of(dispersed(1.0, 20.0))
    assert none.startswith("x: missing values come together, so few of them count: 100 events")
    many = dispersed()
    assert many.dispersion is not None
    many.dispersion.phi[:, OTHER, :] = 10.0 + np.arange(len(FEATURES))
    (line,) = notes_of(many)
    assert line.startswith(f"{FEATURES[-1]}, ")
    assert f"of {FEATURES[-1]} {counted(10.0 + len(FEATURES) - 1)}" in line
