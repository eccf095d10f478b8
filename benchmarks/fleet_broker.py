"""Very many models in one topic on a real broker: a worker is killed three times, loses nothing.

    python -m benchmarks.fleet_broker [--models 20000] [--partitions 8] [--windows 4]

Each model has a reference of its own, and its events lie in one partition, as keys put them. A
worker (`driftline run`) is killed with -9 while it counts, while it judges, and when all it did is
recorded. Then another group with topics of its own reads the same events and is left alone: its
verdicts and alerts must be the same, record by record, byte for byte. One model in a hundred
drifts. Printed is what starts, steps and restarts take: wall and CPU seconds of the worker alone,
its memory, and what lies in the log of states.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from pathlib import Path
from typing import Any

import confluent_kafka
import kafka
import msgspec
import numpy as np
from benchmarks.published import Published, states
from benchmarks.readers import silence
from benchmarks.throughput import broker
from tests.kafka.worker import Worker, driftline

from driftline.consumer.cli.errors import START_ME_AGAIN
from driftline.detectors import FeatureColumn, build_reference

START = 1_600_000_200_000  # ms since 1970; a multiple of a window
WINDOW = 600_000
EVENTS = 12  # of a model in a window
DRIFTING = 100  # one model of that number drifts
TOPIC = "fleet.predictions"
PATIENCE = 3_600.0  # seconds


class Fleet:
    """The files, topics and events of the models.

    Args:
        folder: gets references and configurations.
        bootstrap: the broker.
        models, features, partitions: how many.
    """

    def __init__(
        self, folder: Path, bootstrap: str, models: int, features: int, partitions: int
    ) -> None:
        self.folder, self.bootstrap = folder, bootstrap
        self.names = [f"model-{number:05}" for number in range(models)]
        self.features = [f"feature_{number}" for number in range(features)]
        self._partitions = partitions
        (folder / "references").mkdir()
        rng = np.random.default_rng(1)
        columns = {
            name: FeatureColumn("numeric", rng.normal(size=20_000).round(3))
            for name in self.features
        }
        reference = build_reference("fleet", columns, grid=128)
        for name in self.names:
            file = folder / "references" / f"{name}.json"
            file.write_bytes(replace(reference, model=name).to_json())
        admin = kafka.KafkaAdminClient(bootstrap_servers=bootstrap)
        settings = {"retention.ms": "-1"}  # event times lie in the past
        new = {"num_partitions": partitions, "replication_factor": 1, "configs": settings}
        admin.create_topics({TOPIC: new}, wait_for_metadata=True)
        admin.close()
        self._producer = confluent_kafka.Producer(
            {"bootstrap.servers": bootstrap, "linger.ms": 50, "queue.buffering.max.messages": 10**6}
        )

    def config(self, prefix: str) -> Path:
        """Write the configuration of a group; return its file."""
        document = {
            "kafka": {
                "bootstrap_servers": self.bootstrap,
                "start": "earliest",
                "group": prefix,
                "options": {"session_timeout_ms": 45_000},
            },
            "output": {"prefix": prefix, "create_topics": True},
            "http": {"port": 0},
            "log": {"format": "json"},
            "defaults": {
                "predictions": TOPIC,
                "window": {"length": "10m", "pane": "10m", "grace": "0s", "min_events": 10},
            },
            "models": {name: {"reference": f"references/{name}.json"} for name in self.names},
        }
        path = self.folder / f"{prefix}.yaml"
        path.write_text(json.dumps(document))  # JSON is YAML
        return path

    def send(self, window: int) -> int:
        """Write a window's events, those of a model to its partition; return how many."""
        many = 0
        for partition, event in self._events(window):
            while True:
                try:
                    self._producer.produce(TOPIC, event, None, partition)
                    break
                except BufferError:
                    self._producer.poll(0.5)
            many += 1
        assert self._producer.flush(600) == 0
        return many

    def _events(self, window: int) -> Iterator[tuple[int, bytes]]:
        rng, step = np.random.default_rng([2, window]), WINDOW // EVENTS
        for turn in range(EVENTS):
            values = rng.normal(size=(len(self.names), len(self.features))).round(3)
            if window >= 1:
                values[::DRIFTING, 0] += 3.0
            at = START + window * WINDOW + turn * step
            for number, row in enumerate(values.tolist()):
                event = {
                    "timestamp": at,
                    "model": self.names[number],
                    "features": dict(zip(self.features, row, strict=True)),
                }
                yield number % self._partitions, msgspec.json.encode(event)


@dataclass
class Watched:
    """A worker of a group, and what it publishes.

    Attributes:
        verdicts, alerts: what was found of them; None before the topics are there.
        rows: what was measured: what was done, wall s, CPU s, MB now, MB at most.
    """

    fleet: Fleet
    prefix: str
    verdicts: Published | None = None
    alerts: Published | None = None
    rows: list[tuple[str, float, float, float, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.path = self.fleet.config(self.prefix)
        self._address: str | None = None
        self.slowest = 0.0  # s, that a page took since the last note
        self.worker = Worker(self.path, self.fleet.folder / f"{self.prefix}.log")

    def start(self, what: str) -> None:
        """Start it, and wait until it has its partitions and has read its past again."""
        self._began = time.monotonic()
        self._spent = 0.0
        self._address = None
        self.worker.start()
        self._wait(self._is_ready)
        self.note(what)
        if self.verdicts is None:
            self.verdicts, self.alerts = (
                Published(self.fleet.bootstrap, f"{self.prefix}.{name}")
                for name in ("verdicts", "alerts")
            )

    def judged(self, windows: int, what: str, share: float = 1.0) -> None:
        """Wait until so many windows of all models are judged, of the last one a share."""
        assert self.verdicts is not None
        each = len(self.fleet.names) * len(self.fleet.features)
        wanted = int((windows - 1 + share) * each)
        self._wait(lambda: self.verdicts.look().features >= wanted)
        self.note(what)

    def recorded(self) -> None:
        """Wait until a checkpoint is behind all that was judged."""
        time.sleep(75)  # of every model, also of those without a message, one a minute

    def kill(self) -> None:
        """`kill -9`."""
        self.worker.kill()

    def stop(self) -> None:
        """Send SIGTERM; its last checkpoint may be longer than the seconds that it has to stop."""
        self.worker.terminate()
        code = self.worker.ends_with(60)
        assert code in (0, START_ME_AGAIN), self.worker.text()[-2_000:]
        print(f"{self.prefix}: stopped with exit code {code}", flush=True)

    def note(self, what: str) -> None:
        """Write down what was spent since the last time."""
        now, cpu = time.monotonic(), self._cpu()
        status = Path(f"/proc/{self.worker.pid}/status").read_text().splitlines()
        sizes = {line.split(":")[0]: line.split()[1] for line in status if line.startswith("Vm")}
        rss, peak = (int(sizes[name]) * 1024 / 1e6 for name in ("VmRSS", "VmHWM"))
        self.rows.append((what, now - self._began, cpu - self._spent, rss, peak))
        print(
            f"{self.prefix}: {what:44} {now - self._began:7.1f} s {cpu - self._spent:7.1f} CPU s "
            f"{rss:7,.0f} MB, at most {peak:7,.0f} MB; a page within {self.slowest:.1f} s",
            flush=True,
        )
        self.slowest = 0.0
        self._began, self._spent = time.monotonic(), cpu

    def faults(self) -> list[str]:
        """Return what the worker warned of, each kind once."""
        lines = [line for line in self.worker.text().splitlines() if line.startswith("{")]
        found = [json.loads(line) for line in lines]
        kinds = (f"{e['level']}: {e['event']}" for e in found if e.get("level") not in QUIET)
        other = (line[:200] for line in self.worker.text().splitlines() if line[:1] != "{")
        return sorted({*kinds, *other})

    def close(self) -> None:
        """Leave nothing behind."""
        self.worker.close()
        for each in (self.verdicts, self.alerts):
            if each is not None:
                each.close()

    def _is_ready(self) -> bool:
        if self._address is None:
            started = self.worker.logged("start")
            self._address = started[0]["http"] if started else None
        return self._address is not None and self.answer("/readyz")[0] == HTTPStatus.OK

    def answer(self, path: str) -> tuple[int, int, str]:
        """Return status, length and beginning of a page; note how long the slowest took."""
        began = time.monotonic()
        try:
            with urllib.request.urlopen(f"http://{self._address}{path}", timeout=120) as page:
                body = page.read()
                return page.status, len(body), body[:500].decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, 0, error.read(500).decode()
        finally:
            self.slowest = max(self.slowest, time.monotonic() - began)

    def _wait(self, holds: Any) -> None:
        deadline = time.monotonic() + PATIENCE
        while not holds():
            assert self.worker.ended() is None, self.worker.text()[-2_000:]
            if self._address is not None:
                status, _, body = self.answer("/livez")
                if status != HTTPStatus.OK:
                    print(f"{self.prefix}: a supervisor would start it again: {body}", flush=True)
            assert time.monotonic() < deadline, self.worker.text()[-2_000:]
            time.sleep(0.5)

    def _cpu(self) -> float:
        words = Path(f"/proc/{self.worker.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


QUIET = ("debug", "info")


def check(fleet: Fleet) -> None:
    """Print what `driftline check` takes."""
    before = os.times()
    code, out, err = driftline("check", "--config", str(fleet.config("fleet")), seconds=PATIENCE)
    after = os.times()
    spent = after.children_user + after.children_system
    spent -= before.children_user + before.children_system
    assert code == 0, (out + err)[-2_000:]
    print(f"driftline check: {after.elapsed - before.elapsed:.1f} s, {spent:.1f} CPU s", flush=True)


def measure(fleet: Fleet, windows: int) -> None:
    """Kill a worker three times, let another one alone, compare."""
    killed = Watched(fleet, "fleet")
    calm = Watched(fleet, "calm")
    try:
        killed.start("first start, until it is ready")
        print(f"  {states(fleet.bootstrap, 'fleet')}", flush=True)
        _, size, _ = killed.answer("/metrics")
        killed.note(f"a page of metrics, {size / 1e6:,.1f} MB")
        for window in range(windows - 2):
            events = fleet.send(window)
        killed.note(f"while {windows - 2} x {events:,} events are written")
        killed.judged(windows - 3, f"till {windows - 3.5:g} windows are judged", 0.5)
        killed.kill()
        killed.start("start after a kill while it judged")
        killed.judged(windows - 3, "till the windows are judged")
        fleet.send(windows - 2)
        time.sleep(2)  # it counts
        killed.kill()
        killed.start("start after a kill while it counted")
        killed.judged(windows - 2, "till the next window is judged")
        killed.recorded()
        killed.note("a minute without an event")
        killed.kill()
        print(f"  {states(fleet.bootstrap, 'fleet')}", flush=True)
        killed.start("start after a kill when all was recorded")
        fleet.send(windows - 1)
        killed.judged(windows - 1, "till the last window is judged")
        killed.stop()
        calm.start("the other group, until it is ready")
        calm.judged(windows - 1, f"till its {windows - 1} windows are judged")
        calm.stop()
        for name in ("verdicts", "alerts"):
            one, other = (getattr(each, name).rest() for each in (killed, calm))
            assert one.found == other.found, f"{name} differ"
            print(
                f"{len(one.found):,} {name}, the same of both groups; {one.repeated:,} came again "
                f"with the same bytes, {other.repeated:,} of the calm one"
            )
        print(f"  {states(fleet.bootstrap, 'fleet')}")
        for each in (killed, calm):
            print(f"warned of, {each.prefix}: {each.faults() or 'nothing'}")
    finally:
        killed.close()
        calm.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--models", type=int, default=20_000)
    parser.add_argument("--features", type=int, default=3)
    parser.add_argument("--partitions", type=int, default=8)
    parser.add_argument("--windows", type=int, default=4)
    parser.add_argument("--check", action="store_true", help="time `driftline check` too")
    parser.add_argument("--bootstrap", help="a broker to use; else one is started")
    options = parser.parse_args()
    silence()
    with broker(options.bootstrap) as bootstrap, tempfile.TemporaryDirectory() as folder:
        fleet = Fleet(Path(folder), bootstrap, options.models, options.features, options.partitions)
        print(
            f"{options.models:,} models of {options.features} features, {options.partitions} "
            f"partitions, {EVENTS} events of a model in a window",
            flush=True,
        )
        if options.check:
            check(fleet)
        measure(fleet, options.windows)


if __name__ == "__main__":
    main()
