"""What views of many models cost: memory, and how long a restarted page takes to be of use.

    python -m benchmarks.views [--models 1000] [--features 100] [--windows 200] [--bootstrap H:P]

The topics are made up while they are read: verdicts of numeric features of ten bins, how many
events came and accuracy of each window, over six partitions. Making a record up costs a part of
what reading it from a broker does. With `--bootstrap` they are written to that broker first, into
topics of a new prefix, and read from there. Times are of one core.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from pathlib import Path
from typing import Any

import msgspec

from driftline.consumer.config import KafkaConfig, OutputConfig
from driftline.consumer.log.broker import connect
from driftline.consumer.log.memory import MemoryRecord
from driftline.consumer.log.protocol import (
    Log,
    Message,
    Record,
    TopicInfo,
    TopicPartition,
    TopicSpec,
)
from driftline.consumer.views.fold import Views
from driftline.consumer.views.follow import Follower
from driftline.consumer.wire.messages import partition_of
from driftline.producer.records.timestamp import format_time

PARTITIONS, HOUR, START = 6, 3_600_000, 1_600_041_600_000
OUTPUT = OutputConfig(prefix=f"driftline-views-{time.time_ns() // 1_000_000}")
VERDICTS, ALERTS = OUTPUT.topic("verdicts"), OUTPUT.topic("alerts")
_BINS = {"upper": [round(0.1 * i, 1) for i in range(1, 10)], "reference": [5_000] * 10}
_FEATURE: dict[str, Any] = {
    "type": "numeric", "state": "ok", "reason": None, "window": None,
    "reference": {"id": "12d664886f4460a1", "events": 50_000}, "versions": {"1": 2_000, "2": 9},
    "counts": {"valid": 2_000, "missing": 9, "absent": 0, "invalid": 0, "out_of_range": 1},
    "effect": 0.0123456,
    "detectors": {
        name: {"value": 0.0123456, "p_value": 0.123456, "threshold": 0.0516913, "state": "ok"}
        for name in ("ks", "psi", "jensen_shannon", "wasserstein", "missing")
    },
    "bins": {**_BINS, "window": [201] * 10},
    "sequential": {"evidence": 3.70783, "limit": 8.47637, "onset": "2020-09-14T08:00:00Z"},
}  # fmt: skip
_EVENTS: dict[str, Any] = {
    **_FEATURE, "type": "events", "counts": None, "bins": None,
    "detectors": {"events": {**_FEATURE["detectors"]["ks"], "reference": 1_998.7}},
}  # fmt: skip
_ACCURACY: dict[str, Any] = {
    **_EVENTS, "type": "performance", "effect": None,
    "counts": {"labelled": 1_900, "waiting": 100, "expired": 9},
    "detectors": {"accuracy": {**_FEATURE["detectors"]["ks"], "interval": [0.91, 0.93]}},
}  # fmt: skip


class MadeUpLog:
    """A `protocol.Log` whose records of verdicts are made up by their offsets.

    Args:
        models, features, windows: how many of each.
    """

    def __init__(self, models: int, features: int, windows: int) -> None:
        self._models: list[list[str]] = [[] for _ in range(PARTITIONS)]
        for number in range(models):
            name = f"model-{number:05}"
            self._models[partition_of(name, PARTITIONS)].append(name)
        kinds: list[tuple[str | None, dict[str, Any]]] = [
            (f"feature_{number:04}", _FEATURE) for number in range(features)
        ]
        kinds += [(None, _EVENTS), ("performance.accuracy", _ACCURACY)]
        self._bodies = [_pieces(name, body) for name, body in kinds]
        self._windows = windows
        self._times = [
            b'{"start":"%s","end":"%s","events":2009}'
            % tuple(format_time(START + HOUR * (n + each)).encode() for each in range(2))
            for n in range(windows)
        ]

    @property
    def records(self) -> int:
        """How many there are."""
        return sum(self._size(number) for number in range(PARTITIONS))

    def _size(self, partition: int) -> int:
        return len(self._models[partition]) * len(self._bodies) * self._windows

    def topics(self, names: Set[str], patience: float | None = None) -> dict[str, TopicInfo]:
        """Return those of verdicts and alerts."""
        return {name: TopicInfo(name, name, PARTITIONS, "delete") for name in (VERDICTS, ALERTS)}

    def create_topics(self, specs: Sequence[TopicSpec], replication_factor: int | None) -> None:
        """Create nothing."""

    def begin_offsets(self, partitions: Set[TopicPartition]) -> dict[TopicPartition, int]:
        """All begin at 0."""
        return dict.fromkeys(partitions, 0)

    def end_offsets(self, partitions: Set[TopicPartition]) -> dict[TopicPartition, int]:
        """Verdicts as many as there are, alerts none."""
        return {at: self._size(at.partition) if at.topic == VERDICTS else 0 for at in partitions}

    high_watermarks = end_offsets

    def offsets_at(
        self, partitions: Set[TopicPartition], timestamp: int
    ) -> dict[TopicPartition, int]:
        """Nobody asks."""
        raise NotImplementedError

    def read(
        self,
        start: Mapping[TopicPartition, int],
        stop: Mapping[TopicPartition, int] | None = None,
    ) -> Iterator[Record]:
        """Make records up."""
        for at, first in start.items():
            models, bodies = self._models[at.partition], self._bodies
            end = self._size(at.partition) if stop is None else stop[at]
            for offset in range(first, end):
                place, kind = divmod(offset, len(bodies))
                window, model = divmod(place, len(models))
                head, middle, tail = bodies[kind]
                name = models[model].encode()
                value = b"".join(
                    (head, name, b'","model":"', name, middle, self._times[window], tail)
                )
                yield MemoryRecord(at.topic, at.partition, offset, START, name, value)

    def close(self) -> None:
        """Nothing to give up."""


def _pieces(name: str | None, body: dict[str, Any]) -> tuple[bytes, bytes, bytes]:
    """Return a verdict's JSON around its stream, its model and its window."""
    start = {"schema": "driftline.verdict.v1", "verdict_id": "8af7aedc1048202b", "stream": "@"}
    text = msgspec.json.encode({**start, "model": "@", "segment": None, "feature": name, **body})
    head, _, rest = text.partition(b'@","model":"@')
    middle, _, tail = rest.partition(b'"window":null')
    return head, middle + b'"window":', tail


def write(bootstrap: str, log: MadeUpLog) -> Callable[[], Log]:
    """Write what is made up to a broker; return what reaches it."""
    config = KafkaConfig(bootstrap_servers=(bootstrap,))
    broker = connect(config)
    specs = [TopicSpec(name, PARTITIONS, {}) for name in (VERDICTS, ALERTS)]
    broker.log.create_topics(specs, None)
    producer = broker.producer()
    places = [TopicPartition(VERDICTS, number) for number in range(PARTITIONS)]
    for done, each in enumerate(log.read(dict.fromkeys(places, 0))):
        producer.send(Message(VERDICTS, each.partition, each.key, each.value))
        if done % 50_000 == 0:
            producer.flush()
    producer.flush()
    producer.close()
    return lambda: connect(config).log


def resident() -> float:
    """Memory that this process holds, MB."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    (line,) = (line for line in lines if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--models", type=int, default=1_000)
    parser.add_argument("--features", type=int, default=100)
    parser.add_argument("--windows", type=int, default=200)
    parser.add_argument("--bootstrap")
    given = parser.parse_args()
    log = MadeUpLog(given.models, given.features, given.windows)
    reach: Callable[[], Log] = lambda: log  # noqa: E731 (one of two)
    if given.bootstrap:
        reach = write(given.bootstrap, log)
    before, began, spent = resident(), time.monotonic(), time.process_time()
    follower = Follower(reach, OUTPUT, windows=given.windows)
    print(f"{log.records:,} verdicts in the topic, {before:.0f} MB before the first is read")

    def say(what: str) -> None:
        print(
            f"{what:<34} {follower.read:>12,} verdicts {time.process_time() - spent:>8.1f} CPU s"
            f" {time.monotonic() - began:>8.1f} s {resident() - before:>8.0f} MB"
        )

    useful = False
    while follower.step():
        if not useful:
            rows = follower.ask(lambda views: views.home()).models
            useful = len(rows) == given.models and all(
                row.features == given.features for row in rows
            )
            if useful:
                say("every model's newest window")
    say("all windows")

    def timed(what: str, question: Callable[[Views], Any]) -> None:
        spent = time.process_time()
        size = len(msgspec.json.encode(follower.ask(question)))
        print(f"{what:<34} {1e3 * (time.process_time() - spent):>8.0f} CPU ms {size:>12,} bytes")

    timed("home", lambda views: views.home())
    timed("model", lambda views: views.model("model-00000"))
    begun = time.monotonic()
    timed("feature", lambda views: views.feature("model-00000", "feature_0000"))
    print(f"{'':<34} {1e3 * (time.monotonic() - begun):>8.0f} ms")
    timed("performance", lambda views: views.performance("model-00000"))


if __name__ == "__main__":
    main()
