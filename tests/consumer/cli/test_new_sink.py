"""A sink that nobody has is a file that opens targets and a line of the table, and nothing else."""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType

import pytest
from tests.consumer.deliver.conftest import Alerts, alert
from typer.testing import CliRunner

from driftline.consumer.deliver import sinks
from driftline.consumer.deliver.sinks import SINKS, Sink
from driftline.consumer.deliver.target import Access, MessageTarget
from driftline.consumer.log import kafka_python

NAME = "driftline.consumer.deliver.pager"
PAGER = Sink("pager", ("pager",), "a pager", "A pager rings for each update.", "pager://mine")


@pytest.fixture
def rung(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, list[str]]]:
    """The URL and the ids of the alerts that the sink was given."""
    given: list[tuple[str, list[str]]] = []

    def open_target(url: str, access: Access) -> MessageTarget:
        return MessageTarget(
            "pager",
            lambda update: given.append((url, [each.alert_id for each in update.changed])),
        )

    module = ModuleType(NAME)
    module.__dict__["open_target"] = open_target
    monkeypatch.setitem(sys.modules, NAME, module)
    monkeypatch.setattr(sinks, "SINKS", [*SINKS, PAGER])
    return given


def test_it_is_named_and_sent_to(
    rung: list[tuple[str, list[str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Alerts()
    made.publish(alert("a"), alert("b"))
    monkeypatch.setattr(kafka_python, "connect", lambda config: made.broker)
    found = importlib.util.find_spec("driftline.consumer.cli.notify")
    assert found is not None
    assert found.loader is not None
    verb = importlib.util.module_from_spec(found)
    found.loader.exec_module(verb)  # made anew from the table
    assert "pager://: A pager rings for each update." in verb.NOTIFY_HELP
    from driftline.consumer.cli import app

    ran = CliRunner().invoke(
        app,
        ["alerts", "notify", "--to", "pager://mine", "--no-follow", "--bootstrap-servers", "b:1"],
    )
    assert (ran.exit_code, ran.stderr) == (0, "sent 1, retried 0, given up 0\n")
    assert rung == [("pager://mine", ["a", "b"])]
