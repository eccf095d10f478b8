"""The broker cannot be reached: the service waits for it, whatever supervises it.

`make outage` (`DRIFTLINE_OUTAGE=90`) takes a broker of its own away for so long, and restarts the
worker as docs/operations.md says; `make test` has a shorter one, at the start.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kafka
import pytest
from tests.kafka import checkout
from tests.kafka.broker import PROGRAM
from tests.kafka.checkout import Sender, events
from tests.kafka.conftest import CLIENTS, NewTopic
from tests.kafka.reader import Grown, TopicReader, by_identity, wait_until
from tests.kafka.worker import Worker, driftline

START_ME_AGAIN = {70, 75}  # what the table of docs/operations.md says of restarting


@contextlib.contextmanager
def closed_port() -> Iterator[tuple[int, socket.socket]]:
    """A port that refuses connections until somebody calls `listen`."""
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("127.0.0.1", 0))
        yield sock.getsockname()[1], sock


def forward(listener: socket.socket, bootstrap: str) -> None:
    """Let connections to `listener` reach the broker, until it is closed."""
    host, _, port = bootstrap.rpartition(":")

    def pump(source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError), target:
            while data := source.recv(65_536):
                target.sendall(data)

    def serve() -> None:
        while True:
            try:
                near, _ = listener.accept()
                far = socket.create_connection((host, int(port)))
            except OSError:
                return
            for pair in ((near, far), (far, near)):
                threading.Thread(target=pump, args=pair, daemon=True).start()

    listener.listen()
    threading.Thread(target=serve, daemon=True).start()


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Worker]:
    made = Worker(tmp_path / "driftline.yaml", tmp_path / "worker.log")
    yield made
    made.close()


@pytest.mark.parametrize("client", CLIENTS)
def test_a_start_waits_for_a_broker_that_is_away(
    bootstrap: str, new_topic: NewTopic, prefix: str, worker: Worker, tmp_path: Path, client: str
) -> None:
    topic = new_topic("events", 1)
    Sender(bootstrap).send(topic, 0, events(0, 25))
    with closed_port() as (port, listener), closed_port() as (http, unused):
        unused.close()
        away = f"127.0.0.1:{port}"
        config = tmp_path / "driftline.yaml"
        more = {"http": {"port": http}, "kafka": {"client": client}}
        checkout.write_config(config, away, topic, prefix, **more)

        code, printed, said = driftline("run", "--config", config, "--wait", "0")
        assert (code, printed) == (75, ""), said
        assert json.loads(said)["reason"] == f"{away}: connection refused: no broker listens there"

        worker.start()
        wait_until(lambda: bool(worker.logged("waiting for the broker")), "the line")
        line = worker.logged("waiting for the broker")[0]
        assert line["level"] == "warning"
        assert 0 <= line["waited"] <= 5  # the first try: it imports the client
        assert "connection refused" in line["reason"]
        assert worker.get("/livez", http)[0] == 200
        status, page = worker.get("/readyz", http)
        assert status == 503
        assert "the broker cannot be reached" in page
        assert worker.stop() < 5  # a signal ends the wait, with exit code 0

        worker.start()
        wait_until(lambda: bool(worker.logged("waiting for the broker")), "the line")
        forward(listener, bootstrap)
        worker.wait_until_ready()
        with TopicReader(bootstrap, f"{prefix}.verdicts") as verdicts:
            wait_until(Grown(verdicts, 2 * checkout.FEATURES), "two windows judged")
        assert worker.stop() < 5


def test_two_starts_with_static_membership(
    bootstrap: str, new_topic: NewTopic, prefix: str, worker: Worker, tmp_path: Path
) -> None:
    """The second finds its partitions in the generation of the first, killed a moment ago."""
    topic = new_topic("events", 2)
    sender = Sender(bootstrap)
    config = tmp_path / "driftline.yaml"
    static = {"static_membership": True, "options": {"session_timeout_ms": 30_000}}
    checkout.write_config(config, bootstrap, topic, prefix, kafka=static)
    found = []
    for start in range(2):
        for partition in (0, 1):
            sender.send(topic, partition, events(35 * start, 35 * (start + 1)))
        worker.start()
        worker.wait_until_ready()
        owned = worker.owned()
        found.append((owned["generation"], owned["partitions"]))
        with TopicReader(bootstrap, f"{prefix}.verdicts") as verdicts:
            grown = Grown(verdicts, 3 * (start + 1) * checkout.FEATURES)
            wait_until(grown, "three windows more are judged")
        if start == 0:
            worker.kill()
    assert found[0] == found[1]
    assert len(found[0][1]) == 2
    assert worker.stop() < 5


OUTAGE = float(os.environ.get("DRIFTLINE_OUTAGE", "0"))


@pytest.mark.skipif(not OUTAGE, reason="DRIFTLINE_OUTAGE says how many seconds: make outage")
@pytest.mark.parametrize("client", CLIENTS)
def test_an_outage_under_a_supervisor(
    worker: Worker, prefix: str, tmp_path: Path, client: str
) -> None:
    """Kill the broker, restart the worker as the manual says, bring the broker back."""
    spec = importlib.util.spec_from_file_location("broker", PROGRAM)
    assert spec is not None
    assert spec.loader is not None
    program = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(program)
    (tmp_path / "kafka").mkdir()
    broker = program.Broker(tmp_path / "kafka")
    broker.start()
    codes: list[int] = []
    try:
        bootstrap = f"127.0.0.1:{broker.port}"
        admin: Any = kafka.KafkaAdminClient(bootstrap_servers=bootstrap)
        topic = f"{prefix}.events"
        admin.create_topics({topic: {"num_partitions": 1}}, wait_for_metadata=True)
        admin.close()
        section = {"client": client}
        checkout.write_config(tmp_path / "driftline.yaml", bootstrap, topic, prefix, kafka=section)
        Sender(bootstrap).send(topic, 0, events(0, 35))
        worker.start()
        worker.wait_until_ready()
        with TopicReader(bootstrap, f"{prefix}.verdicts") as verdicts:
            wait_until(Grown(verdicts, 3 * checkout.FEATURES), "three windows judged")
        broker.kill()
        end = time.monotonic() + OUTAGE
        while time.monotonic() < end:
            code = worker.ended()
            if code is not None:
                codes.append(code)
                assert code in START_ME_AGAIN, worker.text()
                worker.start()
            time.sleep(0.2)
        broker.start()
        Sender(bootstrap).send(topic, 0, events(35, 65))
        with TopicReader(bootstrap, f"{prefix}.verdicts") as verdicts:
            wait_until(Grown(verdicts, 6 * checkout.FEATURES), "six windows judged")
            values = [record.value for record in verdicts.read()]
        distinct = len(by_identity(values))
        print(f"{client}: outage {OUTAGE:g} s, exit codes {codes}, {distinct} verdicts")
        assert distinct == 6 * checkout.FEATURES
        assert set(codes) <= {75}
        assert worker.stop() < 5
    finally:
        broker.stop()
    lines = [line for line in worker.text().splitlines() if "waiting for the broker" in line]
    assert len(lines) <= 1 + OUTAGE / 60
    assert "Traceback" not in worker.text()
