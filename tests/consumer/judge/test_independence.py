"""What happens to the run, silence, loss or a woken worker, changes nothing said of the data."""

from __future__ import annotations

import pytest
from tests.consumer.service.rig import Rig
from tests.consumer.service.small import SECOND, START, TOPIC, plan, row

from driftline.consumer.judge.lives.life import Life, join_incident
from driftline.consumer.wire.clock import Clock
from driftline.consumer.wire.kinds import Kind
from driftline.consumer.wire.messages import Horizon

WINDOW = {"length": "10s", "every": "10s", "grace": "5s", "min_events": 1}


def missing_values(*, pause: bool) -> Rig:
    """Values go missing after 50 seconds; with a pause the model is silent just before."""
    rig = Rig(plan(stale_after="60s", thresholds={"missing": {"warning": 0.9}}, window=WINDOW))
    rig.write([row(t * SECOND) for t in range(50)])
    worker = rig.start()
    for _ in range(70 if pause else 0):
        rig.broker.now += 1_100
        worker.step()
    rig.write([row(t * SECOND, x=None) for t in range(50, 100)])
    rig.settle()
    return rig


def test_a_silence_does_not_change_the_incidents_of_drift() -> None:
    quiet, paused = missing_values(pause=False), missing_values(pause=True)
    assert {alert["status"] for alert in paused.alerts("stale")} == {"firing", "resolved"}
    assert quiet.alerts("stale") == []
    (expected,), (found,) = quiet.alerts("data_quality"), paused.alerts("data_quality")
    assert found == expected
    assert found["incident_id"] not in {alert["incident_id"] for alert in paused.alerts("stale")}


@pytest.mark.parametrize(
    ("kind", "incident"),
    [("feature_drift", 90), ("stale", 100), ("data_loss", 100), ("labels", 100)],
)
def test_only_an_alert_on_the_data_opens_an_incident_for_others(kind: Kind, incident: int) -> None:
    other = Life("m", "", kind, since=90, firing=True, incident=90, history={})
    life = Life("m", "x", "feature_drift", since=100, firing=True, history={})
    join_incident(life, [other, life], length=50)
    assert life.incident == incident


def test_words_of_a_woken_worker_do_not_hide_silence_or_partitions() -> None:
    clock = Clock([TOPIC], {})
    for number in range(2):
        clock.advance(Horizon(TOPIC, number, 2, "m", START, START, 9, 2, stale=True))
    clock.advance(Horizon(TOPIC, 0, 1, "m", START, START, 9, 1))
    assert clock.stale()
    assert clock.sources[TOPIC, 0].partitions == 2
    assert clock.sources[TOPIC, 0].generation == 2
    # The owner's own next word does count.
    clock.advance(Horizon(TOPIC, 0, 3, "m", START, START, 10, 2))
    assert not clock.stale()
    assert clock.sources[TOPIC, 0].partitions == 3
