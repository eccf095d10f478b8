"""Webhooks: what is posted, to whom, and what an answer means."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, get_args

import pytest
from tests.consumer.deliver.conftest import TOPIC, Alerts, alert, resolved

from driftline.consumer.deliver.alertmanager import Alertmanager, alertmanager_alert, labels
from driftline.consumer.deliver.alertmanager import send as feed_alertmanager
from driftline.consumer.deliver.dispatcher import Attempts
from driftline.consumer.deliver.errors import AlertsError, DeliveryError
from driftline.consumer.deliver.position import MemoryPosition
from driftline.consumer.deliver.slack import send as post_to_slack
from driftline.consumer.deliver.slack import slack_message
from driftline.consumer.deliver.subscriber import AlertSubscriber
from driftline.consumer.deliver.webhook import Webhook
from driftline.consumer.wire.kinds import Kind

NOW = 1_562_000_000.0  # 2019-07-01T16:53:20Z


class Server:
    """Answers with the codes that the test gives, then with 200."""

    def __init__(self) -> None:
        self.codes: list[int] = []
        self.paths: list[str] = []
        self.bodies: list[Any] = []
        self.types: list[str | None] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.paths.append(self.path)
                outer.bodies.append(json.loads(body))
                outer.types.append(self.headers["Content-Type"])
                self.send_response(outer.codes.pop(0) if outer.codes else 200)
                self.send_header("Location", "/elsewhere")
                self.end_headers()

            def do_GET(self) -> None:
                outer.paths.append(f"GET {self.path}")
                self.send_response(200)
                self.end_headers()

            def log_message(self, *args: object) -> None: ...

        self.http = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}/services/secret"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    started = Server()
    thread = threading.Thread(target=started.http.serve_forever, args=(0.01,))
    thread.start()
    yield started
    started.http.shutdown()
    thread.join()
    started.http.server_close()


def test_a_document_is_posted_as_json(server: Server) -> None:
    Webhook(server.url)({"text": "é"})
    assert server.bodies == [{"text": "é"}]
    assert server.types == ["application/json"]


@pytest.mark.parametrize(
    ("code", "again"),
    [
        (400, False), (403, False), (404, False), (301, False), (302, False), (307, False),
        (408, True), (429, True), (500, True), (503, True),
    ],
)  # fmt: skip
def test_an_answer_says_whether_to_try_again(code: int, again: bool, server: Server) -> None:
    server.codes = [code]
    with pytest.raises(DeliveryError, match=f"^127.0.0.1 answered {code}$") as error:
        Webhook(server.url)({})
    assert error.value.again == again
    assert server.paths == ["/services/secret"]  # a redirect is not followed


def test_a_server_that_is_away_or_silent_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/secret"
        with pytest.raises(DeliveryError, match=r"cannot be reached: .*refused") as error:
            Webhook(url)({})
        listening.listen()
        with pytest.raises(DeliveryError, match=r"cannot be reached: timed out"):
            Webhook(url, timeout=0.1)({})
    assert error.value.again
    assert "secret" not in str(error.value)


@pytest.mark.parametrize(
    "url", ["", "hooks.slack.com/x", "ftp://host/x", "file:///etc/passwd", "http:///x", "http://[x",
            "http://host:port/x"],
)  # fmt: skip
def test_only_http_is_posted_to(url: str) -> None:
    with pytest.raises(AlertsError, match=r"^the webhook's URL "):
        Webhook(url)


@pytest.mark.parametrize(
    ("host", "path"),
    [
        *(("127.0.0.1:9", f"/{before}s3cret{char}B7")
          for char in " \n\r\t\x1b\x00\x7f\x9b\u00a0\u00e9\u202e" for before in ("", "?key=")),
        ("127.0.0.1:9", "/s3cret\n"), ("127.0.0.1:9", " /s3cret"),
        (" 127.0.0.1:9", "/s3cret"), ("me:s3cret@127.0.0.1:9", "/"), ("s3cret@127.0.0.1:9", "/"),
        ("127.0.0.1:9s3cret", "/"), ("127.0.0.1:99999", "/s3cret"), ("ex%0d%0aample", "/s3cret"),
        ("a..b", "/s3cret"), ("x" * 64, "/s3cret"), (".".join(["abc"] * 80), "/s3cret"),
        ("[::1", "/s3cret"), ("", "/s3cret"), ("%73", "/s3cret"),
    ],
)  # fmt: skip
def test_a_url_that_cannot_be_posted_to_is_refused_unseen(host: str, path: str) -> None:
    with pytest.raises(AlertsError, match=r"\Athe webhook's URL [ -~]+\Z") as error:
        Webhook(f"https://{host}{path}")
    assert "s3cr" not in str(error.value)


@pytest.mark.parametrize(
    "url",
    ["https://hooks.example/T0/B7?k=v&w=%20#x", "http://[::1]:9093/x", "http://my_host.local./x",
     "https://xn--bcher-kva.example", "http://localhost:9093/api/v2/alerts"],
)  # fmt: skip
def test_a_url_as_people_have_it_is_fine(url: str) -> None:
    Webhook(url)


def test_what_is_no_http_answer_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may hold anything: what the server wrote, or the URL."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            with listening.accept()[0] as connection:
                connection.recv(65_536)
                connection.sendall(b"\x1b[31mowned\x07\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/s3cret"
        with pytest.raises(DeliveryError) as error:
            Webhook(url)({})
        thread.join()
    assert str(error.value) == "127.0.0.1 did not answer as an HTTP server does"
    assert error.value.again


# Slack.


def test_a_message_for_slack() -> None:
    text = slack_message(alert(summary="m: a<b & c rose"))["text"]
    assert text == (
        "*FIRING warning*  m: a&lt;b &amp; c rose\nowner credit\n"
        "<https://wiki.example/car-loan|runbook>"
    )
    linked = alert(links={"page": "https://drift.example/alerts/a"})
    assert slack_message(linked)["text"].splitlines()[-2:] == [
        "<https://drift.example/alerts/a|page>",
        "<https://wiki.example/car-loan|runbook>",
    ]
    bare = slack_message(resolved(owner=None, runbook=None, severity="critical"))
    assert bare == {"text": f"*RESOLVED*  {alert().summary}"}


def test_each_record_is_a_message_and_a_failure_is_tried_again(
    alerts: Alerts, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    positions = MemoryPosition()
    subscriber = AlertSubscriber(alerts.log, TOPIC, positions=positions)
    assert subscriber.poll() == []
    alerts.publish(alert("a"), resolved("a"), alert("b"), partition=0)
    server.codes = [500, 200, 404]
    counts = post_to_slack(
        subscriber, server.url, threading.Event(), Attempts(backoff=0.0), follow=False
    )
    assert (counts.delivered, counts.retried, counts.failed) == (2, 1, 1)
    assert len(server.bodies) == 4
    assert "secret" not in caplog.text
    assert "127.0.0.1 answered 404" in caplog.text
    assert AlertSubscriber(alerts.log, TOPIC, positions=positions).poll() == []


# Alertmanager.


def test_an_alert_for_alertmanager() -> None:
    assert alertmanager_alert(alert(segment="channel=web"), int(NOW * 1000)) == {
        "labels": {
            "alertname": "DriftlineFeatureDrift",
            "severity": "warning",
            "model": "car-loan",
            "segment": "channel=web",
            "feature": "car_value",
            "kind": "feature_drift",
            "owner": "credit",
            "incident_id": "bcd3f6b39202dc4d",
        },
        "annotations": {
            "summary": alert().summary,
            "description": "rule budget: 1 per 30d, min_effect: 0.02; alert a, revision 1",
            "runbook_url": "https://wiki.example/car-loan",
        },
        "startsAt": "2019-03-27T00:00:00Z",
        "endsAt": "2019-07-01T16:53:20Z",
    }
    linked = alertmanager_alert(alert(links={"page": "https://drift.example/alerts/a"}), 0)
    assert linked["annotations"]["page_url"] == "https://drift.example/alerts/a"
    whole = alert(feature=None, kind="stale", owner=None, runbook=None)
    assert labels(whole).keys() == {"alertname", "severity", "model", "kind", "incident_id"}
    assert "runbook_url" not in alertmanager_alert(whole, 0)["annotations"]


def test_alerts_on_performance_and_labels_have_names_of_their_own() -> None:
    accuracy = alert(
        kind="performance", feature="performance.accuracy", type="performance", effect=None,
        interval=[0.896252, 0.931016], normal=0.94364, counts={"labelled": 991},
        rule="accuracy: max_drop 0.01, for 2 of 3", summary="m: accuracy fell to 0.915",
    )  # fmt: skip
    said = alertmanager_alert(accuracy, 0)
    assert said["labels"]["alertname"] == "DriftlinePerformance"
    assert said["labels"]["feature"] == "performance.accuracy"
    assert "rule accuracy: max_drop 0.01, for 2 of 3;" in said["annotations"]["description"]
    assert "accuracy fell to 0.915" in slack_message(accuracy)["text"]
    stopped = alert(kind="labels", feature=None, type=None, detector=None, value=None, counts=None)
    assert labels(stopped)["alertname"] == "DriftlineLabelsStopped"
    assert "feature" not in labels(stopped)


def test_every_kind_has_a_name() -> None:
    names = [labels(alert(kind=kind))["alertname"] for kind in get_args(Kind)]
    assert len(set(names)) == len(names)


def test_an_end_is_never_before_the_start() -> None:
    early = alertmanager_alert(alert(), 1_000)
    assert early["endsAt"] == early["startsAt"]


class Posted:
    """Takes what is posted, or fails."""

    def __init__(self) -> None:
        self.bodies: list[list[dict[str, Any]]] = []
        self.fails = False

    def __call__(self, body: Any) -> None:
        if self.fails:
            raise DeliveryError("127.0.0.1 cannot be reached")
        self.bodies.append(body)

    def last(self) -> list[tuple[str, str, str]]:
        """Feature, severity and end of each alert of the last request."""
        return [
            (each["labels"]["feature"], each["labels"]["severity"], each["endsAt"])
            for each in self.bodies[-1]
        ]


@pytest.fixture
def posted() -> Posted:
    return Posted()


@pytest.fixture
def alertmanager(posted: Posted) -> Alertmanager:
    return Alertmanager(posted, 60.0, Attempts(backoff=5.0))


def test_what_fires_is_repeated_and_its_end_moves(
    alertmanager: Alertmanager, posted: Posted
) -> None:
    alertmanager.step(NOW)
    assert posted.bodies == []  # nothing to say
    alertmanager.take(alert("a", feature="x"), NOW)
    for seconds in (0, 30, 59, 60, 90, 119, 120):
        alertmanager.step(NOW + seconds)
    assert len(posted.bodies) == 3
    assert posted.bodies[0][0]["endsAt"] == "2019-07-01T16:57:20Z"  # four times 60 s from then
    assert posted.last() == [("x", "warning", "2019-07-01T16:59:20Z")]


def test_a_change_is_posted_at_once_and_an_end_once(
    alertmanager: Alertmanager, posted: Posted
) -> None:
    alertmanager.take(alert("a", feature="x"), NOW)
    alertmanager.take(alert("b", feature="y"), NOW)
    alertmanager.step(NOW)
    alertmanager.take(resolved("a", feature="x"), NOW + 1)
    alertmanager.step(NOW + 1)
    assert posted.last() == [
        ("y", "warning", "2019-07-01T16:57:21Z"),
        ("x", "warning", "2019-07-01T00:00:00Z"),  # its `until`
    ]
    alertmanager.step(NOW + 61)
    assert [feature for feature, *_ in posted.last()] == ["y"]


def test_an_end_in_the_future_is_now(alertmanager: Alertmanager, posted: Posted) -> None:
    """Alertmanager takes an alert for resolved when its end is past."""
    alertmanager.take(
        alert("a", 2, feature="x", status="resolved", until="2019-07-01T16:55:00Z"), NOW
    )
    alertmanager.step(NOW)
    assert posted.last() == [("x", "warning", "2019-07-01T16:53:20Z")]


def test_another_severity_ends_the_alert_that_had_the_old_one(
    alertmanager: Alertmanager, posted: Posted
) -> None:
    alertmanager.take(alert("a", 1, feature="x"), NOW)
    alertmanager.step(NOW)
    alertmanager.take(alert("a", 2, feature="x", severity="critical"), NOW + 5)
    alertmanager.step(NOW + 5)
    assert posted.last() == [
        ("x", "critical", "2019-07-01T16:57:25Z"),
        ("x", "warning", "2019-07-01T16:53:25Z"),
    ]
    alertmanager.take(resolved("a", 3, feature="x", severity="critical"), NOW + 9)
    alertmanager.step(NOW + 9)
    assert posted.last() == [("x", "critical", "2019-07-01T00:00:00Z")]


def test_a_post_that_fails_is_tried_until_it_succeeds_and_no_end_is_lost(
    alertmanager: Alertmanager, posted: Posted, caplog: pytest.LogCaptureFixture
) -> None:
    alertmanager.take(alert("a", feature="x"), NOW)
    alertmanager.step(NOW)
    posted.fails = True
    alertmanager.take(resolved("a", feature="x"), NOW + 1)
    tried = 0
    for second in range(1, 40):
        before = alertmanager.counts.retried
        alertmanager.step(NOW + second)
        tried += alertmanager.counts.retried - before
        alertmanager.take(alert("b", second, feature="y"), NOW + second)  # hurries nobody
    assert tried == 4  # after 0, 5, 10 and 20 s
    posted.fails = False
    alertmanager.step(NOW + 100)
    assert sorted(feature for feature, *_ in posted.last()) == ["x", "y"]
    assert caplog.text.count("alerts are not posted, trying on") == 1


def test_many_alerts_are_posted_in_parts(alertmanager: Alertmanager, posted: Posted) -> None:
    for number in range(100):
        alertmanager.take(alert(f"a{number}", feature=f"f{number}"), NOW)
    alertmanager.step(NOW)
    assert [len(body) for body in posted.bodies] == [64, 36]


def test_every_start_begins_with_what_fires(alerts: Alerts, server: Server) -> None:
    alerts.publish(alert("a"), alert("b"), resolved("b"))
    for _ in range(2):
        subscriber = AlertSubscriber(alerts.log, TOPIC)
        counts = feed_alertmanager(
            subscriber, server.url, threading.Event(), clock=lambda: NOW, follow=False
        )
        assert counts.delivered == 1
    assert [len(body) for body in server.bodies] == [1, 1]
    stopped = threading.Event()
    stopped.set()
    feed_alertmanager(AlertSubscriber(alerts.log, TOPIC), server.url, stopped)
    assert len(server.bodies) == 2
