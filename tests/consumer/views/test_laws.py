"""Answers are those of the newest windows and records, whichever order they come in."""

from __future__ import annotations

import random
from typing import Any

import msgspec
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from driftline.consumer.views.fold import Views
from driftline.consumer.views.ring import Place, Ring, six_digits
from driftline.consumer.views.spans import span_of
from driftline.consumer.wire.records import Alert, Verdict, Window, number

MODEL, FEATURES = "m", ("a", "b", "c")
_VERDICT: dict[str, Any] = {
    "schema": "driftline.verdict.v1", "verdict_id": "v", "stream": MODEL, "model": MODEL,
    "segment": None, "feature": "a", "type": "numeric", "state": "ok", "reason": None,
    "reference": {"id": "r", "events": 10}, "versions": {"1": 9}, "counts": None, "effect": None,
    "detectors": {}, "bins": None,
}  # fmt: skip
_ALERT: dict[str, Any] = {
    "schema": "driftline.alert.v1", "alert_id": "x", "revision": 1, "status": "firing",
    "severity": "warning", "kind": "feature_drift", "summary": "", "stream": MODEL, "model": MODEL,
    "segment": None, "feature": "a", "type": "numeric", "since": None, "until": None, "rule": "",
    "budgeted": True, "detector": None, "value": None, "p_value": None, "threshold": None,
    "effect": None, "breaches": None, "reference": {"id": "r", "events": 10}, "versions": {},
    "counts": None, "top": [], "incident_id": "i", "also_firing": [], "owner": None,
    "runbook": None,
}  # fmt: skip
STATES = st.sampled_from(["ok", "warning", "critical", "insufficient"])
EFFECTS = st.none() | st.floats(-1e4, 1e4).map(lambda x: number(round(x, 9)))


def window(hour: int, *, rows: bool = False) -> dict[str, Any]:
    if rows:
        return {"start": None, "end": None, "events": 9, "rows": [hour + 1, hour + 1]}
    day, first = divmod(hour, 24)
    last = divmod(hour + 1, 24)
    return {
        "start": f"2026-01-{day + 1:02}T{first:02}:00:00Z",
        "end": f"2026-01-{last[0] + 1:02}T{last[1]:02}:00:00Z",
        "events": 9 + hour,
    }


def verdict(**changes: Any) -> Verdict:
    return msgspec.convert({**_VERDICT, "window": window(0), **changes}, Verdict)


def alert(alert_id: str, **changes: Any) -> Alert:
    return msgspec.convert({**_ALERT, "window": window(0), "alert_id": alert_id, **changes}, Alert)


@st.composite
def verdicts(draw: st.DrawFn) -> list[Verdict]:
    """Verdicts in the order of their offsets; some windows are judged twice."""
    rows, found = draw(st.booleans()), []
    for hour in sorted(draw(st.lists(st.integers(0, 30), max_size=12))):
        for feature in FEATURES:
            state = draw(STATES)
            reason = f"{draw(st.integers(1, 3))} events" if state == "insufficient" else None
            versions = ({"1": 5}, {"1": 5, "2": 1}, {"2": 1, "__other__": 3})[hour // 3 % 3]
            body = {
                **_VERDICT, "feature": feature, "state": state, "reason": reason,
                "effect": draw(EFFECTS), "window": window(hour, rows=rows), "versions": versions,
                "segment": draw(st.sampled_from([None, "tier=gold"])),
            }  # fmt: skip
            found.append(msgspec.convert(body, Verdict))
    return found


@st.composite
def alerts(draw: st.DrawFn) -> list[Alert]:
    """Revisions of a few alerts."""
    found = []
    for alert_id in "xyz":
        begun = draw(st.integers(0, 20))
        for revision in range(1, draw(st.integers(1, 4)) + 1):
            body = {
                **_ALERT, "alert_id": alert_id, "revision": revision,
                "window": window(begun + revision), "feature": draw(st.sampled_from(FEATURES)),
                "status": draw(st.sampled_from(["firing", "resolved"])),
                "budgeted": draw(st.booleans()), "effect": draw(EFFECTS),
            }  # fmt: skip
            found.append(msgspec.convert(body, Alert))
    return found


def answers(views: Views) -> bytes:
    shown: list[Any] = [views.home(), views.alerts()]
    for segment in (None, "tier=gold"):
        shown += [views.model(MODEL, segment), views.performance(MODEL, segment)]
        shown += [views.feature(MODEL, feature, segment) for feature in FEATURES]
    shown += [views.alert(alert_id) for alert_id in "xyz"]
    return msgspec.json.encode(shown)


@given(verdicts(), alerts(), st.integers(1, 12), st.randoms())
def test_any_order_and_repeats_give_the_same_answers(
    judged: list[Verdict], told: list[Alert], windows: int, rng: random.Random
) -> None:
    def fold(*, shuffled: bool) -> bytes:
        views = Views(windows=windows, clock=lambda: 0, read=lambda place: judged[place.offset])
        records: list[Any] = [*enumerate(judged), *told]
        if shuffled:
            records += [records[rng.randrange(len(records))] for _ in range(5)]
            rng.shuffle(records)
        for record in records:
            if isinstance(record, Alert):
                views.alerted(record)
            else:
                offset, verdict = record
                views.judged(verdict, Place(0, offset))
        return answers(views)

    assert fold(shuffled=True) == fold(shuffled=False)


@given(verdicts(), st.integers(1, 12))
def test_the_newest_windows_are_kept(judged: list[Verdict], windows: int) -> None:
    views = Views(windows=windows)
    for verdict in judged:
        views.judged(verdict)
    own = [each for each in judged if each.segment is None]
    shown = views.model(MODEL)
    if shown is None:
        assert not judged
        return
    spans = sorted({span_of(each.window) for each in own})[-windows:]
    assert len(shown.axis.ends) == len(spans)
    for row in shown.features:
        newest = [each for each in own if each.feature == row.feature][-1]
        assert (row.state, row.reason, row.effect) == (newest.state, newest.reason, newest.effect)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=20))
def test_figures_come_back_as_they_were(values: list[float]) -> None:
    found = six_digits(np.array(values, float)).tolist()
    assert found == [number(value) for value in values]
    kept = [value for value in map(number, values) if value is None or 1e-37 < abs(value) < 1e38]
    ring = Ring(len(kept) + 1, ["x"])
    for hour, value in enumerate(kept):
        cell = ring.cell("a", msgspec.convert(window(hour), Window), None)
        assert cell is not None
        ring.write(cell, "ok", None, x=value)
    assert not kept or ring.figures("x", "a") == kept


def test_a_name_that_is_gone_makes_room() -> None:
    """Features come and go without end: what a full ring holds does not grow."""
    ring, sizes = Ring(2, ["x"]), set()
    for hour in range(600):
        for name in (f"{hour} of {each}" for each in range(8)):
            cell = ring.cell(name, msgspec.convert(window(hour), Window), Place(0, hour))
            assert cell is not None
            ring.write(cell, "ok", None, x=float(hour))
        sizes.add(ring.nbytes)
    assert len(ring.names()) == 16
    assert max(sizes) <= 32 * 2 * (4 + 1 + 4)
    assert ring.figures("x", "599 of 3") == [None, 599.0]
    assert ring.place("599 of 3", ring.spans[-1]) == (0, 599)


def test_many_reasons_of_one_window_are_bounded() -> None:
    ring = Ring(1, ["x"])
    for each in range(300):
        cell = ring.cell(f"f{each}", msgspec.convert(window(0), Window), None)
        assert cell is not None
        ring.write(cell, "insufficient", f"{each} events")
    (span,) = ring.spans
    assert ring.state("f7", span) == ("insufficient", "7 events")
    assert ring.state("f299", span) == ("insufficient", "249 events")
    assert sum(count for _, count in ring.reasons(span)) == 300
