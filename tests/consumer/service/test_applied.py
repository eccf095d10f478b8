"""Models are added, changed and removed while workers run."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.consumer.service.rig import Rig
from tests.consumer.service.small import (
    LABELS,
    MODEL,
    SECOND,
    START,
    TOPIC,
    WINDOW,
    labelled_plan,
    plan,
    reference,
    row,
    seconds,
)

from driftline.consumer.config import Config
from driftline.consumer.config.applied import write_model
from driftline.consumer.log.errors import LogError
from driftline.consumer.service import applying
from driftline.consumer.service.applied import AppliedModels
from driftline.consumer.service.applying import (
    Author,
    Change,
    compare,
    largest_time,
    removal,
    write,
)
from driftline.consumer.service.opening import Opening
from driftline.consumer.service.plan import Plan
from driftline.consumer.wire.messages import ModelChange, decode_panes

MINUTE = 60 * SECOND
WATCHED: dict[str, Any] = {
    "window": {**WINDOW, "grace": "2s"},
    "thresholds": {"ks": {"warning": 0.9}},
}


def empty() -> Plan:
    """A deployment whose file names no models."""
    kafka = {"bootstrap_servers": "localhost:9092", "start": "earliest"}
    return Plan(Config.model_validate({"kafka": kafka, "limits": {"idle_after": "5s"}}), {})


class Applying(Rig):
    """A rig whose models are applied, and time goes on with the events."""

    def __init__(self, *topics: str, partitions: int = 1) -> None:
        super().__init__(empty())
        for topic in topics or (TOPIC,):
            self.broker.create(topic, partitions)
        self.broker.create("driftline.models", 1, "compact")
        self.broker.now = START
        self.applied = AppliedModels(self.broker.log, "driftline.models")

    def apply(self, wanted: Plan, *, prune: bool = False) -> list[Change]:
        """Apply a plan's configuration; return what changed."""
        self.applied.refresh()
        author = Author("ada", self.broker.now)
        changes = compare(self.applied, wanted.config, wanted.references, author, self._progress)
        if prune:
            left = [each for each in changes if each.action == "left"]
            changes += [
                removal(self.applied, each, author, self._progress(each.name)) for each in left
            ]
        write(self.applied, changes, self.broker.producer(), author.at)
        return changes

    def live(self, start: int, end: int, **values: Any) -> None:
        """Let an event of each second arrive at its time (seconds after `START`)."""
        for second in range(start, end):
            self.broker.now = max(self.broker.now, START + second * SECOND)
            self.write([row(second * SECOND, **values)])
            for worker, _, _ in self.workers:
                worker.step()

    def judged(self, model: str = MODEL, feature: str = "x") -> list[tuple[int, int, str]]:
        """(start, end, state) of the windows of a feature, by time."""
        return sorted(
            (seconds(v["window"]["start"]), seconds(v["window"]["end"]), v["reason"] or v["state"])
            for v in self.verdicts().values()
            if (v["model"], v["feature"]) == (model, feature) and v["segment"] is None
        )

    def _progress(self, model: str) -> int | None:
        return largest_time(self.broker.log, "driftline.panes", 2, model)


def changed(rig: Rig) -> list[ModelChange]:
    """The changes in the log of panes."""
    found = [decode_panes(record.value or b"") for record in rig.records("panes")]
    return [each for each in found if isinstance(each, ModelChange)]


def test_a_model_is_added_while_a_worker_runs() -> None:
    rig = Applying()
    rig.start()
    rig.live(0, 20)
    assert rig.verdicts() == {}
    (added,) = rig.apply(plan(**WATCHED))
    assert (added.action, added.name) == ("added", MODEL)
    rig.live(20, 100)
    rig.settle()
    assert rig.judged()[:3] == [(-20, 10, "ok"), (-10, 20, "ok"), (0, 30, "ok")]
    assert changed(rig) == []


def test_a_threshold_is_changed() -> None:
    rig = Applying()
    rig.start()
    rig.apply(plan(**WATCHED))
    rig.live(0, 100)
    (change,) = rig.apply(plan(**{**WATCHED, "thresholds": {"ks": {"warning": 0.01}}}))
    assert (change.action, change.keys) == ("changed", ["thresholds.ks.warning"])
    assert change.first == START + 110 * SECOND
    rig.live(100, 200)
    rig.settle()
    states = {end: state for _, end, state in rig.judged()}
    assert [states[end] for end in (90, 100, 110, 120, 130)] == [*["ok"] * 3, *["warning"] * 2]
    assert {each.first for each in changed(rig)} == {change.first}


def test_a_detector_that_only_another_installation_has_stops_a_worker(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It would count the model's events as read, and never judge them."""
    rig = Applying()
    rig.start()
    rig.live(0, 5)
    monkeypatch.setattr(
        applying, "write_model", lambda model: write_model(model).replace('"ks"', '"g_test"')
    )
    rig.apply(plan(**WATCHED))
    with pytest.raises(LogError) as error:
        rig.live(5, 10)
    sentence = str(error.value)
    assert sentence.startswith(
        "m in driftline.models cannot be watched here: thresholds.g_test: Input should be 'ks', "
    )
    assert sentence.endswith("install what it names beside every worker, or apply it without")


def test_another_layout_holds_from_a_pane_on() -> None:
    rig = Applying()
    rig.start()
    rig.apply(plan(**WATCHED))
    rig.live(0, 100)
    (change,) = rig.apply(plan({MODEL: reference(seed=7)}, **WATCHED))
    assert (change.keys, change.first) == (["reference"], START + 110 * SECOND)
    rig.live(100, 200)
    rig.settle()
    states = {end: state for _, end, state in rig.judged()}
    assert [states[end] for end in range(90, 160, 10)] == [
        *["ok"] * 3, *["reference changed"] * 2, *["ok"] * 2,
    ]  # fmt: skip
    events = {
        seconds(v["window"]["end"]): v["window"]["events"]
        for v in rig.verdicts().values()
        if v["feature"] == "x"
    }
    assert {events[end] for end in (100, 110, 140, 150)} == {30}


def test_a_model_is_removed_and_applied_again() -> None:
    rig = Applying()
    rig.start()
    one, both = plan(**WATCHED), plan({"n": reference(model="n")}, **WATCHED, models={"n": {}})
    rig.apply(both)
    rig.live(0, 60, x=9.0)
    rig.settle()
    assert [a["status"] for a in rig.alerts() if a["feature"] == "x"] == ["firing"]
    quiet = both.without([MODEL])
    left, *_ = [each for each in rig.apply(quiet) if each.action == "left"]
    assert left.name == MODEL
    rig.live(60, 120, x=9.0)
    rig.settle()
    before = rig.judged()[-1]
    assert before[1] == 110
    (gone,) = [each for each in rig.apply(quiet, prune=True) if each.action == "removed"]
    assert gone.name == MODEL
    for _ in range(2):  # not before its last events may be in
        rig.settle()
    firing, resolved = [a for a in rig.alerts() if a["feature"] == "x"]
    assert (resolved["status"], resolved["alert_id"]) == ("resolved", firing["alert_id"])
    assert resolved["summary"] == "m: removed, so it is watched no more."
    windows = rig.judged()
    rig.live(200, 230, x=9.0)
    rig.settle()
    assert rig.judged() == windows
    rig.apply(one)
    rig.live(230, 330, x=9.0)
    rig.settle()
    again = [each for each in rig.judged() if each not in windows]
    assert (again[0][0] >= 200, again[0][2], again[-1][1]) == (True, "warning", 320)


def test_a_removed_model_that_nobody_joins_is_let_go_after_ten_minutes() -> None:
    rig = Applying(TOPIC, LABELS)
    own = rig.plan.config.model_copy(update={"stages": ("sketch", "judge")})
    rig.plan = replace(rig.plan, config=own)
    rig.start()
    wanted = labelled_plan("arrival")
    rig.apply(wanted)
    rig.live(0, 60, x=9.0)
    rig.settle()
    rig.apply(wanted.without([MODEL]), prune=True)
    began = rig.broker.now
    while rig.broker.now < began + 9 * MINUTE:
        rig.settle()
    assert {alert["status"] for alert in rig.alerts()} == {"firing"}
    while rig.broker.now < began + 12 * MINUTE:
        rig.settle()
    assert [a["status"] for a in rig.alerts() if a["feature"] == "x"] == ["firing", "resolved"]


def test_a_silent_model_that_is_changed_is_opened_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not at each step until its next event, which may never come."""
    rig = Applying()
    rig.start()
    silent = {**WATCHED, "stale_after": "20s"}
    rig.apply(plan(**silent))
    rig.live(0, 60)
    rig.broker.now += 30 * SECOND
    rig.settle()
    opened: list[Any] = []
    original = Opening.input

    def open_input(self: Opening, *given: Any) -> Any:
        opened.append(given)
        return original(self, *given)

    monkeypatch.setattr(Opening, "input", open_input)
    rig.apply(plan(**{**silent, "thresholds": {"ks": {"warning": 0.01}}}))
    rig.settle()
    assert len(opened) == 1
