"""An Alertmanager is told again and again what fires, and once what has ended."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from tests.consumer.deliver.conftest import alert, first_update, resolved

from driftline.consumer.deliver.alertmanager import Alertmanager, alertmanager_alert, labels
from driftline.consumer.deliver.dispatcher import Attempts
from driftline.consumer.deliver.errors import DeliveryError
from driftline.consumer.deliver.slack import slack_message
from driftline.consumer.wire.kinds import Kind
from driftline.consumer.wire.records import FeatureEffect

NOW = 1_562_000_000.0  # 2019-07-01T16:53:20Z


def test_an_alert_for_alertmanager() -> None:
    assert alertmanager_alert(alert(segment="channel=web"), int(NOW * 1000)) == {
        "labels": {
            "alertname": "DriftlineFeatureDrift",
            "severity": "warning",
            "model": "car-loan",
            "segment": "channel=web",
            "feature": "car_value",
            "kind": "feature_drift",
            "owner": "credit",
            "incident_id": "bcd3f6b39202dc4d",
        },
        "annotations": {
            "summary": alert().summary,
            "description": "rule budget: 1 per 30d, min_effect: 0.02; alert a, revision 1",
            "runbook_url": "https://wiki.example/car-loan",
        },
        "startsAt": "2019-03-27T00:00:00Z",
        "endsAt": "2019-07-01T16:53:20Z",
    }
    linked = alertmanager_alert(alert(links={"page": "https://drift.example/alerts/a"}), 0)
    assert linked["annotations"]["page_url"] == "https://drift.example/alerts/a"
    whole = alert(feature=None, kind="stale", owner=None, runbook=None)
    assert labels(whole).keys() == {"alertname", "severity", "model", "kind", "incident_id"}
    assert "runbook_url" not in alertmanager_alert(whole, 0)["annotations"]
    several = [
        alert(feature=None, kind="data_quality", alert_id=name, features=[FeatureEffect(name, 0.1)])
        for name in "ab"
    ]
    assert [labels(each)["alert_id"] for each in several] == ["a", "b"]


def test_alerts_on_performance_and_labels_have_names_of_their_own() -> None:
    accuracy = alert(
        kind="performance", feature="performance.accuracy", type="performance", effect=None,
        interval=[0.896252, 0.931016], normal=0.94364, counts={"labelled": 991},
        rule="accuracy: max_drop 0.01, for 2 of 3", summary="m: accuracy fell to 0.915",
    )  # fmt: skip
    said = alertmanager_alert(accuracy, 0)
    assert said["labels"]["alertname"] == "DriftlinePerformance"
    assert said["labels"]["feature"] == "performance.accuracy"
    assert "rule accuracy: max_drop 0.01, for 2 of 3;" in said["annotations"]["description"]
    assert "accuracy fell to 0.915" in slack_message(first_update(accuracy))["text"]
    stopped = alert(kind="labels", feature=None, type=None, detector=None, value=None, counts=None)
    assert labels(stopped)["alertname"] == "DriftlineLabelsStopped"
    assert "feature" not in labels(stopped)


def test_every_kind_has_a_name() -> None:
    names = [labels(alert(kind=kind))["alertname"] for kind in get_args(Kind)]
    assert len(set(names)) == len(names)


def test_an_end_is_never_before_the_start() -> None:
    early = alertmanager_alert(alert(), 1_000)
    assert early["endsAt"] == early["startsAt"]


class Posted:
    """Takes what is posted, or fails."""

    def __init__(self) -> None:
        self.bodies: list[list[dict[str, Any]]] = []
        self.fails = False

    def __call__(self, body: Any) -> None:
        if self.fails:
            raise DeliveryError("127.0.0.1 cannot be reached")
        self.bodies.append(body)

    def last(self) -> list[tuple[str, str, str]]:
        """Feature, severity and end of each alert of the last request."""
        return [
            (each["labels"]["feature"], each["labels"]["severity"], each["endsAt"])
            for each in self.bodies[-1]
        ]


@pytest.fixture
def posted() -> Posted:
    return Posted()


@pytest.fixture
def alertmanager(posted: Posted) -> Alertmanager:
    return Alertmanager("am", posted, 60.0, Attempts(backoff=5.0))


def test_what_fires_is_repeated_and_its_end_moves(
    alertmanager: Alertmanager, posted: Posted
) -> None:
    alertmanager.step(NOW)
    assert posted.bodies == []  # nothing to say
    alertmanager.take(alert("a", feature="x"), NOW)
    for seconds in (0, 30, 59, 60, 90, 119, 120):
        alertmanager.step(NOW + seconds)
    assert len(posted.bodies) == 3
    assert posted.bodies[0][0]["endsAt"] == "2019-07-01T16:57:20Z"  # four times 60 s from then
    assert posted.last() == [("x", "warning", "2019-07-01T16:59:20Z")]


def test_a_change_is_posted_at_once_and_an_end_once(
    alertmanager: Alertmanager, posted: Posted
) -> None:
    alertmanager.take(alert("a", feature="x"), NOW)
    alertmanager.take(alert("b", feature="y"), NOW)
    alertmanager.step(NOW)
    alertmanager.take(resolved("a", feature="x"), NOW + 1)
    alertmanager.step(NOW + 1)
    assert posted.last() == [
        ("y", "warning", "2019-07-01T16:57:21Z"),
        ("x", "warning", "2019-07-01T00:00:00Z"),  # its `until`
    ]
    alertmanager.step(NOW + 61)
    assert [feature for feature, *_ in posted.last()] == ["y"]


def test_an_end_in_the_future_is_now(alertmanager: Alertmanager, posted: Posted) -> None:
    """Alertmanager takes an alert for resolved when its end is past."""
    alertmanager.take(
        alert("a", 2, feature="x", status="resolved", until="2019-07-01T16:55:00Z"), NOW
    )
    alertmanager.step(NOW)
    assert posted.last() == [("x", "warning", "2019-07-01T16:53:20Z")]


def test_another_severity_ends_the_alert_that_had_the_old_one(
    alertmanager: Alertmanager, posted: Posted
) -> None:
    alertmanager.take(alert("a", 1, feature="x"), NOW)
    alertmanager.step(NOW)
    alertmanager.take(alert("a", 2, feature="x", severity="critical"), NOW + 5)
    alertmanager.step(NOW + 5)
    assert posted.last() == [
        ("x", "critical", "2019-07-01T16:57:25Z"),
        ("x", "warning", "2019-07-01T16:53:25Z"),
    ]
    alertmanager.take(resolved("a", 3, feature="x", severity="critical"), NOW + 9)
    alertmanager.step(NOW + 9)
    assert posted.last() == [("x", "critical", "2019-07-01T00:00:00Z")]


def test_a_post_that_fails_is_tried_until_it_succeeds_and_no_end_is_lost(
    alertmanager: Alertmanager, posted: Posted, caplog: pytest.LogCaptureFixture
) -> None:
    alertmanager.take(alert("a", feature="x"), NOW)
    alertmanager.step(NOW)
    posted.fails = True
    alertmanager.take(resolved("a", feature="x"), NOW + 1)
    tried = 0
    for second in range(1, 40):
        before = alertmanager.counts.retried
        alertmanager.step(NOW + second)
        tried += alertmanager.counts.retried - before
        alertmanager.take(alert("b", second, feature="y"), NOW + second)  # hurries nobody
    assert tried == 4  # after 0, 5, 10 and 20 s
    posted.fails = False
    alertmanager.step(NOW + 100)
    assert sorted(feature for feature, *_ in posted.last()) == ["x", "y"]
    assert caplog.text.count("alerts are not posted, trying on") == 1


def test_many_alerts_are_posted_in_parts(alertmanager: Alertmanager, posted: Posted) -> None:
    for number in range(100):
        alertmanager.take(alert(f"a{number}", feature=f"f{number}"), NOW)
    alertmanager.step(NOW)
    assert [len(body) for body in posted.bodies] == [64, 36]
