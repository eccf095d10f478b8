"""`driftline ui` and `demo --ui`: who may read and write, and the page from start to end."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import threading
import webbrowser
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from tests.consumer.cli.conftest import Driftline
from tests.consumer.cli.records import alert, verdict

from driftline.consumer.cli import backtest_page, demo_show, page, page_options
from driftline.consumer.cli.errors import CommandError
from driftline.consumer.cli.page_options import read_access
from driftline.consumer.cli.topic_checks import wanted_topics
from driftline.consumer.config import Config, KafkaConfig
from driftline.consumer.log import kafka_python
from driftline.consumer.log.errors import LogError
from driftline.consumer.log.memory import MemoryBroker
from driftline.consumer.log.protocol import Message
from driftline.consumer.ui.access import LOCAL, Access

TOKEN = "0123456789abcdef"
SERVERS = ("--bootstrap-servers", "localhost:9092")


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n", encoding="utf-8")
    return file


def test_on_this_machine_reading_is_open(token_file: Path) -> None:
    assert read_access("127.0.0.1", None) == Access(None, False, LOCAL)
    assert read_access("localhost", token_file, url="https://drift.example:9") == Access(
        TOKEN, False, LOCAL | {"drift.example"}
    )


def test_elsewhere_it_needs_the_token_or_a_proxy(token_file: Path) -> None:
    assert read_access("0.0.0.0", token_file) == Access(TOKEN, True, None)
    assert read_access("0.0.0.0", token_file, no_token=True) == Access(TOKEN, False, None)
    assert read_access("::", None, no_token=True, url="https://drift.example").hosts == (
        LOCAL | {"drift.example"}
    )
    with pytest.raises(CommandError, match=r"everybody who gets to drift\.example could read"):
        read_access("drift.example", None)


def test_what_is_no_token(tmp_path: Path) -> None:
    file = tmp_path / "short"
    file.write_text("short", encoding="utf-8")
    with pytest.raises(CommandError, match="must hold at least 16 printable characters of ASCII"):
        read_access("localhost", file)
    with pytest.raises(CommandError, match="cannot be read: No such file"):
        read_access("localhost", tmp_path / "none")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            ("--host", "0.0.0.0"),
            "everybody who gets to 0.0.0.0 could read the page: give --token-file FILE, or"
            " --no-token where a reverse proxy asks who it is\n",
        ),
        (
            ("--worker", "driftline:9108"),
            "--worker: not a URL, write for example http://driftline:9108\n",
        ),
        (
            ("--host", "192.0.2.1", "--no-token"),
            "port 9110 on 192.0.2.1 cannot be listened on (Cannot assign requested address): set"
            " ui.host to an address of this machine\n",
        ),
    ],
)
def test_mistakes_are_one_sentence(
    driftline: Driftline, options: tuple[str, ...], said: str
) -> None:
    ran = driftline("ui", *SERVERS, *options)
    assert (ran.code, ran.out, ran.err) == (2, "", said)


@pytest.mark.parametrize("verb", [("ui", *SERVERS), ("demo", "--ui")])
def test_without_the_extra_it_says_what_to_install(
    driftline: Driftline, monkeypatch: pytest.MonkeyPatch, verb: tuple[str, ...]
) -> None:
    monkeypatch.setattr(page_options, "find_spec", lambda name: None)
    ran = driftline(*verb)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == 'the page needs the extra ui: pip install "driftline[ui]"\n'


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Ctrl-C interrupts, also where a shell started the tests in the background and ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


class Visitor:
    """Comes as soon as the page is there, on a thread of its own, and ends it by a signal."""

    def __init__(self, number: signal.Signals, visit: Callable[[Visitor], Any]) -> None:
        self.number, self.visit = number, visit
        self.said: list[str] = []
        self.found: Any = None

    def say(self, text: str) -> None:
        self.said.append(text)
        if text.startswith("the page is at "):
            self.port = int(text.rpartition(":")[2])
            threading.Thread(target=self._run).start()

    def ask(self, path: str, body: dict[str, Any] | None = None) -> Any:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {TOKEN}"}
        content = None if body is None else json.dumps(body)
        connection.request("GET" if body is None else "POST", f"/api/v1{path}", content, headers)
        answer = json.loads(connection.getresponse().read())
        connection.close()
        return answer

    def until(self, path: str, holds: Callable[[Any], Any]) -> Any:
        while not holds(answer := self.ask(path)):
            pass
        return answer

    def _run(self) -> None:
        try:
            self.found = self.visit(self)
        finally:
            os.kill(os.getpid(), self.number)


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> MemoryBroker:
    """What is at localhost:9092: one verdict and its alert."""
    broker = MemoryBroker()
    config = Config.model_validate(
        {
            "kafka": {"bootstrap_servers": "localhost:9092"},
            "models": {"car-loan": {"predictions": "t", "reference": "r"}},
        }
    )
    for spec in wanted_topics(config):
        broker.create(spec.name, spec.partitions, spec.cleanup_policy)
    for topic, record in (("verdicts", verdict()), ("alerts", alert())):
        value = msgspec.json.encode(record)
        broker.append(Message(f"driftline.{topic}", 0, b"x", value))
    monkeypatch.setattr(kafka_python, "connect", lambda config: broker)
    return broker


def test_the_page_of_a_deployment(
    driftline: Driftline, monkeypatch: pytest.MonkeyPatch, broker: MemoryBroker, token_file: Path
) -> None:
    def visit(visitor: Visitor) -> Any:
        status = visitor.until("/status", lambda found: found["connected"] and not found["loading"])
        name = alert().alert_id
        marks = visitor.ask(
            f"/alerts/{name}/marks",
            {"action": "acknowledge", "who": "ada", "why": "a release"},
        )
        visitor.until("/alerts", lambda found: found["alerts"][0]["marks"])
        cleared = visitor.ask(f"/alerts/{name}/marks", {"action": "acknowledge", "clear": True})
        refused = visitor.ask(f"/alerts/{name}/marks", {"action": "snooze", "who": "ada"})
        shown = visitor.ask(f"/alerts/{name}")
        return status, marks, cleared, refused, shown, visitor.ask("/pipeline")

    visitor = Visitor(signal.SIGTERM, visit)
    monkeypatch.setattr(page, "say", visitor.say)
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    before = signal.getsignal(signal.SIGTERM)
    ran = driftline("ui", *SERVERS, "--port", 0, "--token-file", token_file, "--open")
    assert (ran.code, ran.out, ran.err) == (0, "", "")
    assert signal.getsignal(signal.SIGTERM) is before
    assert opened == [f"http://localhost:{visitor.port}"]
    status, marks, cleared, refused, shown, pipeline = visitor.found
    assert (status["title"], status["writable"]) == ("driftline on localhost:9092", True)
    assert marks["acknowledge"]["who"] == "ada"
    assert "acknowledge" not in cleared
    assert refused["status"] == 400
    assert refused["detail"].startswith("until: write when the snooze ends")
    assert shown["verdict"]["bins"] == verdict().bins
    assert shown["writable"] is True
    assert "--worker http://HOST:9108" in pipeline["hint"]
    assert sum(len(log) for at, log in broker.logs.items() if at.topic == "driftline.control") == 2


def test_a_broker_that_refuses_is_said_on_the_page(
    driftline: Driftline, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(config: KafkaConfig) -> MemoryBroker:
        raise LogError("localhost:9092 refuses the login")

    monkeypatch.setattr(kafka_python, "connect", refuse)
    visitor = Visitor(
        signal.SIGINT,
        lambda visitor: visitor.until(
            "/status", lambda found: found["problem"] == "localhost:9092 refuses the login"
        ),
    )
    monkeypatch.setattr(page, "say", visitor.say)
    ran = driftline("ui", *SERVERS, "--port", 0)
    assert (ran.code, visitor.found["connected"], visitor.found["writable"]) == (0, False, False)
    assert caplog.messages == [
        "the topics cannot be read, trying on: localhost:9092 refuses the login"
    ]


@pytest.mark.usefixtures("interruptible")
def test_the_page_of_the_demo(
    driftline: Driftline, monkeypatch: pytest.MonkeyPatch, token_file: Path
) -> None:
    """Its day passes at once here."""

    def visit(visitor: Visitor) -> Any:
        found = visitor.until("/alerts", lambda found: found["total"])
        name = found["alerts"][0]["alert_id"]
        marks = visitor.ask(f"/alerts/{name}/marks", {"action": "false_alarm", "who": "ada"})
        marked = visitor.until(f"/alerts/{name}", lambda found: found["row"]["marks"])
        return marks, marked, visitor.ask("/pipeline"), visitor.ask("/status")

    visitor = Visitor(signal.SIGINT, visit)
    demo = sys.modules["driftline.consumer.cli.demo"]
    monkeypatch.setattr(demo, "say", visitor.say)
    monkeypatch.setattr(demo_show, "PAGE_SPEED", 10**12)
    port = _free_port()
    ran = driftline("demo", "--ui", "--port", port, "--token-file", token_file)
    assert ran.code == 0
    marks, marked, pipeline, status = visitor.found
    assert marks["false_alarm"]["who"] == "ada"
    assert marked["row"]["marks"] == marks
    url = f"http://localhost:{port}/alerts/{marks['alert_id']}"
    assert marked["record"]["links"] == {"page": url}
    assert url in ran.out
    assert status["title"] == "the demo"
    assert [worker["address"] for worker in pipeline["workers"]] == ["this process"]
    assert pipeline["models"][0]["counted"] > 0
    assert visitor.said[-2] == "ended by Ctrl-C"


def test_the_page_of_a_backtest(driftline: Driftline, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a file without times, whose windows are of rows; its exit code is that of the backtest."""
    rng = np.random.default_rng(1)
    values = rng.normal(size=4_000) + np.repeat([0.0, 3.0], [3_000, 1_000])
    Path("rows.csv").write_text("x\n" + "\n".join(map(str, values)) + "\n", encoding="utf-8")

    def visit(visitor: Visitor) -> Any:
        found = visitor.ask("/models")["models"][0]
        feature = visitor.ask(f"/models/{found['model']}/features/x")
        status, pipeline = visitor.ask("/status"), visitor.ask("/pipeline")
        return found, feature, status, pipeline, visitor.ask("/report?since=2001")

    visitor = Visitor(signal.SIGINT, visit)
    monkeypatch.setattr(backtest_page, "say", visitor.say)
    options = ("--input", "rows.csv", "--rows", "500", "--port", "0", "--ui", "--fail-on-drift")
    ran = driftline("backtest", *options)
    assert ran.code == 1
    found, feature, status, pipeline, report = visitor.found
    assert [alert["feature"] for alert in found["open"]] == ["x"]
    assert feature["axis"]["ends"][-1] == "4000"
    assert sum(feature["verdict"]["bins"]["window"]) == 500
    assert (status["title"], status["loading"], status["writable"]) == (
        "Backtest of rows.csv",
        False,
        False,
    )
    assert pipeline["models"][0]["counted"] == 2_000  # the others are the reference
    assert report["title"] == "Backtest of rows.csv"
    refused = driftline("backtest", "--compare", "rows.csv", "rows.csv", "--ui")
    assert (refused.code, refused.err) == (
        2,
        "--compare: leave out --reference, --accept, --verdicts, --alerts, --report, --junit,"
        " --summary and --ui, which it does not use\n",
    )


def _free_port() -> int:

    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
