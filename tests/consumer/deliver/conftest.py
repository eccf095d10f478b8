"""Alerts as judge writes them, in a log in memory."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from driftline.consumer.deliver.incidents import Incidents, Update
from driftline.consumer.deliver.subscriber import AlertRecord
from driftline.consumer.log.memory import MemoryBroker, MemoryLog
from driftline.consumer.log.protocol import Message
from driftline.consumer.wire.messages import partition_of
from driftline.consumer.wire.records import Alert

TOPIC = "driftline.alerts"
PARTITIONS = 3

FIRING: dict[str, Any] = {
    "schema": "driftline.alert.v1", "alert_id": "56f29dcfdc4e44e8", "revision": 1,
    "status": "firing", "severity": "warning", "kind": "feature_drift",
    "summary": "car-loan: car_value rose: median 43,485, normally 21,902, since 2019-03-27.",
    "stream": "car-loan", "model": "car-loan", "segment": None, "feature": "car_value",
    "type": "numeric", "since": "2019-03-27T00:00:00Z", "until": None,
    "rule": "budget: 1 per 30d, min_effect: 0.02", "detector": "ks", "value": 0.430551,
    "p_value": 6.87915e-157, "threshold": 0.0516913, "effect": 1.53282, "breaches": [1, 1],
    "window": {"start": "2019-04-02T00:00:00Z", "end": "2019-04-08T00:00:00Z", "events": 991},
    "reference": {"id": "12d664886f4460a1", "events": 50000}, "versions": {"1": 991},
    "counts": {"valid": 991}, "top": [], "incident_id": "bcd3f6b39202dc4d", "also_firing": [],
    "owner": "credit", "runbook": "https://wiki.example/car-loan",
}  # fmt: skip


def alert(alert_id: str = "a", revision: int = 1, **changes: Any) -> Alert:
    """One record; `end` is short for the end of its window."""
    fields = {**FIRING, "alert_id": alert_id, "revision": revision}
    if "end" in changes:
        fields["window"] = {**FIRING["window"], "end": changes.pop("end")}
    return msgspec.convert({**fields, **changes}, Alert)


def resolved(alert_id: str = "a", revision: int = 2, **changes: Any) -> Alert:
    """The last record of an alert."""
    return alert(alert_id, revision, status="resolved", until="2019-07-01T00:00:00Z", **changes)


def first_update(*alerts: Alert) -> Update:
    """What is sent first of alerts of one incident."""
    incidents = Incidents(gather=0)
    for place, each in enumerate(alerts):
        incidents.take(AlertRecord(each, msgspec.json.encode(each), 0, place, 0), 0)
    (update,), _ = incidents.updates({}, 0)
    return update


class Alerts:
    """The topic of alerts of one deployment."""

    def __init__(self) -> None:
        self.broker = MemoryBroker()
        self.broker.create(TOPIC, PARTITIONS)
        self.log = MemoryLog(self.broker)

    def publish(self, *records: Alert | bytes, partition: int | None = None) -> None:
        for record in records:
            key = record.alert_id if isinstance(record, Alert) else "x"
            value = msgspec.json.encode(record) if isinstance(record, Alert) else record
            number = partition_of(key, PARTITIONS) if partition is None else partition
            self.broker.append(Message(TOPIC, number, key.encode(), value))


@pytest.fixture
def alerts() -> Alerts:
    return Alerts()
