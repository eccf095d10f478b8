"""Performance where versions have references of their own: the whole model's is their mixture."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.consumer.service.small import (
    HOUR,
    MODEL,
    START,
    TOPIC,
    alerts,
    backtest,
    plan,
    verdicts,
)

from driftline.consumer.judge.performance import normal
from driftline.consumer.wire.records import Alert, Verdict
from driftline.detectors.reference import Reference
from driftline.detectors.versions import with_versions
from driftline.producer.records.mapping import Mapping
from driftline.producer.reference.build import ReferenceSettings, reference_from_rows

EVENTS, HOURS = 200, 30
RIGHT = {"3.1": 0.9, "3.2": 0.75}
WINDOW = {"length": "6h", "every": "1h", "grace": "0s", "min_events": 50}


def made(hours: int, seed: int, new: Any, begin: int = 0, worse: Any = None) -> list[Any]:
    """Events with their ground truth, of which `new(hour)` are of version 3.2."""
    rng, events = np.random.default_rng(seed), []
    for hour in range(begin, begin + hours):
        for i in range(EVENTS):
            version = "3.2" if rng.random() < new(hour) else "3.1"
            score = rng.random()
            yes = score > 0.5
            less = 0.0 if worse is None else worse(hour)
            right = rng.random() < RIGHT[version] - less
            events.append(
                {
                    "model": MODEL,
                    "model_version": version,
                    "timestamp": START + hour * HOUR + i * HOUR // EVENTS,
                    "features": {"x": round(rng.normal(), 3)},
                    "prediction": {"label": "yes" if yes else "no", "score": round(score, 3)},
                    "actual": "yes" if yes == right else "no",
                }
            )
    return events


def built(version: str, over: Reference | None = None) -> Reference:
    events = made(30, 1, lambda hour: version == "3.2", begin=-60)
    settings = ReferenceSettings(MODEL, layout_of=over, positive_label="yes")
    return reference_from_rows([events], Mapping.native(), settings).reference


@pytest.fixture(scope="module")
def both() -> Reference:
    old = built("3.1")
    return with_versions(old, {"3.1": old, "3.2": built("3.2", old)})


def run(
    reference: Reference, events: list[Any], **limits: Any
) -> tuple[list[Alert], list[Verdict]]:
    watched = plan(
        {MODEL: reference},
        window=WINDOW,
        budget="1 per 30d",
        references={"3.1": "a.json", "3.2": "b.json"},
        labels={"topic": TOPIC, "horizon": "1h"},
        **limits,
    )
    outputs = backtest(watched, events)
    whole = [each for each in verdicts(outputs, "performance.accuracy") if each.segment is None]
    found = [each for each in alerts(outputs) if each.kind == "performance"]
    return found, [each for each in whole if each.reason is None]


def rollout(hour: int) -> float:
    return min(max((hour - 4) / 20, 0.0), 1.0)


LIMITS = {"performance": {"accuracy": {"max_drop": 0.06}}}


@pytest.mark.parametrize("limits", [{}, LIMITS], ids=["budget", "limit"])
def test_a_rollout_of_a_version_that_is_less_often_right_is_no_change(
    both: Reference, limits: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    events = made(HOURS, 3, rollout)
    found, whole = run(both, events, **limits)
    assert [(a.feature, a.segment, a.summary) for a in found] == []
    for verdict in (whole[0], whole[-1]):
        figure = verdict.detectors["accuracy"]
        assert figure.reference == pytest.approx(figure.value, abs=0.04)
    assert whole[0].detectors["accuracy"].reference == pytest.approx(0.9, abs=0.02)
    assert whole[-1].detectors["accuracy"].reference == pytest.approx(0.75, abs=0.02)
    monkeypatch.setattr(normal, "version_streams", lambda reference: ())
    found, _ = run(both, events, **limits)
    assert {each.segment for each in found} == {None}


def test_what_becomes_worse_in_all_versions_is_told(both: Reference) -> None:
    events = made(HOURS, 3, lambda hour: 0.5, worse=lambda hour: 0.2 * (hour >= 12))
    found, _ = run(both, events)
    assert None in {each.segment for each in found if each.feature == "performance.accuracy"}
