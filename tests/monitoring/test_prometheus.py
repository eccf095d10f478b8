"""Every panel and every rule, asked of a real Prometheus that scrapes a worker at work."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.consumer.service.rig import Rig
from tests.consumer.service.small import LABELS
from tests.kafka.reader import wait_until

from driftline.consumer.http.server import serve

from .dashboards import DASHBOARDS, Shown, filled, shown, variables
from .prometheus import Prometheus, scraping
from .watched import PAGE, feed, parts, watched

EVERYTHING = {
    **dict.fromkeys(("job", "namespace", "model", "feature", "severity", "instance"), ".*"),
    "segment": "^$",
}
EMPTY = {
    "driftline_window_events_normal": "the reference has no times: nobody knows an hour's events"
}
"""Metrics without data in this run, and why."""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Prometheus, Rig]]:
    """A Prometheus that has seen each part of the run."""
    rig = Rig(watched(), 1, {LABELS: 1})
    worker = rig.start()
    server = serve(rig.plan.config, worker.status, lambda: rig.broker.now)
    try:
        with scraping(server.port, tmp_path_factory.mktemp("prometheus")) as prometheus:
            for events, labels in parts():
                before = prometheus.scraped()
                wait_until(lambda: prometheus.scraped() > before, "a scrape")  # noqa: B023
                feed(rig, events, labels)
            yield prometheus, rig
    finally:
        server.close()


def missing(prometheus: Prometheus, wanted: set[Shown]) -> set[Shown]:
    """Those that have no data yet."""
    return {each for each in wanted if not prometheus.query(filled(each.expr, EVERYTHING))}


def test_every_panel_shows_data(run: tuple[Prometheus, Rig]) -> None:
    prometheus, _ = run
    wanted = {each for each in shown() if not any(name in each.expr for name in EMPTY)}
    assert len(wanted) > 50

    def all_there() -> bool:
        nonlocal wanted
        wanted = missing(prometheus, wanted)
        return not wanted

    try:
        wait_until(all_there, "data in every panel")
    finally:
        assert wanted == set()


def test_those_that_are_said_to_be_empty_exist_and_are(run: tuple[Prometheus, Rig]) -> None:
    prometheus, _ = run
    text = " ".join(each.expr for each in shown())
    for name in EMPTY:
        assert name in text
        assert not prometheus.query(name)


@pytest.mark.parametrize("name", DASHBOARDS)
def test_every_variable_has_values(run: tuple[Prometheus, Rig], name: str) -> None:
    prometheus, _ = run
    found = {
        each["name"]: prometheus.values(filled(each["query"]["query"], EVERYTHING), each["regex"])
        for each in variables(name).values()
        if each["type"] == "query"
    }
    expected: dict[str, set[str]] = {
        "job": {"driftline"},
        "namespace": set(),  # outside Kubernetes; `All` is there
        "model": {"m", "n"},
        "feature": {"x", "c", "prediction.label", "prediction.score"},
        "segment": {"^$", "tier=gold", "tier=tin", "tier=__other__"},
        "page": {PAGE},
    }
    instances = found.pop("instance", None)
    assert instances is None or len(instances) == 1
    assert {key: set(values) for key, values in found.items()} == {
        key: expected[key] for key in found
    }


def rules(prometheus: Prometheus) -> list[dict[str, Any]]:
    return [rule for group in prometheus.get("rules")["groups"] for rule in group["rules"]]


def test_every_rule_is_evaluated_and_what_is_recorded_has_data(
    run: tuple[Prometheus, Rig],
) -> None:
    prometheus, _ = run
    wait_until(
        lambda: all(rule["health"] == "ok" for rule in rules(prometheus)), "all rules evaluated"
    )
    recorded = [rule["name"] for rule in rules(prometheus) if rule["type"] == "recording"]
    assert len(recorded) > 5
    for name in recorded:
        wait_until(lambda: bool(prometheus.query(name)), name)  # noqa: B023


def test_what_fires_leads_to_the_alerts_of_the_run(run: tuple[Prometheus, Rig]) -> None:
    prometheus, rig = run
    newest = {record["alert_id"]: record for record in rig.alerts()}
    firing = {
        (record["model"], record["kind"], record["incident_id"], record["severity"])
        for record in newest.values()
        if record["status"] == "firing"
    }
    assert {each[3] for each in firing} == {"warning", "critical"}

    def told() -> list[dict[str, Any]]:
        alerts = prometheus.get("alerts")["alerts"]
        return [each for each in alerts if each["labels"]["alertname"].startswith("DriftlineDrift")]

    def identities() -> set[tuple[str, ...]]:
        names = ("model", "kind", "incident_id", "severity")
        return {tuple(each["labels"][name] for name in names) for each in told()}

    wait_until(lambda: firing <= identities(), "each incident and kind that fires")
    pages = {record["links"]["page"] for record in newest.values()}
    for alert in told():
        assert alert["labels"]["owner"] == "credit"
        assert alert["annotations"]["page_url"] in pages
