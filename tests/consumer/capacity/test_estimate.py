"""A plan against the log: what is foretold is what a service writes, within a quarter.

Bytes of states are within three quarters: they go by the bins of the evidence.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from tests.consumer.service.small import TOPIC, labelled_plan

from driftline.consumer.capacity import marks
from driftline.consumer.capacity.estimate import Estimate, estimate
from driftline.consumer.capacity.limits import limits
from driftline.consumer.capacity.load import Load
from driftline.consumer.capacity.shape import ModelShape
from driftline.consumer.config import client_options
from driftline.consumer.log.topics import PANES_KEPT
from driftline.consumer.service import opening
from driftline.consumer.service.counting import SELDOM
from driftline.consumer.service.plan import Plan
from driftline.consumer.wire.codec import encode, pack_integers
from driftline.consumer.wire.messages import Pane, StreamCounts

from .service import plan_of, run, run_joined

EVERY = 300  # seconds
WINDOW = {"length": "10m", "every": "5m", "pane": "1m", "grace": "2s", "min_events": 10}
KEPT: dict[str, int | None] = {"panes": PANES_KEPT, "verdicts": 90 * 86_400_000}


def foretold(plan: Plan, rate: float, partitions: int, **load: Any) -> Estimate:
    """Return what is foretold of a plan."""
    shapes = {name: ModelShape.of(plan, name) for name in plan.models}
    given = {"outputs": 6, "workers": 1, **load}
    return estimate(shapes, plan.config, Load({TOPIC: rate}, {TOPIC: partitions}, **given), KEPT)


def told(plan: Plan, rate: float, partitions: int, **load: Any) -> dict[str, list[str]]:
    """Return the limits that are foretold, by subject."""
    shapes = {name: ModelShape.of(plan, name) for name in plan.models}
    found: dict[str, list[str]] = {}
    for each in limits(foretold(plan, rate, partitions, **load), shapes, plan.config):
        found.setdefault(each.subject, []).append(each.message)
    return found


@pytest.mark.parametrize(
    ("models", "partitions", "rate", "keyed", "settings"),
    [
        pytest.param(1, 4, 4, False, {"segments": ["tier"]}, id="one model in all partitions"),
        pytest.param(3, 6, 6, True, {}, id="three models, each in one of six partitions"),
    ],
)
def test_what_is_foretold_is_what_the_log_holds(
    models: int, partitions: int, rate: int, keyed: bool, settings: dict[str, Any]
) -> None:
    minutes = 20
    plan = plan_of(models, window=WINDOW, **settings)
    by_topic = {each.topic: each for each in foretold(plan, rate, partitions, keyed=keyed).topics}
    written = run(plan, partitions, rate, minutes, keyed=keyed)
    # The window that the run ends in waits for events behind it.
    seconds = {"panes": minutes * 60, "verdicts": minutes * 60 - EVERY, "state": minutes * 60}
    for name, span in seconds.items():
        expected, found = by_topic[f"driftline.{name}"], written[name]
        assert expected.records * span == pytest.approx(found.records, rel=0.25), name
        # What a feature's evidence has goes by its bins; here are fewer than where it was measured.
        within = 0.75 if name == "state" else 0.25
        assert expected.bytes * span == pytest.approx(found.bytes, rel=within), name


def merging(plan: Plan) -> Plan:
    """Return a plan whose workers add up the panes of their partitions."""
    output = plan.config.output.model_copy(update={"merge_panes": True})
    return replace(plan, config=plan.config.model_copy(update={"output": output}))


def test_panes_that_are_added_up_are_fewer() -> None:
    partitions, rate, minutes = 8, 4, 15
    plan = plan_of(1, window=WINDOW)
    found = foretold(merging(plan), rate, partitions).topics[0]
    written = run(merging(plan), partitions, rate, minutes, keyed=False)["panes"]
    assert found.records * minutes * 60 == pytest.approx(written.records, rel=0.25)
    assert found.bytes * minutes * 60 == pytest.approx(written.bytes, rel=0.25)
    # A horizon for each partition is left.
    assert found.bytes < 0.6 * foretold(plan, rate, partitions).topics[0].bytes
    # With a worker for each partition there is nothing to be added up.
    alone = foretold(plan, rate, partitions, workers=8).topics
    assert foretold(merging(plan), rate, partitions, workers=8).topics == alone


def test_of_very_many_models_marks_go_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "FLEET", 10)
    monkeypatch.setattr(marks, "FLEET", 10)
    models, partitions, rate, minutes = 30, 6, 6, 10
    plan = plan_of(models, window=WINDOW)
    by_topic = {each.topic: each for each in foretold(plan, rate, partitions, keyed=True).topics}
    written = run(plan, partitions, rate, minutes, keyed=True)
    for name in ("panes", "state"):
        expected, found = by_topic[f"driftline.{name}"], written[name]
        assert expected.records * minutes * 60 == pytest.approx(found.records, rel=0.25), name
        within = 0.75 if name == "state" else 0.25
        assert expected.bytes * minutes * 60 == pytest.approx(found.bytes, rel=within), name
    together = foretold(plan, rate, partitions, keyed=True).marks[TOPIC]
    assert together.records < together.models / 2


def test_what_is_joined_goes_to_every_partition_of_the_joins() -> None:
    partitions, rate, seconds = 4, 4, 60
    plan = labelled_plan("prediction")
    by_topic = {each.topic: each for each in foretold(plan, rate, partitions).topics}
    written = run_joined(plan, partitions, rate, seconds)
    expected, found = by_topic["driftline.joins"], written["joins"]
    assert expected.records * seconds == pytest.approx(found.records, rel=0.25)
    assert expected.bytes * seconds == pytest.approx(found.bytes, rel=0.25)
    states = by_topic["driftline.state"].records * seconds
    assert states == pytest.approx(written["state"].records, rel=0.25)


def test_sizes_kept_are_those_of_the_retention() -> None:
    found = foretold(plan_of(1, window=WINDOW), 100.0, 4)
    panes, verdicts, state = found.topics
    assert panes.kept == pytest.approx(panes.bytes * 7 * 86_400)
    assert verdicts.kept == pytest.approx(verdicts.bytes * 90 * 86_400)
    assert state.retention is None
    assert state.kept < 1e6  # the newest of each key alone


def test_what_adds_up_grows_with_partitions_and_what_is_keyed_does_not() -> None:
    plan = plan_of(3, window=WINDOW)
    few, many = (foretold(plan, 3_000.0, each).topics[0] for each in (10, 1_000))
    assert many.records == pytest.approx(100 * few.records, rel=0.2)
    keyed = foretold(plan, 3_000.0, 1_000, keyed=True).topics[0]
    # A model's own partition, and an idle mark a minute from each of the others.
    assert keyed.records == pytest.approx(3 * (2 / 60 + 999 / 60), rel=0.01)


def test_more_events_than_the_workers_bear() -> None:
    plan = plan_of(1, window=WINDOW)
    assert told(plan, 1_000.0, 6) == {}
    found = told(plan, 1_000_000.0, 6)
    assert "cores are needed" in found["workers"][0]
    assert "a partition needs" in found[TOPIC][0]
    found = told(plan, 1_000.0, 4, workers=8)
    assert found[TOPIC] == [
        "it has 4 partitions, so 4 of 8 workers count nothing of it: give it more partitions,"
        " or start fewer workers"
    ]
    assert "set output.partitions to 8" in found["driftline.panes"][0]


def test_of_very_many_models_a_state_is_recorded_seldom(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = plan_of(3, window=WINDOW)
    often = foretold(plan, 600.0, 6).stages[0].cores["states"]
    monkeypatch.setattr(marks, "FLEET", 2)
    seldom = foretold(plan, 600.0, 6)
    assert seldom.stages[0].cores["states"] == pytest.approx(often / SELDOM)
    assert seldom.marks[TOPIC].together


def test_a_worker_that_opens_too_many_models_is_taken_for_dead(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plan = plan_of(3, window=WINDOW)
    assert "workers" not in told(plan, 6.0, 6)
    monkeypatch.setitem(client_options._DEFAULTS, "max_poll_interval_ms", 100)
    (text,) = told(plan, 6.0, 6)["workers"]
    assert text.startswith("a worker opens 3 models that it judges in about 0 s, and the group")
    assert "start more workers with more output.partitions" in text
    asked = {"max_poll_interval_ms": 900_000}
    kafka = plan.config.kafka.model_copy(update={"options": asked})
    patient = plan.config.model_copy(update={"kafka": kafka})
    assert "workers" not in told(replace(plan, config=patient), 6.0, 6)


def test_rare_events_hold_the_clock() -> None:
    found = told(plan_of(1, window=WINDOW), 1.0, 60)
    assert "an event comes every 60 s to each of 60 partitions" in found["m0"][0]
    assert "key events by model" in found["m0"][0]


def test_too_few_events_for_a_window() -> None:
    window = {**WINDOW, "min_events": 5_000}
    (text,) = told(plan_of(1, window=window), 1.0, 1)["m0"]
    assert text == (
        "about 600 events in a window of 10m, which never has min_events 5000: use a longer window"
    )


def test_messages_of_many_partitions_are_most_of_judging() -> None:
    found = told(plan_of(50, window={**WINDOW, "pane": "5s"}), 1_000_000.0, 2_000)
    (text,) = [text for text in found["judge"] if "are most of judging" in text]
    assert "horizons a second, from 2,000 partitions" in text
    assert "key events by model, set output.merge_panes, use longer panes" in text
    merged = told(merging(plan_of(50, window={**WINDOW, "pane": "5s"})), 1_000_000.0, 2_000)
    assert not any("merge_panes" in text for texts in merged.values() for text in texts)
    found = told(plan_of(50, window={**WINDOW, "pane": "5s"}), 1_000_000.0, 20_000, keyed=True)
    assert "put models into topics of their own" in found["judge"][0]
    assert not any("key events" in text for texts in found.values() for text in texts)


@pytest.mark.parametrize("events", [1, 20, 400, 10_000])
def test_the_size_of_a_pane_is_that_of_its_message(events: int) -> None:
    """Cells that events fill are worked out from the reference's shares, and so are widths."""
    plan = plan_of(1, window=WINDOW)
    reference, shape = plan.references["m0"], ModelShape.of(plan, "m0")
    rng, starts = np.random.default_rng(events), reference.layout.starts.tolist()
    normal = reference.counts[0] / reference.events
    drawn = [rng.multinomial(events, normal[a:b]) for a, b in pairwise(starts)]
    counts = np.concatenate(drawn)
    where = np.flatnonzero(counts)
    stream = StreamCounts(
        None, events, {}, pack_integers(np.diff(where, prepend=0)), pack_integers(counts[where])
    )
    pane = Pane(TOPIC, 0, "m0", 0, 60_000, "id", 0, events, 0, counts.size, [stream])
    size = shape.pane_size(events)
    assert size.cells == pytest.approx(len(where), rel=0.1)
    sample = 8 * min(events, 13)
    assert size.bytes - sample == pytest.approx(len(encode(pane)), rel=0.1, abs=80)
