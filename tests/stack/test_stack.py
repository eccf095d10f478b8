"""The stack of docker-compose.yml, brought up for real: `make stack-test`.

Its drift is seen where its users look: on the topic, in Prometheus and in Alertmanager. The ports
are those of the file, so nothing else may use them meanwhile.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from tests.kafka.reader import wait_until

from .compose import FILE, addresses, engine_lacks, program, services
from .test_compose import ASKED_FOR, HEALTHY, ONCE, RUNNING

PROJECT = "driftline-stack-test"
WAIT = 240.0  # seconds: never reached, only to fail instead of hanging
DRIFTING = "debt_to_income_ratio"  # by the scenario of the service `replay`

pytestmark = pytest.mark.timeout(900)


@dataclass(frozen=True)
class Stack:
    """The running stack.

    Attributes:
        started: when its first container was about to start, seconds of the monotonic clock.
    """

    started: float

    def __call__(self, *arguments: str, timeout: float = 300.0) -> str:
        """Run `docker compose` and return what it prints."""
        ran = subprocess.run(
            [*(program() or []), "-f", str(FILE), "-p", PROJECT, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout,
            check=False,
        )
        assert ran.returncode == 0, (arguments, ran.stdout[-4000:])
        return ran.stdout

    def alerts(self) -> list[dict[str, Any]]:
        """Return the alerts that fire now, read from their topic."""
        tail = ("driftline", "alerts", "tail", "--no-follow", "--json")
        printed = self("exec", "-T", "driftline", *tail)
        return [json.loads(line) for line in printed.splitlines() if line.startswith("{")]

    def states(self) -> dict[str, dict[str, Any]]:
        """Return each service's container as `docker compose ps` tells of it."""
        lines = self("ps", "--all", "--format", "json").splitlines()
        return {row["Service"]: row for row in map(json.loads, lines)}


def get(url: str) -> Any:
    """Read JSON from a port of this machine."""
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """The stack, with images that are built and pulled before the clock starts."""
    if not os.environ.get("DRIFTLINE_STACK"):
        pytest.skip("brings up a whole stack of containers: make stack-test")
    lack = engine_lacks()
    if lack is not None:
        pytest.skip(lack)
    Stack(0.0)("build", timeout=600)
    Stack(0.0)("create", "--no-build", timeout=600)
    running = Stack(time.monotonic())
    try:
        running("up", "--detach", "--wait", "--no-build")
        yield running
    finally:
        running("down", "--volumes", "--timeout", "5")


def test_the_first_alert_is_on_the_topic(stack: Stack) -> None:
    wait_until(lambda: bool(stack.alerts()), "an alert on the topic", WAIT)
    took = time.monotonic() - stack.started
    print(f"first alert {took:.1f} s after the start of the first container")
    (first, *others) = sorted(stack.alerts(), key=lambda alert: str(alert["since"]))
    assert (first["status"], first["model"], first["feature"]) == ("firing", "car-loan", DRIFTING)
    assert all(other["model"] == "car-loan" for other in others)


def test_the_first_alert_is_on_the_page(stack: Stack) -> None:
    """Where its own link leads to; its worker is in the view of the pipeline."""
    (url,) = [url for url in addresses() if url.endswith(":9110")]

    def shown() -> list[dict[str, Any]]:
        alerts: list[dict[str, Any]] = get(f"{url}/api/v1/alerts")["alerts"]
        return alerts

    wait_until(lambda: bool(shown()), "an alert on the page", WAIT)
    took = time.monotonic() - stack.started
    print(f"on the page at most {took:.1f} s after the start of the first container")
    found = get(f"{url}/api/v1/alerts/{shown()[-1]['alert_id']}")
    assert found["record"]["feature"] == DRIFTING
    link = found["record"]["links"]["page"]
    with urllib.request.urlopen(link, timeout=10) as page:
        assert page.headers["content-type"] == "text/html; charset=utf-8"
    pipeline = get(f"{url}/api/v1/pipeline")
    assert [worker["ready"] for worker in pipeline["workers"]] == [True]
    assert [flow["model"] for flow in pipeline["models"]] == ["car-loan"]


def test_prometheus_fires_the_rule(stack: Stack) -> None:
    def firing() -> list[dict[str, str]]:
        alerts = get("http://127.0.0.1:9090/api/v1/alerts")["data"]["alerts"]
        return [alert["labels"] for alert in alerts if alert["state"] == "firing"]

    wanted = {"alertname": "DriftlineDriftCritical", "model": "car-loan", "kind": "feature_drift"}
    wait_until(lambda: any(wanted.items() <= labels.items() for labels in firing()), str(wanted))
    # What the rules say of the worker itself is quiet.
    assert {labels["alertname"] for labels in firing()} <= {
        "DriftlineDriftCritical",
        "DriftlineDriftWarning",
    }


def test_prometheus_takes_the_metrics_of_the_drift(stack: Stack) -> None:
    asked = urllib.parse.quote(f'driftline_drift_active{{feature="{DRIFTING}"}} == 1')
    url = f"http://127.0.0.1:9090/api/v1/query?query={asked}"
    wait_until(lambda: bool(get(url)["data"]["result"]), asked)


def test_alertmanager_is_told(stack: Stack) -> None:
    def told() -> set[tuple[str, str]]:
        alerts = get("http://127.0.0.1:9093/api/v2/alerts")
        return {(a["labels"]["alertname"], a["labels"].get("model", "")) for a in alerts}

    wanted = ("DriftlineDriftCritical", "car-loan")
    wait_until(lambda: wanted in told(), "the alert in Alertmanager")


def test_what_runs_is_healthy_and_what_ends_has_succeeded(stack: Stack) -> None:
    states = stack.states()
    assert {name: states[name]["ExitCode"] for name in ONCE} == dict.fromkeys(ONCE, 0)
    assert {name: states[name]["Health"] for name in HEALTHY} == dict.fromkeys(HEALTHY, "healthy")


@pytest.mark.parametrize("name", RUNNING)
def test_it_runs_without_root_and_without_rights(stack: Stack, name: str) -> None:
    text = stack("exec", "-T", name, "cat", "/proc/1/status")
    status = dict(line.split(":\t") for line in text.splitlines() if ":\t" in line)
    assert "0" not in status["Uid"].split()
    assert int(status["CapEff"], 16) == 0
    assert int(status["CapBnd"], 16) == 0
    assert status["NoNewPrivs"] == "1"


def test_the_urls_of_readme_answer(stack: Stack) -> None:
    asked_for = [port for name in ASKED_FOR for port in services()[name]["ports"]]
    for url in addresses():
        if any(port.split(":")[1] in url for port in asked_for):
            continue
        with urllib.request.urlopen(url, timeout=10) as answer:
            assert answer.status == 200


def test_what_serves_no_port_has_no_health_check(stack: Stack) -> None:
    """The other verbs serve no port: a check of the image would call them ill."""
    assert stack.states()["replay"]["State"] == "running"
    assert stack.states()["replay"]["Health"] == ""
