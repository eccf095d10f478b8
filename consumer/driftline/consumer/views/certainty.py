"""How sure an alert is, in words: what was measured, beside what it is compared with."""

from __future__ import annotations

from driftline.consumer.judge.budget_rules import SEQUENTIAL
from driftline.consumer.judge.sentence import figure
from driftline.consumer.wire.records import Alert


def measured(alert: Alert) -> str:
    """Return what the alert's rule looked at, beside its limit; empty where it was no figure."""
    if alert.detector is None:
        return ""
    name = "evidence" if alert.detector == SEQUENTIAL else alert.detector
    text = f"{name} {figure(alert.value)}"
    if alert.threshold is not None:
        text += f" (limit {figure(alert.threshold)})"
    elif alert.p_value is not None:
        text += f" (p-value {figure(alert.p_value)})"
    return text


def how_sure(alert: Alert) -> str:
    """Return how sure an alert is: the interval of a metric, else what its rule looked at."""
    text = measured(alert)
    if alert.interval is None or None in alert.interval:
        return text
    low, high = map(figure, alert.interval)
    return f"{text}, 95 % interval {low} to {high}"
