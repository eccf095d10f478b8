"""Which records are sent together, and when: exact cases, and what must hold for any of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.consumer.deliver.conftest import TOPIC, Alerts, alert, resolved

from driftline.consumer.deliver.incidents import GATHER, Incidents, Update
from driftline.consumer.deliver.mark_writer import MarkWriter
from driftline.consumer.deliver.marks import MarkReader
from driftline.consumer.deliver.notify import Sender
from driftline.consumer.deliver.position import MemoryPosition
from driftline.consumer.deliver.subscriber import AlertRecord, AlertSubscriber
from driftline.consumer.deliver.target import Delivery, MessageTarget
from driftline.consumer.wire.control import ACTIONS, Mark, Marks
from driftline.consumer.wire.records import Alert
from driftline.producer.records.timestamp import format_time

CONTROL = "driftline.control"
START = 1_767_225_600_000  # 2026-01-01T00:00:00Z
SECTIONS = ("began", "rose", "again", "ended")


def said(update: Update) -> dict[str, list[str]]:
    """The alerts of each part of an update that has any."""
    parts = {name: [each.alert_id for each in getattr(update, name)] for name in SECTIONS}
    return {name: found for name, found in parts.items() if found}


class Told:
    """Incidents, and what people say of their alerts."""

    def __init__(self, gather: int = 0) -> None:
        self.incidents = Incidents(gather)
        self.marks: dict[str, Marks] = {}
        self.place = 0

    def take(self, *alerts: Alert, now: int = START) -> None:
        for each in alerts:
            self.place += 1
            self.incidents.take(AlertRecord(each, b"", 0, self.place, now), now)

    def mark(self, alert_id: str, **actions: Mark | None) -> None:
        marks = self.marks.get(alert_id) or Marks("driftline.control.v1", alert_id)
        self.marks[alert_id] = msgspec.structs.replace(marks, **actions)

    def updates(self, now: int = START) -> list[dict[str, list[str]]]:
        return [said(update) for update in self.incidents.updates(self.marks, now)[0]]


MARK = Mark("ada", "2026-01-01T00:00:00Z")
SNOOZE = Mark("ada", "2026-01-01T00:00:00Z", until="2026-01-01T04:00:00Z")
LATER = START + 4 * 3_600_000


def test_what_comes_together_is_one_message_and_what_comes_later_an_update() -> None:
    told = Told(gather=GATHER)
    told.take(alert("a"), now=START)
    told.take(alert("b", severity="critical"), now=START + 3_000)
    told.take(alert("x", incident_id="other"), now=START + 3_000)
    assert told.updates(START + 4_999) == []
    ((first), _) = told.incidents.updates({}, START + 5_000)
    (update,) = first
    assert (update.first, said(update)) == (True, {"began": ["b", "a"]})
    assert [each.alert_id for each in update.firing] == ["b", "a"]
    assert [record.alert.alert_id for record in update.records] == ["a", "b"]
    assert told.updates(START + 8_000) == [{"began": ["x"]}]
    told.take(alert("c"), now=START + 60_000)
    ((update,), _) = told.incidents.updates({}, START + 65_000)
    assert (update.first, said(update), update.over) == (False, {"began": ["c"]}, False)
    assert len(update.firing) == 3


def test_a_rise_and_an_end_are_updates_and_a_repeat_is_none() -> None:
    told = Told()
    told.take(alert("a"), alert("b"))
    assert told.updates() == [{"began": ["a", "b"]}]
    told.take(alert("a", 2))  # published again after a week
    ((update,), dropped) = told.incidents.updates({}, START)
    assert (update.changed, len(update.records), dropped) == ([], 1, [])
    told.take(alert("a", 3, severity="critical"), resolved("b"))
    assert told.updates() == [{"rose": ["a"], "ended": ["b"]}]
    told.take(resolved("a", 4, severity="critical"))
    ((update,), _) = told.incidents.updates({}, START)
    assert (said(update), update.over) == ({"ended": ["a"]}, True)
    told.take(alert("c"))  # all of it was over: another message
    ((update,), _) = told.incidents.updates({}, START)
    assert update.first


def test_one_that_is_over_at_once_is_said_all_the_same() -> None:
    told = Told()
    told.take(alert("a"), resolved("a"))
    ((update,), _) = told.incidents.updates({}, START)
    assert (update.first, said(update), len(update.records)) == (True, {"ended": ["a"]}, 2)


def test_nothing_is_sent_while_snoozed_and_what_still_fires_comes_back() -> None:
    told = Told()
    told.take(alert("a"), alert("b"), alert("c"))
    assert told.updates() == [{"began": ["a", "b", "c"]}]
    for alert_id in "abd":
        told.mark(alert_id, snooze=SNOOZE)
    told.take(alert("a", 2, severity="critical"), resolved("b"), alert("d"))
    updates, dropped = told.incidents.updates(told.marks, START)
    assert updates == []
    assert len(dropped) == 3
    assert told.incidents.held == {"a": 1, "b": 1, "d": 0}
    told.take(alert("c", 2, severity="critical"))
    ((update,), _) = told.incidents.updates(told.marks, START)
    assert said(update) == {"rose": ["c"]}
    assert {each.alert_id for each in update.firing} == {"a", "c", "d"}  # snoozed ones fire too
    assert told.updates(LATER - 1) == []
    assert told.updates(LATER) == [{"began": ["d"], "rose": ["a"], "ended": ["b"]}]
    assert told.updates(LATER + 1) == []
    told.mark("a", snooze=msgspec.structs.replace(SNOOZE, until="2026-01-01T05:00:00Z"))
    assert told.updates(LATER + 2) == []
    assert told.updates(LATER + 3_600_000) == [{"again": ["a"]}]
    assert told.incidents.held == {}


def test_of_an_acknowledged_one_a_rise_and_the_end_are_sent() -> None:
    told = Told()
    told.take(alert("a"))
    told.mark("a", acknowledge=MARK)
    assert told.updates() == []  # somebody has seen it on the page already
    told.take(alert("a", 2))
    updates, dropped = told.incidents.updates(told.marks, START)
    assert (updates, len(dropped)) == ([], 1)
    told.mark("a", snooze=SNOOZE)
    assert told.updates() == []
    assert told.updates(LATER) == []  # it still fires, as is known
    told.take(alert("a", 3, severity="critical"))
    assert told.updates(LATER) == [{"rose": ["a"]}]
    told.take(resolved("a", 4, severity="critical"))
    assert told.updates(LATER) == [{"ended": ["a"]}]


def test_of_a_false_alarm_nothing_more_is_sent() -> None:
    told = Told()
    told.take(alert("a"), alert("b"))
    assert told.updates() == [{"began": ["a", "b"]}]
    told.mark("a", false_alarm=MARK)
    told.take(alert("a", 2, severity="critical"), resolved("b"))
    ((update,), _) = told.incidents.updates(told.marks, START)
    assert (said(update), update.over) == ({"ended": ["b"]}, True)  # the false alarm does not count
    told.mark("a", false_alarm=None)
    assert told.updates() == [{"rose": ["a"]}]
    told.mark("a", false_alarm=MARK)
    told.take(resolved("a", 3))
    assert told.updates() == []
    told.mark("a", false_alarm=None)
    assert told.updates() == [{"ended": ["a"]}]
    assert told.incidents._incidents == {}


def test_an_alert_may_join_another_incident() -> None:
    told = Told()
    told.take(alert("a", incident_id="one"), alert("b", incident_id="two"))
    assert told.updates() == [{"began": ["a"]}, {"began": ["b"]}]
    told.take(alert("b", 2, incident_id="one", severity="critical"))
    ((update,), _) = told.incidents.updates({}, START)
    assert (update.incident_id, update.first, said(update)) == ("one", False, {"rose": ["b"]})
    told.take(alert("b", 3, incident_id="three"))
    ((update,), _) = told.incidents.updates({}, START)
    assert (update.incident_id, update.first, update.changed) == ("three", False, [])
    assert sorted(told.incidents._incidents) == ["one", "three"]


# Any order of events, marks and restarts.


@dataclass
class World:
    """A topic of alerts, people who mark them, and a sender that restarts.

    Attributes:
        told: what was delivered of each alert, in order: part of the update, severity, status.
        lost: alerts of which something may come again: of deliveries that a crash left no trace
            of, and of records behind the kept position.
    """

    alerts: Alerts = field(default_factory=Alerts)
    positions: MemoryPosition = field(default_factory=MemoryPosition)
    newest: dict[str, Alert] = field(default_factory=dict)
    told: dict[str, list[tuple[str, str, str]]] = field(default_factory=dict)
    messages: Counter[str] = field(default_factory=Counter)
    lost: set[str] = field(default_factory=set)
    now: int = START

    def __post_init__(self) -> None:
        self.alerts.broker.create(CONTROL, 2, "compact")
        self.writer = MarkWriter(self.alerts.broker, CONTROL, lambda: self.now)
        self.restart()

    def restart(self) -> None:
        log = self.alerts.log
        kept = self.positions.load()
        for record in self.alerts.broker.records(TOPIC):
            if kept is not None and record.offset >= kept.offsets[record.partition]:
                self.lost.add((record.key or b"").decode())
        self.sender = Sender(
            AlertSubscriber(log, TOPIC, positions=self.positions),
            MarkReader(log, CONTROL),
            [MessageTarget("people", self.deliver)],
            lambda: self.now,
        )

    def deliver(self, update: Update) -> None:
        self.messages[update.incident_id] += 1
        for part, found in ((part, getattr(update, part)) for part in SECTIONS):
            for each in found:
                told = (part, each.severity, each.status)
                self.told.setdefault(each.alert_id, []).append(told)

    def poll(self, crash_after: int | None = None) -> None:
        """Let the sender look; of its deliveries only the first few are known to be done."""
        deliveries: Sequence[Delivery] = self.sender.poll()
        for number, delivery in enumerate(deliveries):
            delivery.attempt()
            if crash_after is None or number < crash_after:
                self.sender.done(delivery)
            else:
                self.lost |= {each.alert_id for each in delivery.update.changed}
        if crash_after is not None:
            self.restart()

    def publish(self, number: int, what: str) -> None:
        """Let an alert fire, rise, be published again, or end."""
        alert_id = f"a{number}"
        before = self.newest.get(alert_id)
        if before is None:
            record = alert(alert_id, incident_id=f"i{number // 2}")
        elif before.status != "firing":
            return
        else:
            rises = what == "rise" or before.severity == "critical"
            severity = "critical" if rises else "warning"
            made = resolved if what == "end" else alert
            record = made(
                alert_id, before.revision + 1, severity=severity, incident_id=before.incident_id
            )
        self.newest[alert_id] = record
        self.alerts.broker.now = self.now
        self.alerts.publish(record)

    def mark(self, number: int, action: Any, clear: bool) -> None:
        alert_id = f"a{number}"
        if clear:
            self.writer.clear(alert_id, action)
        else:
            until = format_time(self.now + 60_000) if action == "snooze" else None
            self.writer.mark(alert_id, action, "ada", until=until)

    def settle(self) -> None:
        """Let every snooze end, and all be sent."""
        self.now += 120_000
        self.poll()
        self.now += 2 * GATHER
        self.poll()


NUMBERS = st.integers(0, 2)
PUBLISH = st.tuples(st.just("publish"), NUMBERS, st.sampled_from(["rise", "repeat", "end"]))
MARKS = st.tuples(st.just("mark"), NUMBERS, st.sampled_from(ACTIONS), st.booleans())
WAIT = st.tuples(st.just("wait"), st.sampled_from([1_000, GATHER, 30_000]))
POLL = st.just(("poll",))
SEND = st.just(("send",))
RESTART = st.just(("restart",))
CRASH = st.tuples(st.just("crash"), st.integers(0, 2))


def run(steps: Sequence[tuple[Any, ...]]) -> World:
    world = World()
    world.poll()  # it begins with nothing, and keeps its position
    for name, *arguments in steps:
        match name:
            case "publish" | "mark":
                getattr(world, name)(*arguments)
            case "wait":
                world.now += arguments[0]
            case "poll" | "send":
                world.poll()
                if name == "send":
                    world.now += GATHER
                    world.poll()
            case "restart":
                world.restart()
            case "crash":
                world.poll(*arguments)
    world.settle()
    return world


def repeats(world: World) -> set[str]:
    """Alerts of which something was said more often than it happened."""
    found = set()
    for alert_id, told in world.told.items():
        parts = Counter(part for part, *_ in told)
        if max(parts["began"], parts["rose"], parts["ended"]) > 1:
            found.add(alert_id)
        if parts["ended"] and told[-1][0] != "ended":
            found.add(alert_id)
    return found


@given(st.lists(st.one_of(PUBLISH, SEND, WAIT, POLL, RESTART, CRASH), min_size=20, max_size=40))
def test_every_incident_has_a_message_and_every_alert_its_end(steps: list[Any]) -> None:
    world = run(steps)
    for alert_id, newest in world.newest.items():
        assert world.told[alert_id][-1][1:] == (newest.severity, newest.status)
        assert world.messages[newest.incident_id]
    assert repeats(world) <= world.lost


@given(st.lists(st.one_of(PUBLISH, SEND, MARKS, WAIT, POLL, RESTART), min_size=20, max_size=40))
def test_marks_hold_back_and_lose_nothing(steps: list[Any]) -> None:
    world = run(steps)
    assert repeats(world) <= world.lost
    reader = MarkReader(world.alerts.log, CONTROL)
    reader.new()
    for alert_id, newest in world.newest.items():
        marks = reader.newest.get(alert_id)
        if marks is not None and marks.false_alarm is not None:
            continue
        told = world.told.get(alert_id)
        if told is None:  # acknowledged before anything was sent of it, and it goes on
            assert marks is not None
            assert newest.status == "firing"
        else:
            assert told[-1][1:] == (newest.severity, newest.status)


@given(
    st.lists(st.one_of(PUBLISH, SEND, MARKS, WAIT, POLL, RESTART, CRASH), min_size=20, max_size=40)
)
def test_a_crash_repeats_at_most_what_it_left_undone(steps: list[Any]) -> None:
    world = run(steps)
    assert repeats(world) <= world.lost


@pytest.mark.parametrize("done", [False, True])
def test_what_was_held_back_is_known_after_a_restart(done: bool) -> None:
    def gathered() -> None:
        world.poll()
        world.now += GATHER
        world.poll()

    world = World()
    world.publish(0, "fire")
    gathered()
    world.mark(0, "snooze", clear=False)
    world.publish(0, "rise")
    gathered()
    kept = world.positions.load()
    assert kept is not None
    assert kept.held == {"a0": 1}  # the rise was handled, and not sent
    world.mark(0, "snooze", clear=True)
    world.restart()
    world.poll(None if done else 0)
    world.settle()
    began, rose = ("began", "warning", "firing"), ("rose", "critical", "firing")
    assert world.told["a0"] == [began, rose] + [rose] * (not done)
    kept = world.positions.load()
    assert kept is not None
    assert kept.held == {}
