"""A Prometheus that scrapes one worker and evaluates the rules of deploy/prometheus."""

from __future__ import annotations

import json
import math
import re
import socket
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from tests.kafka.reader import wait_until
from tests.tool import tool

from .dashboards import ROOT

OFTEN = "500ms"  # so long a scrape may take on a busy machine

Sample = tuple[dict[str, str], float]


class Prometheus:
    """One that answers on a port of this machine."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}"

    def get(self, path: str, **parameters: str) -> Any:
        """Return the data of an answer of its API."""
        url = f"{self._url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        with urllib.request.urlopen(url, timeout=10) as answer:
            return json.load(answer)["data"]

    def ready(self) -> bool:
        """Whether it answers."""
        try:
            with urllib.request.urlopen(f"{self._url}/-/ready", timeout=10) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def query(self, expr: str) -> list[Sample]:
        """Return what an expression gives now, without what is no number."""
        data = self.get("query", query=expr)
        assert data["resultType"] == "vector", expr
        samples = [(each["metric"], float(each["value"][1])) for each in data["result"]]
        return [(labels, value) for labels, value in samples if not math.isnan(value)]

    def values(self, query: str, regex: str = "") -> list[str]:
        """Return the values of a variable of a dashboard, as Grafana's queries for them say."""
        kind, _, inside = query.removesuffix(")").partition("(")
        if kind == "label_values":
            match, _, label = inside.rpartition(", ")
            return list(self.get(f"label/{label}/values", **{"match[]": match}))
        assert kind == "query_result"
        texts = [
            "{" + ",".join(f'{name}="{value}"' for name, value in labels.items()) + "}"
            for labels, _ in self.query(inside)
        ]
        pattern = regex.strip("/").replace("?<", "?P<")
        return [found["value"] for text in texts if (found := re.search(pattern, text))]

    def scraped(self) -> float:
        """Return the time of the newest scrape; 0 before the first."""
        return next((value for _, value in self.query("timestamp(driftline_build_info)")), 0.0)


@contextmanager
def scraping(worker: int, folder: Path) -> Iterator[Prometheus]:
    """Run a Prometheus that scrapes the port of a worker, and keeps its files in a folder."""
    program = tool("prometheus")
    rules: Any = yaml.safe_load((ROOT / "deploy/prometheus/rules.yml").read_text("utf-8"))
    for group in rules["groups"]:
        group.pop("interval", None)  # minutes
    (folder / "rules.yml").write_text(yaml.safe_dump(rules), encoding="utf-8")
    target = {"targets": [f"127.0.0.1:{worker}"]}
    document = {
        "global": {"scrape_interval": OFTEN, "scrape_timeout": OFTEN, "evaluation_interval": OFTEN},
        "rule_files": ["rules.yml"],
        "scrape_configs": [{"job_name": "driftline", "static_configs": [target]}],
    }
    (folder / "prometheus.yml").write_text(yaml.safe_dump(document), encoding="utf-8")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [
        program, f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder}",
        f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn",
    ]  # fmt: skip
    with (folder / "log.txt").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        one = Prometheus(port)

        def answers() -> bool:
            said = (folder / "log.txt").read_text("utf-8")
            assert process.poll() is None, said
            return one.ready()

        wait_until(answers, "Prometheus is ready")
        yield one
    finally:
        process.terminate()
        process.wait()
