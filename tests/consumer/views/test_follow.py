"""Topics are followed newest first, as far back as views hold, whatever the broker does."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import msgspec
import pytest
from tests.consumer.golden.everything import CREDIT, PLAIN, everything
from tests.consumer.views.test_answers import NOW, SCHEMA, WHO, records

from driftline.consumer.config import ModelConfig, OutputConfig
from driftline.consumer.config.applied import write_model
from driftline.consumer.log.errors import LogError, Unreachable, WorkerLost
from driftline.consumer.log.memory import MemoryBroker, MemoryLog, MemoryRecord
from driftline.consumer.log.protocol import Message, TopicInfo, TopicPartition
from driftline.consumer.views import follow
from driftline.consumer.views.fold import Changes, Views
from driftline.consumer.views.follow import Follower
from driftline.consumer.views.ring import Place
from driftline.consumer.views.settings import ModelSettings, Settings
from driftline.consumer.wire.applied import AppliedModel, ReferencePart, Version, key_of
from driftline.consumer.wire.codec import encode
from driftline.consumer.wire.control import Marks
from driftline.consumer.wire.records import Verdict

OUTPUT = OutputConfig()
VERDICTS, ALERTS, CONTROL = map(OUTPUT.topic, ("verdicts", "alerts", "control"))


class CountingLog(MemoryLog):
    """Counts the records that were read, by topic; may be away."""

    def __init__(self, broker: MemoryBroker) -> None:
        super().__init__(broker)
        self.read_of: dict[str, int] = {}
        self.away = False

    def end_offsets(self, partitions: Any) -> dict[TopicPartition, int]:
        if self.away:
            raise WorkerLost("the broker has given no answer for 10 s")
        return super().end_offsets(partitions)

    def read(
        self,
        start: Mapping[TopicPartition, int],
        stop: Mapping[TopicPartition, int] | None = None,
    ) -> Iterator[MemoryRecord]:
        for record in super().read(start, stop):
            self.read_of[record.topic] = self.read_of.get(record.topic, 0) + 1
            yield record


def follower(log: MemoryLog, **more: Any) -> Follower:
    return Follower(lambda: log, OUTPUT, clock=lambda: NOW, **more)


def settle(one: Follower) -> None:
    one.run(lambda: False)


def direct(**more: Any) -> Views:
    """The views of all records of the run, in the order of their topics."""
    rig = everything()
    found: dict[Place, Verdict] = {}
    views = Views(clock=lambda: NOW, read=lambda place: found[place], **more)
    for record in rig.records("verdicts"):
        place = Place(record.partition, record.offset)
        found[place] = msgspec.json.decode(record.value or b"", type=Verdict)
        views.judged(found[place], place)
    for record, alert in zip(rig.records("alerts"), records()[1], strict=True):
        views.alerted(alert, record.timestamp)
    return views


def answers(views: Views) -> list[Any]:
    shown: list[Any] = [views.home(), views.alerts(limit=50)]
    for model in (CREDIT, PLAIN):
        shown += [views.model(model), views.performance(model), views.feature(model, "ks")]
    shown += [views.alert(row.alert_id) for row in views.alerts(limit=9).alerts]
    return shown


def test_the_views_are_those_of_all_records() -> None:
    one = follower(everything().broker.log)
    settle(one)
    assert one.ask(answers) == answers(direct())
    assert one.status("t", "1.0").connected
    assert not one.status().loading


def test_the_newest_come_first_and_no_more_than_is_held() -> None:
    log = CountingLog(everything().broker)
    with patch.object(follow, "FIRST_CHUNK", 200), patch.object(follow, "LARGEST_CHUNK", 400):
        one = follower(log, windows=5)
        assert one.step()
        home = direct(windows=5).home()
        assert one.ask(lambda views: views.home()).through == home.through
        assert one.status().loading
        first = dict(log.read_of)
        settle(one)
    assert not one.status().loading
    assert one.ask(lambda views: views.model(CREDIT)) == direct(windows=5).model(CREDIT)
    assert first[VERDICTS] <= 2 * 200
    assert log.read_of[VERDICTS] < len(everything().records("verdicts")) / 2


class WithoutMarks(MemoryLog):
    """A broker whose user may not read what people say of alerts."""

    def end_offsets(self, partitions: Any) -> dict[TopicPartition, int]:
        if any(at.topic == CONTROL for at in partitions):
            raise LogError(f"{CONTROL}: the user may not read it")
        return super().end_offsets(partitions)


def test_without_the_right_to_read_marks_all_else_is_read(
    caplog: pytest.LogCaptureFixture,
) -> None:
    run = everything().broker
    broker = replace(run, infos=dict(run.infos), logs=dict(run.logs))
    broker.create(CONTROL, 1)
    one = follower(WithoutMarks(broker))
    settle(one)
    settle(one)
    assert one.status().connected
    assert one.ask(lambda views: views.home()) == direct().home()
    assert caplog.messages == [f"marks of alerts are unknown: {CONTROL}: the user may not read it"]


@pytest.mark.parametrize(("newest", "largest"), [("performance.comparison", 60), ("ks", 10)])
def test_a_model_of_longer_windows_is_found_behind_those_of_others(
    newest: str, largest: int
) -> None:
    broker = MemoryBroker()
    for name in (VERDICTS, ALERTS):
        broker.create(name, 1)
    some = next(
        json.loads(record.value or b"")
        for record in everything().records("verdicts")
        if json.loads(record.value or b"")["feature"] == "ks"
    )
    kind = "performance" if newest != "ks" else some["type"]
    daily = {**some, "model": "daily"}
    often = {**some, "model": "often", "feature": newest, "type": kind}
    values = [daily]
    for minute in range(59):
        window = {
            "start": f"2026-01-01T00:{minute:02}:00Z",
            "end": f"2026-01-01T00:{minute + 1:02}:00Z",
            "events": 9,
        }
        values.append({**often, "window": window})
    for value in values:
        broker.append(Message(VERDICTS, 0, b"", json.dumps(value).encode()))
    settings = Settings({"daily": ModelSettings()})
    with patch.object(follow, "FIRST_CHUNK", 10), patch.object(follow, "LARGEST_CHUNK", largest):
        one = follower(broker.log, settings=settings, windows=15)
        settle(one)
    shown = one.ask(lambda views: views.model("daily"))
    assert shown is not None
    assert len(shown.axis.ends) == 1


def test_of_two_marks_the_one_that_came_later_holds() -> None:
    broker = MemoryBroker()
    for name in (VERDICTS, ALERTS):
        broker.create(name, 1)
    broker.create(CONTROL, 2, "compact")
    alert = everything().records("alerts")[0]
    broker.append(Message(ALERTS, 0, alert.key, alert.value))
    one, marks = follower(broker.log), Marks(SCHEMA, records()[1][0].alert_id)
    # As where the topic got more partitions: the other has smaller offsets.
    for partition, action in ((0, None), (0, "acknowledge"), (1, "false_alarm")):
        if action is not None:
            marks = Marks(SCHEMA, marks.alert_id, **{action: WHO})
        broker.append(Message(CONTROL, partition, b"", msgspec.json.encode(marks)))
        settle(one)
        (row,) = one.ask(lambda views: views.alerts()).alerts
        assert row.marks == (None if action is None else marks)


def test_what_comes_new_is_told() -> None:
    told: list[Changes] = []
    broker = MemoryBroker()
    for name in (VERDICTS, ALERTS):
        broker.create(name, 2)
    ticks = iter(range(0, 10_000, 20))
    one = follower(broker.log, changed=told.append, timer=lambda: next(ticks))
    settle(one)
    assert told == []
    before = one.version
    mine = [record for record in everything().records("verdicts") if record.partition == 1]
    for record in mine[:3]:
        broker.append(Message(VERDICTS, 1, record.key, record.value))
    alert = everything().records("alerts")[0]
    broker.append(Message(ALERTS, 0, alert.key, alert.value))
    broker.append(Message(ALERTS, 0, b"x", b"no alert"))
    broker.append(Message(ALERTS, 0, b"x", None))
    settle(one)
    models = {msgspec.json.decode(record.value or b"")["model"] for record in mine[:3]}
    assert told == [(frozenset({*models, records()[1][0].model}), True)]
    assert one.version > before
    # The topic of marks comes later, and is found.
    broker.create(CONTROL, 1, "compact")
    marks = Marks(SCHEMA, records()[1][0].alert_id, acknowledge=WHO)
    broker.append(Message(CONTROL, 0, b"", msgspec.json.encode(marks)))
    for _ in range(3):
        settle(one)
    (row,) = one.ask(lambda views: views.alerts()).alerts
    assert row.marks == marks
    broker.append(Message(CONTROL, 0, marks.alert_id.encode(), None))
    settle(one)
    (row,) = one.ask(lambda views: views.alerts()).alerts
    assert row.marks is None


def test_a_record_that_cannot_be_is_passed_over(caplog: pytest.LogCaptureFixture) -> None:
    broker = MemoryBroker()
    for name in (VERDICTS, ALERTS):
        broker.create(name, 1)
    good = everything().records("verdicts")[0].value or b""
    huge = msgspec.json.decode(good)
    huge["window"]["events"] = 2**63
    for value in (msgspec.json.encode(huge), b"{", good):
        broker.append(Message(VERDICTS, 0, b"", value))
    one = follower(broker.log)
    settle(one)
    assert len(one.ask(lambda views: views.home()).models) == 1
    assert [record.getMessage().split(": ")[0] for record in caplog.records] == [
        f"{VERDICTS}[0], offset {offset}" for offset in (0, 1)
    ]


def test_an_error_of_its_own_is_said() -> None:
    class Broken(MemoryLog):
        def read(self, *_: Any, **__: Any) -> Iterator[MemoryRecord]:
            raise RuntimeError("oops")

    one = follower(Broken(everything().broker))
    with pytest.raises(RuntimeError):
        settle(one)
    problem = "reading ended by an error of Driftline's own: RuntimeError('oops')"
    assert (one.status().connected, one.status().problem) == (False, problem)


def test_a_missing_topic_is_said_and_waited_for() -> None:
    broker = MemoryBroker()
    broker.create(VERDICTS, 1)
    one = follower(broker.log)
    settle(one)
    problem = f"{ALERTS} does not exist: check output.prefix, or run  driftline topics create"
    assert (one.status().connected, one.status().problem) == (False, problem)
    assert one.status().loading
    broker.create(ALERTS, 1)
    settle(one)
    assert one.status().problem is None


def test_a_broker_that_is_away_is_said_and_what_is_known_stays() -> None:
    log = CountingLog(everything().broker)
    attempts = iter([Unreachable("nobody answers"), None, Unreachable("nobody answers"), None])

    def connect() -> MemoryLog:
        error = next(attempts, None)
        if error is not None:
            raise error
        return log

    one = Follower(connect, OUTPUT, Settings.of(everything().plan.config), clock=lambda: NOW)
    assert one.status("page").problem == "not connected yet"
    assert len(one.ask(lambda views: views.home()).models) == len(everything().plan.config.models)
    settle(one)
    assert one.status().problem == "nobody answers"
    settle(one)
    known = one.ask(lambda views: views.home())
    assert known.through is not None
    log.away = True
    settle(one)
    status = one.status("page", "1.2", writable=True)
    assert (status.connected, status.writable, status.title) == (False, True, "page")
    assert status.problem == "the broker has given no answer for 10 s"
    assert one.ask(lambda views: views.home()) == known
    # What has to be read is left out.
    shown = one.ask(lambda views: views.feature(CREDIT, "ks"))
    assert shown is not None
    assert shown.verdict is None
    log.away = False
    settle(one)
    assert one.status().connected
    shown = one.ask(lambda views: views.feature(CREDIT, "ks"))
    assert shown is not None
    assert shown.verdict is not None
    one.close()


def test_a_broker_that_does_not_answer_is_said_to_be_away() -> None:
    now, seen = [0.0], list[tuple[bool, str | None]]()

    class Silent(MemoryLog):
        """Takes half a minute for an answer."""

        def topics(self, names: Any, patience: float | None = None) -> dict[str, TopicInfo]:
            if now[0]:
                status = one.status()
                seen.append((status.connected, status.problem))
                now[0] += 30.0
                status = one.status()
                seen.append((status.connected, status.problem))
            return super().topics(names, patience)

    log = Silent(everything().broker)
    one = follower(log, timer=lambda: now[0])
    settle(one)
    now[0] = 100.0
    settle(one)
    assert seen == [(True, None), (False, "the broker has given no answer for 30 seconds")]
    assert one.status().connected


def test_a_verdict_that_is_gone_is_left_out() -> None:
    source, broker = everything().broker, MemoryBroker()
    for name in (VERDICTS, ALERTS):
        broker.create(name, 2)
    for record in source.records(VERDICTS):
        broker.append(Message(VERDICTS, record.partition, record.key, record.value))
    one = follower(broker.log)
    settle(one)
    for number in range(2):
        at = TopicPartition(VERDICTS, number)
        broker.delete_before(at, broker.stable_end(at))
    shown = one.ask(lambda views: views.feature(CREDIT, "ks"))
    assert shown is not None
    assert (shown.verdict, shown.names) == (None, [])
    assert shown.effect


@pytest.mark.parametrize("windows", [3, 60])
def test_a_report_reads_many_verdicts(windows: int) -> None:
    one = follower(everything().broker.log, windows=windows)
    settle(one)
    report = one.ask(lambda views: views.report(None, None))
    assert len(report.features) > 40
    assert all(feature.verdict is not None for feature in report.features)


def test_budgets_are_those_of_the_models_that_were_applied() -> None:
    broker = everything().broker
    broker.create("driftline.models", 1, "compact")
    model = ModelConfig.model_validate(
        {"predictions": "in", "reference": "r", "budget": "2 per 7d"}
    )
    version = Version("1", None, write_model(model), "r", [], "ada", NOW)
    part, gone = ReferencePart(CREDIT, b"..."), msgspec.structs.replace(version, configuration=None)
    try:
        one = follower(broker.log)
        settle(one)
        for record in (part, AppliedModel(CREDIT, [version]), AppliedModel(PLAIN, [gone])):
            broker.append(Message("driftline.models", 0, key_of(record), encode(record)))
        broker.append(Message("driftline.models", 0, b"model/x", b"?"))
        one._looked = float("-inf")  # as after half a minute
        settle(one)
        allowed = {row.model: row.budget and row.budget.allowed for row in one.ask(home).models}
        assert (allowed[CREDIT], allowed[PLAIN]) == (2.0, None)
    finally:
        del broker.infos["driftline.models"], broker.logs[TopicPartition("driftline.models", 0)]


def home(views: Views) -> Any:
    return views.home()
