"""A sample of what a target gets, to see that it arrives."""

from __future__ import annotations

import msgspec

from driftline.consumer.deliver.errors import DeliveryError
from driftline.consumer.deliver.incidents import Update
from driftline.consumer.deliver.subscriber import AlertRecord
from driftline.consumer.deliver.target import Target
from driftline.consumer.wire.records import Alert
from driftline.producer.records.timestamp import format_time

_NAME = "driftline-test"
_ID = "0" * 16


def sample_update(now: int) -> Update:
    """Return the first message of an incident that does not exist, as at `now` (ms)."""
    time = format_time(now // 1000 * 1000)
    sample = {
        "schema": "driftline.alert.v1", "alert_id": _ID, "revision": 1, "status": "firing",
        "severity": "warning", "kind": "feature_drift",
        "summary": f"{_NAME}: this is a test of driftline alerts notify, nothing has changed.",
        "stream": _NAME, "model": _NAME, "segment": None, "feature": "example",
        "type": "numeric", "since": time, "until": None, "rule": "none: a test",
        "detector": None, "value": None, "p_value": None, "threshold": None, "effect": None,
        "breaches": None, "window": {"start": time, "end": time, "events": 0},
        "reference": {"id": _ID, "events": 0}, "versions": {}, "counts": None, "top": [],
        "incident_id": _ID, "also_firing": [], "owner": None, "runbook": None,
    }  # fmt: skip
    alert = msgspec.convert(sample, Alert)
    headers = (
        ("ce_specversion", "1.0"), ("ce_id", f"{_ID}.1"), ("ce_source", "/driftline/test"),
        ("ce_type", "io.driftline.alert.v1"), ("ce_subject", _NAME), ("ce_time", time),
    )  # fmt: skip
    record = AlertRecord(alert, msgspec.json.encode(alert), 0, 0, now, headers)
    return Update(_ID, True, [alert], [], [], [], [alert], [record])


def send_sample(target: Target, now: int) -> None:
    """Send the sample to a target, once.

    Raises:
        DeliveryError: it was not accepted.
    """
    update = sample_update(now)
    for delivery in target.deliveries(update):
        delivery.attempt()
    target.take(update.changed[0], now / 1000)
    target.step(now / 1000)
    if target.counts.retried:
        raise DeliveryError(f"{target.name} did not take it")
