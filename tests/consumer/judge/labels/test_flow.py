"""Alerts that labels stop or slow down: a table of flows, and when each fires and is resolved."""

from __future__ import annotations

import pytest
from tests.consumer.judge.labels.label_flows import (
    STEADY,
    Flow,
    after,
    chosen,
    diurnal,
    down,
    nightly,
    office,
    pause,
    sampled,
    scattered,
    turns,
    until,
    working_hours,
)

# A stretch is three hours where the horizon is a week. By coverage an alert fires when the second
# stretch without labels is settled, one horizon after its end; by pace in the second window.
FAILING = {
    # What is usual is known of the first days: the predictions of hour 70 on get no label.
    "stop on day 3": Flow(40, until(3, STEADY), (240 + 3,)),
    # Nothing is usual yet: the stretch of hours 3 to 5 is the first without a label.
    "stop after 4 hours": Flow(40, until(4 / 24, STEADY), (168 + 9,)),
    "stop on day 10": Flow(40, until(10, STEADY), (242,)),
    # The predictions of day 29 were due on day 30.
    "nightly that stops": Flow(60, until(30, nightly), (29 * 24 + 168 + 6,)),
    # It is taken as usual two weeks after it fired, at the next stretch.
    "nightly that drops to a tenth": Flow(60, until(30, nightly, 0.1), (870, 870 + 336 - 3)),
    "a trickle from day 3": Flow(60, until(3, STEADY, 0.01), (243, 243 + 336 - 3)),
    "a lower coverage": Flow(60, until(20, STEADY, 0.4), (482, 482 + 336 - 2)),
    # Nothing comes at first, then all of it late.
    "three times as late": Flow(
        60, lambda hour: [(2 if hour < 480 else 6, 1.0)], (484, 484 + 336 - 2)
    ),
    "nightly, three nights late": Flow(
        45, lambda hour: [(d + (72 if hour >= 720 else 0), s) for d, s in nightly(hour)], (843,)
    ),
    # By pace it is resolved at once, although predictions of the time still expire for a week.
    "stop and return": Flow(60, pause(30, 32, STEADY), (724, 774)),
    "long stop and return": Flow(70, pause(30, 45, STEADY), (724, 45 * 24 + 6)),
    # By coverage when the predictions of the time have expired.
    "nightly stop and return": Flow(60, pause(30, 33, nightly), (894, 33 * 24 + 168 + 12)),
    "little traffic": Flow(
        80, until(60, after(5)), (1653,), predictions=lambda hour: 20
    ),
    # The predictions of Thursday, day 59, are the first without a label.
    "working hours": Flow(
        80, until(60, after(20)), (59 * 24 + 168 + 12,), predictions=working_hours
    ),
    # One hour in six is odd, not two of three; what is usual stays what it was.
    "odd hours, then a stop": Flow(
        45, until(40, lambda hour: [] if hour >= 480 and hour % 6 == 0 else STEADY(hour)), (962,)
    ),
    # While one hour in three is amiss it is not over.
    "return by and by": Flow(
        60,
        pause(30, 31, lambda hour: [] if 720 <= hour < 768 and hour % 3 == 0 else STEADY(hour)),
        (724, 771),
    ),
    # A rhythm that is new is told once.
    "no longer at weekends": Flow(
        70, lambda hour: after(3)(hour) if hour < 720 else office(hour), (33 * 24 + 2, 35 * 24 + 4)
    ),
    # By prediction a window is settled when it is judged: a horizon less than by arrival.
    "by prediction, stop on day 3": Flow(20, until(3, STEADY), (75,), by="prediction"),
    "by prediction, stop and return": Flow(
        60, pause(30, 32, STEADY), (722, 32 * 24 + 4), by="prediction"
    ),
    # By weeks, which begin on Thursdays: the first whole one without labels began on day 60.
    "by prediction, before the horizon": Flow(
        90, until(60, office), (74 * 24,), by="prediction", maturity=24
    ),
    "months": Flow(
        240, until(150, after(24)), (155 * 24,), lambda hour: 100, 960, length=144, every=24
    ),
}  # fmt: skip
HEALTHY = {
    "weekends, horizon of a week": Flow(120, office),
    "weekends, horizon of four days": Flow(120, office, horizon=96),
    "weekends, long windows": Flow(60, office, length=24),
    "weekends, by prediction": Flow(120, office, by="prediction"),
    "weekends, by prediction before the horizon": Flow(
        120, office, by="prediction", maturity=24
    ),
    "outage of two days": Flow(120, after(24), predictions=down(20, 22)),
    "outage of five days": Flow(60, after(26), predictions=down(20, 25)),
    "outage, labels five days later": Flow(
        120, after(120), predictions=down(40, 42), horizon=14 * 24
    ),
    "outage of two hours": Flow(60, after(24), predictions=down(20, 20 + 2 / 24)),
    "outage, long windows": Flow(60, after(24), predictions=down(20, 22), length=6),
    "outage over a weekend": Flow(60, office, predictions=down(19, 21.5)),
    "outage, horizon of weeks": Flow(
        70, STEADY, predictions=down(50, 52.75), horizon=960
    ),
    "outage, two kinds of labels": Flow(
        60, lambda hour: [(5, 0.6), (60, 0.4)], predictions=down(20, 22)
    ),
    "outage, labels scattered": Flow(60, scattered, predictions=down(20, 23)),
    "diurnal": Flow(120, after(5), predictions=diurnal),
    "diurnal, a day late": Flow(120, after(24), predictions=diurnal),
    "a tenth": Flow(120, sampled(STEADY, 0.1), predictions=diurnal),
    "a tenth, nightly": Flow(120, sampled(nightly, 0.1), predictions=diurnal),
    "a hundredth, by chance": Flow(120, chosen, predictions=lambda hour: 250),
    "little traffic": Flow(120, after(5), predictions=lambda hour: 20),
    "little traffic, a tenth": Flow(120, sampled(after(5), 0.1), predictions=lambda hour: 20),
    "working hours": Flow(120, after(20), predictions=working_hours),
    "monthly": Flow(
        300, lambda hour: [((hour // 720 + 1) * 720 + 30 - hour, 1.0)], (),
        lambda hour: 200, horizon=960,
    ),
    "panes that do not fill the horizon": Flow(
        120, sampled(after(5), 0.1), predictions=diurnal, horizon=50, length=6, every=6
    ),
}  # fmt: skip


@pytest.mark.parametrize("flow", FAILING.values(), ids=FAILING)
def test_labels_that_fail_are_told(flow: Flow) -> None:
    assert turns(flow.run()) == flow.expected


@pytest.mark.parametrize("flow", HEALTHY.values(), ids=HEALTHY)
def test_healthy_labels_raise_no_alert(flow: Flow) -> None:
    assert flow.run() == []
