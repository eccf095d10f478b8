"""`driftline alerts acknowledge`, `snooze` and `false-alarm`: said, shown, and taken back."""

from __future__ import annotations

import getpass
import json
from collections.abc import Callable, Iterator

import pytest
from tests.consumer.cli.conftest import Driftline, Ran
from tests.consumer.deliver.conftest import Alerts, alert, resolved

from driftline.consumer.cli import alert_marking
from driftline.consumer.deliver.mark_writer import MarkWriter
from driftline.consumer.log import kafka_python
from driftline.consumer.log.errors import LogError
from driftline.consumer.log.memory import MemoryLog

BROKER = ("--bootstrap-servers", "localhost:9092")
TAIL = ("alerts", "tail", "--no-follow", *BROKER)
NOW = 1_767_225_600_000  # 2026-01-01T00:00:00Z
CONTROL = "driftline.control"


@pytest.fixture(autouse=True)
def alerts(monkeypatch: pytest.MonkeyPatch) -> Alerts:
    made = Alerts()
    made.broker.create("driftline.verdicts", 3)
    made.broker.create(CONTROL, 3, "compact")
    made.publish(alert("abc1"), alert("abd2", summary="car-loan: age rose"))
    monkeypatch.setattr(kafka_python, "connect", lambda config: made.broker)
    monkeypatch.setattr(alert_marking, "now_ms", lambda: NOW)
    monkeypatch.setattr(getpass, "getuser", lambda: "ada")
    return made


def test_each_is_said_and_shown_and_taken_back(driftline: Driftline) -> None:
    def mark(*arguments: object) -> str:
        ran = driftline("alerts", *arguments, *BROKER)
        assert (ran.code, ran.err) == (0, "")
        return ran.out

    rose = "car-loan: car_value rose: median 43,485, normally 21,902, since 2019-03-27."
    first = mark("acknowledge", "abc", "--why", "looks at it")
    assert first == f"abc1  acknowledged by ada (looks at it)  {rose}\n"
    both = "acknowledged by ada (looks at it), snoozed until 2026-01-01 04:00 by bob"
    assert mark("snooze", "abc1", "--for", "4h", "--who", "bob") == f"abc1  {both}  {rose}\n"
    mark("false-alarm", "abd2")
    assert driftline(*TAIL).out.splitlines() == [
        f"2019-04-08 00:00  FIRING    warning   {rose}  [{both}]",
        "2019-04-08 00:00  FIRING    warning   car-loan: age rose  [a false alarm by ada]",
    ]
    shown = driftline("alerts", "show", "abd2", *BROKER).out.splitlines()
    assert shown[1:3] == ["age rose", "a false alarm by ada"]
    found = json.loads(driftline("alerts", "show", "abc1", "--json", *BROKER).out)
    assert found["marks"]["snooze"] == {
        "who": "bob", "at": "2026-01-01T00:00:00Z", "until": "2026-01-01T04:00:00Z",
    }  # fmt: skip
    assert json.loads(driftline(*TAIL, "--json").out.splitlines()[1])["marks"]["false_alarm"]
    mark("snooze", "abc1", "--clear")
    assert mark("acknowledge", "abc1", "--clear") == f"abc1  no marks  {rose}\n"
    assert driftline(*TAIL).out.splitlines()[0].endswith(rose)


def test_a_mark_that_comes_while_following_is_a_line(
    driftline: Driftline, alerts: Alerts, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = MarkWriter(alerts.broker, CONTROL, lambda: NOW)
    writer.mark("gone", "acknowledge", "ada")
    steps: Iterator[Callable[[], object]] = iter(
        [
            lambda: writer.mark("abc1", "acknowledge", "bob"),
            lambda: writer.mark("other", "acknowledge", "bob"),
            lambda: writer.clear("abc1", "acknowledge"),
            lambda: alerts.publish(resolved("abc1")),
            lambda: writer.mark("abc1", "false_alarm", "bob"),  # ended: a line would say nothing
        ]
    )

    def sleep(seconds: float) -> None:
        step = next(steps, None)
        if step is None:
            raise KeyboardInterrupt
        step()

    monkeypatch.setattr("time.sleep", sleep)
    lines = driftline("alerts", "tail", *BROKER).out.splitlines()
    rose = "car-loan: car_value rose: median 43,485, normally 21,902, since 2019-03-27."
    assert lines[2:] == [
        f"2026-01-01 00:00  MARKED    warning   acknowledged by bob: {rose}",
        f"2026-01-01 00:00  MARKED    warning   no marks any more: {rose}",
        f"2019-04-08 00:00  RESOLVED  warning   {rose}",
    ]


def refused(ran: Ran) -> str:
    assert (ran.code, ran.out) == (2, "")
    assert len(ran.err.splitlines()) == 1
    return ran.err


@pytest.mark.parametrize("verb", ["acknowledge", "snooze", "false-alarm"])
def test_what_cannot_be_marked(driftline: Driftline, alerts: Alerts, verb: str) -> None:
    length = ("--for", "4h") if verb == "snooze" else ()
    said = refused(driftline("alerts", verb, "xyz", *length, *BROKER))
    assert said == "xyz: no such alert in driftline.alerts, which keeps 30 days\n"
    said = refused(driftline("alerts", verb, "ab", *length, *BROKER))
    assert said == "ab: 2 alerts in driftline.alerts begin so, give more of it\n"
    assert not list(alerts.broker.records(CONTROL))
    alerts.broker.infos.pop(CONTROL)
    said = refused(driftline("alerts", verb, "abc1", *length, *BROKER))
    assert said.startswith("driftline.control does not exist, so alerts cannot be marked: run ")


def test_a_snooze_ends(driftline: Driftline) -> None:
    said = refused(driftline("alerts", "snooze", "abc1", *BROKER))
    assert said == "--for is missing: say for how long, such as --for 4h\n"
    said = refused(driftline("alerts", "snooze", "abc1", "--for", "long", *BROKER))
    assert said == "--for long: write a duration such as 90s or 10m\n"


def test_nobody_is_known(driftline: Driftline, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown() -> str:
        raise KeyError("getpwuid(): uid not found: 1000")

    monkeypatch.setattr(getpass, "getuser", unknown)
    said = refused(driftline("alerts", "acknowledge", "abc1", *BROKER))
    assert said == "--who: say who you are, your login name is not known\n"
    assert driftline("alerts", "acknowledge", "abc1", "--who", "ada", *BROKER).code == 0


def test_alerts_are_shown_to_who_may_not_read_marks(
    driftline: Driftline, alerts: Alerts, monkeypatch: pytest.MonkeyPatch
) -> None:
    topics = MemoryLog.topics

    def refuse(log: MemoryLog, names: frozenset[str], patience: float | None = None) -> object:
        if CONTROL in names:
            raise LogError("the broker refuses: TopicAuthorizationFailedError")
        return topics(log, names, patience)

    monkeypatch.setattr(MemoryLog, "topics", refuse)
    ran = driftline(*TAIL)
    assert (ran.code, len(ran.out.splitlines())) == (0, 2)
    assert driftline("alerts", "show", "abc1", *BROKER).code == 0
    assert refused(driftline("alerts", "acknowledge", "abc1", *BROKER)).startswith("the broker re")
