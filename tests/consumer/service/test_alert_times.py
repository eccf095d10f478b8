"""The times and figures of an alert that ends, and a pending one whose rule goes."""

from __future__ import annotations

from typing import Any

from tests.consumer.service.rig import Rig
from tests.consumer.service.small import SECOND, alerts, backtest, plan, row

TENS = {"length": "10s", "every": "10s", "grace": "5s", "min_events": 1}


def test_an_alert_does_not_end_before_it_began() -> None:
    """Few events with missing values, then so many that windows over the onset are quiet."""
    window = {"length": "3m", "every": "1m", "grace": "5s", "min_events": 20}
    watched = plan(thresholds={"missing": {"warning": 0.3}}, window=window)
    few = [row(t * SECOND, x=None) for t in (*range(0, 60, 6), *range(60, 120, 20))]
    fine = [row(t * SECOND) for t in range(120, 180, 6)]
    many = [row(t * 100) for t in range(1_800, 5_000)]
    fired, resolved = alerts(backtest(watched, [*few, *fine, *many]))
    assert (fired.status, resolved.status) == ("firing", "resolved")
    assert resolved.until is not None
    assert resolved.since is not None
    assert resolved.since <= resolved.until
    assert "-" not in resolved.summary.partition("after ")[2]


def test_a_pending_alert_does_not_outlive_its_rule() -> None:
    def watching(warning: float) -> Any:
        return plan(thresholds={"missing": {"warning": warning, "for": "2 of 3"}}, window=TENS)

    def events(start: int, end: int) -> list[dict[str, Any]]:
        lacks = {*range(30, 40), *range(1_000, 1_200)}
        return [row(t * SECOND, **({"x": None} if t in lacks else {})) for t in range(start, end)]

    rig = Rig(watching(0.2))
    rig.write(events(0, 56))
    rig.start()
    rig.settle()
    rig.stop()
    assert rig.alerts() == []  # pending
    rig.write(events(56, 1_100))
    rig.start(watching(0.3))
    rig.settle()
    (fired,) = rig.alerts()
    assert fired["since"] == "2020-09-20T00:16:40Z"  # not that of the breach under the old rule


def test_a_resolved_alert_has_the_figures_of_its_own_rate() -> None:
    watched = plan(thresholds={"missing": {"warning": 0.2}})
    events = [row(t * SECOND, **({"x": None} if 30 <= t < 60 else {})) for t in range(200)]
    fired, resolved = alerts(backtest(watched, events))
    for alert in (fired, resolved):
        assert (alert.detector, alert.threshold, alert.rule) == ("missing", 0.2, fired.rule)
        assert alert.p_value is not None
    assert fired.value is not None
    assert fired.value > 0.2
    assert (resolved.status, resolved.value) == ("resolved", 0)
