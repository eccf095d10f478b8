"""What every detector of the table must have beside its line there; names what one lacks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from tests.consumer.service.small import HOUR, alerts, backtest, plan, rows, verdicts

from driftline.consumer.wire.records import Alert, Verdict
from driftline.detectors import DETECTORS, RATES, QuietWindow, quiet_share

from .oracles import ORACLES

PAGE = Path(__file__).parents[2] / "docs" / "detectors.md"
LIMIT = 0.05
# Each hour breaks the features in another way: they move, are missing (one after the other:
# together they would be one alert without a type), wrong, and never seen.
BROKEN: tuple[dict[str, Any], ...] = (
    {"x": 1.5, "c": "q", "b": False},
    {"x": None},
    {"c": None},
    {"b": None},
    {"x": "text", "c": ["q"], "b": "text"},
    {"x": 50.0, "c": "new"},
)


@cache
def records(name: str) -> tuple[list[Alert], list[Verdict]]:
    """What the judge writes of broken events where a threshold on the detector is the only rule."""
    rng = np.random.default_rng(1)
    hours = [rows(i * HOUR, 200, HOUR // 200, rng, **fixed) for i, fixed in enumerate(BROKEN)]
    events = [*(event for hour in hours for event in hour), *rows(len(BROKEN) * HOUR, 1, 1, rng)]
    window = {"length": "1h", "grace": "0s", "min_events": 100}
    limits = {name: {"warning": LIMIT}}
    done = backtest(plan(window=window, budget="off", thresholds=limits), events)
    return alerts(done), verdicts(done)


def lacking(name: str) -> Iterator[str]:
    """Yield what a detector of the table lacks."""
    detector = DETECTORS[name]
    fired, judged = records(name)
    for kind in detector.types:
        own = [alert for alert in fired if (alert.type, alert.detector) == (kind, name)]
        figures = [v.detectors[name] for v in judged if v.type == kind and name in v.detectors]
        if not own:
            yield f"an alert of {kind} features"
        if any(alert.value is None for alert in own if alert.status == "firing"):
            yield f"a figure in alerts of {kind} features"
        if not any(figure.state == "warning" for figure in figures):
            yield f"a figure in verdicts of {kind} features"
        if {figure.p_value is None for figure in figures if figure.value is not None} - {
            detector.law is None
        }:
            yield f"whether {kind} features have a p-value"
    try:
        share = quiet_share(name, LIMIT, QuietWindow(200, 2_000, bins=10, rate=0.01))
    except AttributeError:
        share = None
    if (share is None) != (detector.law is None):
        yield "how often quiet windows reach a level"
    if name not in ORACLES:
        yield "an oracle"
    page = PAGE.read_text("utf-8")
    file = "rates" if name in RATES else name
    section = re.search(rf"^## {file}\n(.*?)(?=^## |\Z)", page, re.DOTALL | re.MULTILINE)
    if f"| `{name}` |" not in page or section is None:
        yield "a page"
    elif (detector.law is None) != ("No p-value" in section[1]):
        yield "whether it has a p-value, on its page"
