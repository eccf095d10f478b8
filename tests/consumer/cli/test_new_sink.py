"""A sink that nobody has is a file that sends and a line of the table, and nothing else."""

from __future__ import annotations

import importlib.util
import sys
import threading
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from tests.consumer.deliver.conftest import Alerts, alert
from typer.testing import CliRunner

from driftline.consumer.deliver.dispatcher import Counts
from driftline.consumer.deliver.sinks import SINKS, Sink
from driftline.consumer.deliver.subscriber import AlertSubscriber
from driftline.consumer.log import kafka_python

NAME = "driftline.consumer.deliver.pager"
PAGER = Sink("pager", "url", "a pager", "A pager rings for each record.", "rung", resumes=False)


@pytest.fixture
def rung(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """The URL and the id of each alert that the sink was given."""
    given: list[tuple[str, str]] = []

    def send(
        subscriber: AlertSubscriber, url: str, stop: threading.Event, *, follow: bool = True
    ) -> Counts:
        for record in subscriber.poll():
            given.append((url, record.alert.alert_id))
            subscriber.done(record)
        return Counts(delivered=len(given))

    module = ModuleType(NAME)
    module.__dict__["send"] = send
    monkeypatch.setitem(sys.modules, NAME, module)
    monkeypatch.setattr("driftline.consumer.deliver.sinks.SINKS", [*SINKS, PAGER])
    return given


@pytest.fixture
def call(rung: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Call `driftline alerts`, its verbs made anew from the table."""
    made = Alerts()
    made.publish(alert("a"), alert("b"))
    monkeypatch.setattr(kafka_python, "connect", lambda config: made.broker)
    found = importlib.util.find_spec("driftline.consumer.cli.alerts")
    assert found is not None
    assert found.loader is not None
    verbs = importlib.util.module_from_spec(found)
    found.loader.exec_module(verbs)
    return lambda *words: CliRunner().invoke(verbs.alerts, words, env={"COLUMNS": "200"})


def test_its_help_and_its_options_come_from_the_table(call: Callable[..., Any]) -> None:
    help_text = " ".join(call("webhook", "--help").output.split())
    assert "Post alerts to an Alertmanager, a chat or a pager." in help_text
    assert "get a message for each record. A pager rings for each record." in help_text
    assert "<alertmanager|slack|pager>" in help_text
    wrong = call("webhook", "--format", "pager", "--position", "p.json", "http://pager")
    assert str(wrong.exception) == "--position: a pager is told all that fires at every start"


def test_it_gets_what_fires(call: Callable[..., Any], rung: list[tuple[str, str]]) -> None:
    ran = call("webhook", "--format", "pager", "--no-follow", "--bootstrap-servers", "b:1",
               "http://pager")  # fmt: skip
    assert (ran.exit_code, ran.stderr) == (0, "rung 2, retried 0, given up 0\n")
    assert sorted(rung) == [("http://pager", "a"), ("http://pager", "b")]
