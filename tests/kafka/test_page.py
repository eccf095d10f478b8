"""`driftline ui` as a process, over a real broker: found, shown, marked, ended."""

from __future__ import annotations

import json
import re
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import kafka
import msgspec
import pytest
from tests.consumer.cli.records import alert, verdict
from tests.docs.shell import Shell
from tests.kafka.reader import wait_until

TOKEN = "0123456789abcdef"
CONFIG = """\
kafka: {bootstrap_servers: "%s"}
output: {prefix: %s, partitions: 2, replication_factor: 1}
models: {car-loan: {predictions: t, reference: r.json}}
ui: {port: 0}
"""


@dataclass
class Page:
    """A page that runs, and the folder that it runs in."""

    shell: Shell
    process: subprocess.Popen[bytes]

    @property
    def said(self) -> str:
        """What it has printed."""
        return (self.shell.folder / "said").read_text(encoding="utf-8")

    @property
    def url(self) -> str:
        """Where it is; empty while it says nothing of that."""
        found = re.search(r"^the page is at (\S+)$", self.said, re.MULTILINE)
        return found[1] if found else ""

    def ask(self, path: str, body: Any = None) -> Any:
        """Return an answer of the API; None where it refuses."""
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {TOKEN}"}
        content = None if body is None else json.dumps(body).encode()
        try:
            request = Request(f"{self.url}/api/v1{path}", content, headers)
            with urlopen(request, timeout=30) as answer:
                return json.load(answer)
        except HTTPError as error:
            error.close()
            return None


@pytest.fixture
def page(bootstrap: str, prefix: str, tmp_path: Path) -> Iterator[Page]:
    shell = Shell(tmp_path, {"no_proxy": "localhost"})
    shell.write("driftline.yaml", CONFIG % (bootstrap, prefix))
    shell.write("token", TOKEN)
    assert shell.driftline(["topics", "create"]).returncode == 0
    process = shell.start(["ui", "--token-file", "token"], tmp_path / "said")
    page = Page(shell, process)
    try:
        wait_until(lambda: bool(page.url), "where the page is", 30)
        yield page
    finally:
        process.kill()
        process.wait()


def test_the_page_of_a_deployment(page: Page, bootstrap: str, prefix: str) -> None:
    assert page.ask("/models")["models"][0]["state"] == "unknown"  # of the configuration
    producer = kafka.KafkaProducer(bootstrap_servers=bootstrap)
    for topic, record in (("verdicts", verdict()), ("alerts", alert())):
        producer.send(f"{prefix}.{topic}", msgspec.json.encode(record), key=b"car-loan")
    producer.close()
    path = f"/alerts/{alert().alert_id}"
    wait_until(lambda: bool((page.ask(path) or {}).get("verdict")), "the alert and its bins", 30)
    shown = page.ask(path)
    assert shown["verdict"] == json.loads(msgspec.json.encode(verdict()))
    assert shown["record"] == json.loads(msgspec.json.encode(alert()))
    assert shown["row"]["marks"] is None
    marks = page.ask(f"{path}/marks", {"action": "acknowledge", "who": "ada", "why": "a release"})
    assert marks["acknowledge"]["why"] == "a release"
    wait_until(lambda: page.ask(path)["row"]["marks"] == marks, "the mark, read back", 30)
    assert page.ask("/status") | {"version": ""} == {
        "connected": True, "problem": None, "loading": False, "windows": 200, "writable": True,
        "title": f"{prefix} on {bootstrap}", "version": "",
    }  # fmt: skip
    page.process.send_signal(signal.SIGTERM)
    assert page.process.wait(10) == 0, page.said
