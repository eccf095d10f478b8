"""Scrapes of workers that run over the in-memory log."""

from __future__ import annotations

import json
import sys
import threading
from typing import Any, get_args

import pytest

from driftline.consumer.http.reading import read_steadily
from driftline.consumer.judge.windows.passed_over import REASONS
from driftline.consumer.log.protocol import Message
from driftline.consumer.service.counting import InputPartition
from driftline.consumer.service.worker import Worker
from driftline.consumer.wire.kinds import Kind, Reason
from driftline.detectors import DETECTORS

from .conftest import START, Site, labelled, read

LOAN = (("model", "loan"),)
SOME = ("gold", "tin", "tin")
IDS = ("alert_id", "incident_id")


def test_a_worker_that_ran(site: Site) -> None:
    worker = site.worker()
    site.events(range(40), x0=5.0)
    site.send(b"oops")
    site.send(b'{"model": "what-is-this", "features": {"x0": 1.0}}')
    site.broker.append(Message("in", 0, None, None))
    site.run(worker)
    samples = read(worker.status)
    fates = ("events_counted", "late_events", "events_skipped", "events_rejected")
    accounted = sum(v for (name, _), v in samples.items() if name.removesuffix("_total") in fates)
    assert samples["events_consumed_total", (("source", "in"),)] == accounted == 83
    assert samples["events_counted_total", LOAN] == 80
    assert samples["dead_letters_total", (("reason", "malformed"),)] == 1
    assert len(list(site.broker.records("driftline.dead-letter"))) == 1
    assert samples["windows_closed_total", LOAN] == 3
    assert samples["windows_judged_total", LOAN] == 3
    assert samples["window_every_seconds", LOAN] == 10
    assert [record.get("budgeted") for record in published(site)] == [True]
    assert samples["budget_alerts_total", LOAN] == 1
    assert samples["budget_alerts_allowed", LOAN] == 1
    assert samples["budget_period_seconds", LOAN] == 30 * 86_400
    assert samples["window_events", LOAN] == 20
    assert samples["watermark_timestamp_seconds", LOAN] == START / 1000 + 30
    assert samples["last_event_timestamp_seconds", LOAN] == START / 1000 + 39.5
    score = (("detector", "ks"), ("feature", "x0"), *LOAN)
    assert samples["drift_score", score] > 0.9
    assert samples["drift_threshold", score] == 0.5
    alert = (("feature", "x0"), ("kind", "feature_drift"), *LOAN)
    assert samples["drift_active", (*alert, ("severity", "critical"))] == 1
    assert samples["drift_active", (*alert, ("severity", "warning"))] == 0
    assert samples["features_drifting", LOAN] == 1
    written = sum(v for (name, _), v in samples.items() if name == "alerts_published_total")
    assert written == len(list(site.broker.records("driftline.alerts"))) > 0
    assert samples["consumer_lag", (("partition", "0"), ("topic", "in"))] == 0
    assert samples["worker_ready", ()] == 1


def test_every_label_is_a_name_of_the_configuration_or_of_a_closed_set(site: Site) -> None:
    """The events hold other models, versions, categories, tags, features: none becomes a label."""
    worker = site.worker()
    site.events(range(20), x0=5.0, plan="surprise", unheard_of=1.0)
    site.send(b'{"model": "what-is-this", "features": {"x0": 1.0}, "tags": {"tier": "new"}}')
    site.run(worker)
    closed: dict[str, set[str]] = {
        "model": {"loan", "churn"},
        "segment": {"tier=gold", "tier=tin", "tier=__other__"},
        "feature": {"", "x0", "x1", "plan", "prediction.score"},
        "detector": set(DETECTORS),
        "kind": set(get_args(Kind)),
        "severity": {"warning", "critical"},
        "status": {"firing", "resolved"},
        "source": {"in"},
        "reason": {"tombstone", "unknown_model", *get_args(Reason), *REASONS},
        "topic": {"in"},
        "partition": {"0"},
        "owner": {"", "credit"},
        "url": {"https://drift.example", *(record["links"]["page"] for record in published(site))},
        **{name: {str(record[name]) for record in published(site)} for name in IDS},
        "reference": {reference.id for reference in site.plan.references.values()},
    }
    for name, labels in read(worker.status):
        for label, value in labels:
            assert label in ("version", "le") or value in closed[label], (name, label, value)


def published(site: Site) -> list[dict[str, Any]]:
    return [json.loads(record.value or b"") for record in site.broker.records("driftline.alerts")]


def test_each_alert_that_fires_has_its_ids_and_they_leave_with_it(site: Site) -> None:
    worker = site.worker()
    site.events(range(40), SOME, x0=5.0)
    site.run(worker)
    newest = {record["alert_id"]: record for record in published(site)}
    assert {record["status"] for record in newest.values()} == {"firing"}
    wanted = {
        (
            record["alert_id"],
            record["incident_id"],
            record["segment"],
            record["feature"],
            record["kind"],
            record["severity"],
            record["links"]["page"],
        )
        for record in newest.values()
    }
    assert {each[2] for each in wanted} == {None, "tier=gold"}
    assert not any(record.get("budgeted") for record in newest.values())
    samples = read(worker.status)
    assert samples["budget_alerts_total", LOAN] == 0
    shown = [dict(labels) for name, labels in samples if name == "alert_info"]
    told = {
        (*(each[name] for name in IDS), each.get("segment"), each["feature"], each["kind"],
         each["severity"], each["url"])
        for each in shown
    }  # fmt: skip
    assert told == wanted
    assert len(shown) == len(wanted)

    site.events(range(40, 120))
    site.run(worker)
    over = {record["alert_id"] for record in published(site) if record["status"] == "resolved"}
    assert over
    still = {dict(labels).get("alert_id") for name, labels in read(worker.status)}
    assert not over & still


def test_an_alert_fires_in_one_severity_and_in_its_own_stream(site: Site) -> None:
    worker = site.worker()
    site.events(range(40), SOME, x0=5.0)
    site.run(worker)
    active = {
        (dict(labels).get("segment"), dict(labels)["severity"]): value
        for (name, labels), value in read(worker.status).items()
        if name == "drift_active" and ("feature", "x0") in labels and ("model", "loan") in labels
        and ("kind", "feature_drift") in labels
    }  # fmt: skip
    assert active == {
        (None, "critical"): 0, (None, "warning"): 1, ("tier=gold", "critical"): 1,
    }  # fmt: skip


def test_a_model_has_its_series_before_its_first_event(site: Site) -> None:
    """All but figures of windows, which nobody knows yet."""
    worker = site.worker()
    site.run(worker)
    samples = read(worker.status)
    assert set(labelled(samples, "loan")) == {
        "alerts_published_total", "budget_alerts_allowed", "budget_alerts_total",
        "budget_period_seconds", "drift_active", "events_counted_total",
        "events_passed_over_total", "features_drifting", "features_monitored",
        "late_events_total", "model_failed", "model_info", "reference_info", "series_suppressed",
        "window_every_seconds", "windows_closed_total", "windows_judged_total",
    }  # fmt: skip
    active = [labels for name, labels in samples if name == "drift_active" and LOAN[0] in labels]
    assert len(active) == 2 * (4 + 2 * 4)  # kinds on the whole model, and two of each feature
    assert not any(samples["drift_active", labels] for labels in active)


def judged_by(workers: list[Worker]) -> list[list[str]]:
    return [sorted(worker.status.models()) for worker in workers]


def test_a_worker_that_loses_a_model_exports_no_series_of_it(site: Site) -> None:
    first = site.worker()
    site.events(range(40), x0=5.0)
    site.run(first)
    assert "drift_active" in set(labelled(read(first.status), "loan"))
    second = site.worker()
    site.run(first, second)
    homes = judged_by([first, second])
    assert sorted(homes[0] + homes[1]) == ["churn", "loan"]
    loser, winner = (second, first) if "loan" in homes[0] else (first, second)
    judged = {"drift_active", "features_monitored", "windows_closed_total", "model_info"}
    for worker, has in ((winner, True), (loser, False)):
        names = set(labelled(read(worker.status), "loan"))
        assert (judged <= names) == has
        counts = any(p.topic == "in" for p in worker.status.of(InputPartition))
        counting = {"events_counted_total", "late_events_total"}
        assert names & counting == (counting if counts else set())
        assert has or names <= counting
    assert sum(bool(worker.status.of(InputPartition)) for worker in (first, second)) == 1
    first.close()
    site.run(second)
    assert judged <= set(labelled(read(second.status), "loan"))


def test_a_look_is_repeated_until_no_dictionary_changes_under_it() -> None:
    grows = {0: "a"}
    looks: list[None] = []

    def look() -> list[str]:
        looks.append(None)
        found = []
        for value in grows.values():
            if len(looks) < 3:
                grows[len(grows)] = "b"
            found.append(value)
        return found

    assert read_steadily(look) == ["a", "b", "b"]
    assert len(looks) == 3


def test_a_look_that_never_comes_through_is_an_error() -> None:
    def look() -> None:
        raise RuntimeError("dictionary changed size during iteration")

    with pytest.raises(RuntimeError, match="changed size"):
        read_steadily(look)


def test_scrapes_while_the_worker_works(site: Site) -> None:
    """The worker opens and loses partitions, and alerts come and go, under the scrapes."""
    worker = site.worker()
    failures: list[BaseException] = []
    done = threading.Event()

    def scrape() -> None:
        try:
            while not done.is_set():
                read(worker.status)
        except BaseException as error:
            failures.append(error)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    thread = threading.Thread(target=scrape)
    try:
        thread.start()
        for round_ in range(10):
            seconds = range(round_ * 20, round_ * 20 + 20)
            if round_ % 2:
                site.events(seconds, x0=5.0)
            else:
                site.events(seconds)
            worker.step()
            site.broker.rebalance()
            worker.step()
        site.run(worker)
    finally:
        done.set()
        thread.join()
        sys.setswitchinterval(interval)
    assert failures == []
    assert read(worker.status)["events_counted_total", LOAN] == 400
