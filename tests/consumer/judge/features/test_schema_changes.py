"""A field that appears, disappears or changes its type, and new values: one alert each."""

from __future__ import annotations

import json
from dataclasses import replace
from hashlib import blake2b
from typing import Any

import msgspec
import numpy as np
from tests.consumer.judge.features.test_alerts import BUDGET, QUIET, hours
from tests.consumer.service.small import (
    REFERENCE,
    TOPIC,
    alerts,
    backtest,
    plan,
    records,
    sketch,
    verdicts,
)

from driftline.consumer.sketch.totals import Output
from driftline.consumer.wire.messages import Pane
from driftline.consumer.wire.records import Alert, TypeChange
from driftline.consumer.wire.samples import Note
from driftline.detectors import Reference

# What it left out is known: nothing. Of REFERENCE it is not.
WHOLE = replace(REFERENCE, layout=replace(REFERENCE.layout, left_out=()))
KNOWN = {"m": WHOLE}


def run(events: list[dict[str, Any]], **settings: Any) -> list[Alert]:
    return alerts(backtest(plan(KNOWN, **{**BUDGET, **settings}), events))


def some(events: list[dict[str, Any]], share: float, **values: Any) -> list[dict[str, Any]]:
    """The same events, of which a share hold other values of features."""
    rng = np.random.default_rng(3)
    chosen = rng.random(len(events)) < share
    return [
        {**event, "features": {**event["features"], **values}} if it else event
        for event, it in zip(events, chosen, strict=True)
    ]


def late(share: float, **values: Any) -> list[dict[str, Any]]:
    """Two quiet hours, two with other values in a share of the events, four quiet ones."""
    events = hours(*[QUIET] * 9)
    return [*events[:800], *some(events[800:1600], share, **values), *events[1600:]]


def test_a_field_that_appears() -> None:
    fired, resolved = run(late(1.0, extra="text"))
    assert fired.summary == (
        "m: extra is a new field, which the reference does not list, in 100.0 % of events,"
        " since 2020-09-20 02:00 UTC."
    )
    assert (fired.kind, fired.feature, fired.type) == ("data_quality", "extra", None)
    assert (fired.detector, fired.value, fired.threshold) == ("new_field", 1.0, 0.01)
    assert (fired.severity, fired.about, fired.breaches) == ("warning", False, (1, 1))
    assert fired.rule == "a field that the reference does not list, in 1% of events"
    assert (resolved.status, resolved.alert_id) == ("resolved", fired.alert_id)
    assert resolved.summary == (
        "m: extra is back to normal since 2020-09-20 04:00 UTC, after 2 hours."
    )


def test_the_share_of_a_new_field_is_counted() -> None:
    events = late(0.3, extra=1)
    held = sum("extra" in event["features"] for event in events[800:1200])
    fired, *_ = run(events)
    assert (fired.value, fired.about) == (round(held / 400, 6), False)


def test_one_among_many_names_is_found_in_the_sample_of_events() -> None:
    events = hours(*[QUIET] * 3)
    for i, event in enumerate(events):
        event["features"] |= {f"key_{i}_{k}": 1 for k in range(3)}
    # The name of largest hash is left out of the 32 of smallest.
    name = max((f"extra_{i}" for i in range(3_000)), key=lambda n: list(order(n)))
    for event in events:
        event["features"][name] = 1
    (fired,) = run(events)
    assert (fired.feature, fired.about, fired.value) == (name, True, 1.0)
    assert "in about 100 % of events" in fired.summary


def order(name: str) -> bytes:
    return blake2b(name.encode(), digest_size=8).digest()


def test_a_reference_that_does_not_tell_what_it_left_out_knows_no_new_fields() -> None:
    assert alerts(backtest(plan(**BUDGET), late(1.0, extra=1))) == []
    document = json.loads(REFERENCE.to_json())["layout"]
    assert "left_out" not in document
    assert json.loads(WHOLE.to_json())["layout"]["left_out"] == []
    assert Reference.from_json(WHOLE.to_json()).layout.left_out == ()
    assert Reference.from_json(REFERENCE.to_json()).layout.left_out is None


def test_a_segment_does_not_repeat_the_alert_on_the_whole_model() -> None:
    quiet = [{**event, "tags": {"tier": "gold"}} for event in late(0.0)]
    for values in ({"x": "12.5"}, {"c": "XX"}, {"b": "maybe"}):
        events = [*quiet[:800], *some(quiet[800:1600], 0.6, **values), *quiet[1600:]]
        fired, resolved = run(events, segments=["tier"])
        assert (fired.kind, fired.segment, resolved.status) == ("data_quality", None, "resolved")
    for event in quiet[800:]:
        event["features"] = {"c": event["features"]["c"], "b": event["features"]["b"]}
    (fired,) = run(quiet, segments=["tier"])
    assert (fired.feature, fired.segment) == ("x", None)
    assert "has disappeared" in fired.summary


def test_what_is_no_new_field() -> None:
    for value in (None, [1], {"a": 1}):
        assert run(late(1.0, extra=value)) == []
    assert run(late(1.0, extra=1), ignore=["ext*"]) == []
    assert run(late(1.0, extra=1), budget="off") == []
    assert run(late(0.0, extra=1)) == []


def test_names_of_which_each_event_has_another_are_no_new_fields() -> None:
    events = hours(*[QUIET] * 3)
    for i, event in enumerate(events):
        event["features"][f"key_{i}"] = 1
    assert run(events) == []


def test_a_new_field_of_events_in_arrays() -> None:
    events = late(0.5, extra=1, c="XX")
    found = []
    for size, cut in ((1, 50), (3, 7), (3, 1_000)):
        here = plan(KNOWN, **BUDGET, show_values=True)
        arrays = [events[at : at + size] for at in range(0, len(events), size)]
        written = records(msgspec.json.encode(each) for each in arrays)
        counted = sketch(here)
        messages: list[Output] = []
        for at in range(0, len(written), cut):
            messages += counted.feed(here.opener(TOPIC).open(written[at : at + cut]), 0)
        panes = [message for message in messages if isinstance(message, Pane)]
        found.append([pane.sample for pane in panes])
        noted = {note for pane in panes for note in notes_of(pane)}
        assert noted == {
            Note("field", "extra", "a number"), Note("value", "c", "text", "XX"),
        }  # fmt: skip
        assert all(len({*hashes_of(pane)}) == len(hashes_of(pane)) for pane in panes)
    assert found[1] == found[2]


def notes_of(pane: Pane) -> list[Note]:
    assert pane.sample is not None
    return [note for _, notes in pane.sample.entries() for note in notes]


def hashes_of(pane: Pane) -> list[int]:
    assert pane.sample is not None
    return [digest for digest, _ in pane.sample.entries()]


def test_a_field_that_disappears() -> None:
    events = hours(*[QUIET] * 4)
    for event in events[800:]:
        del event["features"]["x"]
    (fired,) = run(events)
    assert fired.summary.startswith("m: x has disappeared: in 0.0 % of events, normally 100.0 %, ")
    assert (fired.kind, fired.detector) == ("data_quality", "missing")


def test_a_type_that_changes() -> None:
    (fired, _) = run(late(0.4, x="12.5"))
    assert fired.summary.startswith("m: x is now text, normally a number: in ")
    assert (fired.kind, fired.types) == ("data_quality", TypeChange("text", "a number"))
    (fired, _) = run(late(1.0, b="maybe"))
    assert fired.types == TypeChange("text", "a boolean")
    (fired, _) = run(late(1.0, c=7))
    assert fired.types == TypeChange("a number", "text")
    assert fired.top == []


def test_new_values_are_one_alert_and_named_where_they_may_be() -> None:
    (fired, _) = run(late(0.4, c="XX"), show_values=True)
    assert (fired.kind, fired.detector, fired.about) == ("data_quality", "unseen", True)
    assert fired.summary.startswith('m: c has a new value: "XX" is new in about ')
    assert fired.top[0].what == "XX"
    (fired, _) = run(late(0.4, c="XX"))
    assert fired.top == []
    assert "XX" not in fired.summary
    assert fired.summary.startswith(
        "m: c has a value that the reference does not list in 38.0 % of events, normally 0.0 %"
    )


def test_no_record_holds_a_value_that_must_not_be_shown() -> None:
    found = backtest(plan(**BUDGET), late(0.4, c="XX", x="secret"))
    text = repr([*alerts(found), *verdicts(found)])
    assert "XX" not in text
    assert "secret" not in text


def test_a_field_that_the_reference_left_out_is_not_new() -> None:
    known = {"m": replace(REFERENCE, layout=replace(REFERENCE.layout, left_out=("extra",)))}
    assert alerts(backtest(plan(known, **BUDGET), late(1.0, extra=1))) == []
