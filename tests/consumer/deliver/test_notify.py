"""From the topic to servers: what each kind of target gets, and what a restart repeats."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.consumer.deliver.conftest import TOPIC, Alerts, alert, first_update, resolved
from tests.consumer.deliver.test_webhook import Server, answering

from driftline.consumer.deliver import apprise as apprise_sink
from driftline.consumer.deliver.alertmanager import Alertmanager
from driftline.consumer.deliver.dispatcher import Attempts, Counts
from driftline.consumer.deliver.errors import AlertsError, DeliveryError
from driftline.consumer.deliver.mark_writer import MarkWriter
from driftline.consumer.deliver.marks import MarkReader
from driftline.consumer.deliver.message_text import message_text
from driftline.consumer.deliver.notify import notify
from driftline.consumer.deliver.position import FilePosition, MemoryPosition, PositionStore
from driftline.consumer.deliver.sample import send_sample
from driftline.consumer.deliver.sinks import sink_of
from driftline.consumer.deliver.subscriber import AlertSubscriber
from driftline.consumer.deliver.target import Access, MessageTarget, Target

CONTROL = "driftline.control"
NOW = 1_767_225_600_000  # 2026-01-01T00:00:00Z


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with answering() as made:
        yield made


def send(alerts: Alerts, *urls: str, positions: PositionStore | None = None) -> Counts:
    """Send all that is there."""
    return notify(
        AlertSubscriber(alerts.log, TOPIC, positions=positions),
        MarkReader(alerts.log, CONTROL),
        [sink_of(url).open(url, Access()) for url in urls],
        threading.Event(),
        Attempts(backoff=0.0),
        follow=False,
        now=lambda: NOW,
    )


def test_each_target_gets_its_form_and_a_restart_repeats_nothing(
    alerts: Alerts, server: Server, tmp_path: Path
) -> None:
    positions = FilePosition(tmp_path / "position.json")
    with answering() as other:
        urls = (server.url, f"slack+{other.url}", f"alertmanager+{other.url}/api/v2/alerts")
        alerts.publish(alert("a"), alert("b"), alert("c"), resolved("c"))
        counts = send(alerts, *urls, positions=positions)
        assert counts == Counts(delivered=4)  # two records, a message, and what fires
        assert {body["alert_id"] for body in server.bodies} == {"a", "b"}
        firing, message = sorted(other.bodies, key=lambda body: "text" in body)
        assert len(firing) == 2
        assert message["text"].splitlines()[0] == "*car-loan: FIRING warning, 2 alerts*"
        server.bodies.clear()
        other.bodies.clear()
        alerts.publish(resolved("b"), alert("a", 2, severity="critical"))
        assert send(alerts, *urls, positions=positions).delivered == 4
        assert {(body["alert_id"], body["revision"]) for body in server.bodies} == {
            ("a", 2), ("b", 2),
        }  # fmt: skip
        firing, message = sorted(other.bodies, key=lambda body: "text" in body)
        # All that fires is known again, and what had another severity has ended.
        assert [each["labels"]["severity"] for each in firing] == ["critical", "warning", "warning"]
        assert message["text"].splitlines()[:3] == [
            "*car-loan: FIRING critical, now 1 alert*",
            f"now critical: {alert().summary}",
            f"over: {alert().summary}",
        ]
        other.bodies.clear()
        counts = send(alerts, *urls, positions=positions)
        assert counts == Counts(delivered=1)
        assert len(other.bodies) == 1  # an Alertmanager is told again what fires


def test_what_is_refused_is_tried_again_and_given_up(
    alerts: Alerts, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    positions = MemoryPosition()
    assert send(alerts, server.url, positions=positions) == Counts()
    alerts.publish(alert("a"), alert("b", incident_id="other"), partition=0)
    server.codes = [500, 200, 404]
    counts = send(alerts, f"slack+{server.url}", positions=positions)
    assert counts == Counts(delivered=1, retried=1, failed=1)
    assert "secret" not in caplog.text
    assert "127.0.0.1 answered 404" in caplog.text
    assert "127.0.0.1: incident " in caplog.text
    assert send(alerts, server.url, positions=positions) == Counts()


def test_marks_hold_messages_back(alerts: Alerts, server: Server) -> None:
    alerts.broker.create(CONTROL, 1, "compact")
    writer = MarkWriter(alerts.broker, CONTROL, lambda: NOW)
    writer.mark("a", "snooze", "ada", until="2026-01-01T01:00:00Z")
    writer.mark("b", "false_alarm", "ada")
    alerts.publish(alert("a"), alert("b"), alert("c"))
    send(alerts, server.url)
    assert [body["alert_id"] for body in server.bodies] == ["c"]


def test_a_record_that_says_nothing_new_is_a_record_and_no_message(
    alerts: Alerts, server: Server
) -> None:
    positions = MemoryPosition()
    alerts.publish(alert("a"))
    send(alerts, server.url, positions=positions)
    alerts.publish(alert("a", 2))
    with answering() as chat:
        send(alerts, server.url, f"slack+{chat.url}", positions=positions)
        assert chat.bodies == []
    assert [body["revision"] for body in server.bodies] == [1, 2]
    alerts.publish(alert("a", 3))
    send(alerts, f"slack+{server.url}", positions=positions)
    assert send(alerts, server.url, positions=positions) == Counts()  # handled without a message


def test_it_goes_on_until_it_is_stopped(alerts: Alerts) -> None:
    stop = threading.Event()
    alerts.publish(alert("a"))
    times = iter(range(NOW, NOW + 1_000_000, 6_000))
    got: list[str] = []

    def take(update: Any) -> None:
        got.append(message_text(update).title)
        stop.set()

    marks = MarkReader(alerts.log, CONTROL)
    subscriber = AlertSubscriber(alerts.log, TOPIC)
    rest = stop.wait
    stop.wait = lambda timeout=None: rest(0.0)  # type: ignore[method-assign]  # no sleeping
    notify(subscriber, marks, [MessageTarget("x", take)], stop, now=lambda: next(times))
    assert got == ["car-loan: FIRING warning"]


def test_without_a_clock_it_is_the_wall_clock(alerts: Alerts) -> None:
    stop = threading.Event()
    marks = MarkReader(alerts.log, CONTROL)
    got: list[Any] = []
    alerts.publish(alert("a"))
    target = MessageTarget("x", got.append)
    notify(AlertSubscriber(alerts.log, TOPIC), marks, [target], stop, follow=False)
    assert len(got) == 1


# Words.


def test_a_message_in_words() -> None:
    many = [alert(f"{n:02}", severity="critical", summary=f"m: f{n} rose") for n in range(12)]
    text = message_text(first_update(*many))
    assert text.title == "car-loan: FIRING critical, 12 alerts"
    assert text.lines[9:] == [
        "m: f9 rose",
        "and 2 more",
        "owner credit",
        "incident bcd3f6b39202dc4d",
    ]
    linked = alert(links={"page": "https://drift.example/alerts/a"}, owner=None)
    assert message_text(first_update(linked)).body.splitlines() == [
        alert().summary,
        "incident bcd3f6b39202dc4d",
        "page: https://drift.example/alerts/a",
        "runbook: https://wiki.example/car-loan",
    ]
    update = replace(first_update(alert("a")), first=False, began=[], again=[alert("a")])
    assert message_text(update).lines[0] == f"still fires: {alert().summary}"
    update = replace(update, again=[], began=[alert("b")])
    assert message_text(update).title == "car-loan: FIRING warning, now 1 alert"
    assert message_text(update).lines[0] == f"new: {alert().summary}"
    odd = first_update(alert("a", model="m\r\nBcc: x"))
    assert message_text(odd).title == "m??Bcc: x: FIRING warning"


# What apprise knows.


def test_apprise_posts_a_message(alerts: Alerts, server: Server) -> None:
    alerts.publish(alert("a", severity="critical"), alert("b"))
    url = server.url.replace("http://", "json://")
    assert send(alerts, url) == Counts(delivered=1)
    (body,) = server.bodies
    assert (body["title"], body["type"]) == ("car-loan: FIRING critical, 2 alerts", "failure")
    assert body["message"].splitlines()[-1] == "runbook: https://wiki.example/car-loan"


def test_apprise_says_how_bad_it_is(server: Server) -> None:
    url = server.url.replace("http://", "json://")
    target = apprise_sink.open_target(url, Access())
    assert target.name == "JSON"
    for update in (first_update(alert("a")), first_update(resolved("a"))):
        (delivery,) = target.deliveries(update)
        delivery.attempt()
    assert [body["type"] for body in server.bodies] == ["warning", "success"]
    server.codes = [500]
    with pytest.raises(DeliveryError, match=r"^JSON did not take it$"):
        delivery.attempt()


@pytest.mark.parametrize(
    ("url", "added"),
    [
        ("pagerduty://key@token", {"dedup": "bcd3f6b39202dc4d", "action": "map"}),
        ("pagerduty://key@token?dedup=mine", {"dedup": "mine", "action": "map"}),
        ("opsgenie://token", {"alias": "bcd3f6b39202dc4d"}),
    ],
)
def test_a_pager_keeps_an_incident_together(
    url: str, added: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is sent is what apprise makes of it; here, which of its objects sends it."""
    service = apprise_sink.Service(url)
    sent: list[Any] = []

    def notified(target: Any, **message: Any) -> bool:
        sent.append(target)
        return True

    monkeypatch.setattr(type(service._instance(url)), "notify", notified)
    for update in (first_update(alert("a")), first_update(alert("a"), alert("b"))):
        service.send(update)
    service.send(first_update(resolved("a")))
    assert sent[0] is sent[1] is sent[2]  # it remembers what it may have to close
    assert {name: getattr(sent[0], name) for name in added} == added
    service.send(first_update(alert("a")))
    assert sent[3] is not sent[0]


@pytest.mark.parametrize("url", ["nothing://s3cret", "slack://s3cret", "pagerduty://s3cret"])
def test_a_url_that_apprise_does_not_know_is_refused_unseen(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    scheme = url.partition("://")[0]
    with pytest.raises(AlertsError) as error:
        sink_of(url).open(url, Access())
    assert str(error.value) == (
        f"a URL with {scheme}:// is none that apprise knows: see"
        " https://github.com/caronc/apprise/wiki, or post to a webhook with https://"
    )
    assert "s3cret" not in caplog.text


def test_without_apprise_one_sentence_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    def lacks(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(apprise_sink, "import_module", lacks)
    with pytest.raises(
        AlertsError, match=r'^slack:// needs the extra notify: pip install "driftline\[notify\]"$'
    ):
        sink_of("slack://a/b/c").open("slack://a/b/c", Access())


# Samples.


@pytest.mark.parametrize("before", ["", "slack+", "alertmanager+", "json"])
def test_a_sample_arrives(server: Server, before: str) -> None:
    url = server.url.replace("http", "json") if before == "json" else f"{before}{server.url}"
    send_sample(sink_of(url).open(url, Access()), NOW)
    (body,) = server.bodies
    assert "driftline-test: this is a test of driftline alerts notify" in str(body)
    if not before:
        assert server.headers[0]["Ce-Type"] == "io.driftline.alert.v1"


@pytest.mark.parametrize("before", ["", "slack+", "alertmanager+"])
def test_a_sample_that_is_refused(server: Server, before: str) -> None:
    server.codes = [404]
    url = f"{before}{server.url}"
    with pytest.raises(DeliveryError):
        send_sample(sink_of(url).open(url, Access()), NOW)


def test_a_target_does_nothing_by_itself() -> None:
    target = Target("x")
    assert target.deliveries(first_update(alert("a"))) == []
    target.take(alert("a"), 0.0)
    target.step(0.0)
    assert target.counts == Counts()
    assert Alertmanager("am", lambda body: None).counts == Counts()
