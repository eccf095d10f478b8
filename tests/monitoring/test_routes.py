"""Who is told of what: the routes of deploy/alertmanager, tried by amtool."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.tool import tool

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "deploy" / "alertmanager" / "alertmanager.yml"
RULES = ROOT / "deploy" / "prometheus" / "rules.yml"


@pytest.mark.parametrize(
    ("labels", "receiver"),
    [
        ("alertname=DriftlineDriftWarning model=loan owner=credit severity=warning", "credit"),
        ("alertname=DriftlineDriftCritical owner=credit severity=critical", "credit-pager"),
        ("alertname=DriftlineDriftWarning model=fraud owner=risk severity=warning", "models"),
        ("alertname=DriftlineDriftCritical model=fraud severity=critical", "models-pager"),
        # As Driftline itself posts it to Alertmanager.
        ("alertname=DriftlineStale model=loan owner=credit severity=warning kind=stale", "credit"),
        ("alertname=DriftlineEventsStopped model=fraud severity=warning", "models"),
        ("alertname=DriftlineDeadLetters source=in severity=warning", "platform"),
        ("alertname=DriftlineDown instance=a severity=critical", "platform-pager"),
        ("alertname=DriftlineModelFailed model=loan severity=critical", "platform-pager"),
    ],
)
def test_an_alert_reaches(labels: str, receiver: str) -> None:
    command = [tool("amtool"), "config", "routes", "test", f"--config.file={FILE}"]
    command += [f"--verify.receivers={receiver}", *labels.split()]
    ran = subprocess.run(command, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.fixture(scope="module")
def document() -> Any:
    return yaml.safe_load(FILE.read_text(encoding="utf-8"))


def test_those_on_workers_go_to_those_who_run_them(document: Any) -> None:
    groups: Any = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    (workers,) = [group for group in groups if group["name"] == "driftline-workers"]
    (matcher,) = document["route"]["routes"][0]["matchers"]
    names = matcher.partition("(")[2].rstrip(')"').split("|")
    about = {rule["alert"].removeprefix("Driftline") for rule in workers["rules"]}
    assert {*names} == about | {"ModelFailed"}


def test_what_mutes_and_what_is_muted_are_alerts_that_exist(document: Any) -> None:
    """Critical over warning of an incident, lost events over drift, a failed model over silence."""
    incident, loss, failed = document["inhibit_rules"]
    assert incident["equal"] == ["namespace", "model", "incident_id"]
    assert loss["equal"] == ["namespace", "model"]
    assert failed["equal"] == ["job", "namespace", "model"]
    text = RULES.read_text(encoding="utf-8")
    (names,) = failed["target_matchers"]
    for name in (*names.partition('"')[2].rstrip('"').split("|"), "DriftlineModelFailed"):
        assert f"alert: {name}\n" in text
