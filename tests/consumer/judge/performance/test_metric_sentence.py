"""Sentences of metrics and of whole models, whatever the model is called and knows."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.consumer.service.small import HOUR, REFERENCE, START

from driftline.consumer.config import ModelConfig
from driftline.consumer.judge.lives.life import Life, WindowTimes
from driftline.consumer.judge.lives.operational import whole_model_alert
from driftline.consumer.judge.performance.records import MetricWindow, MetricWriter
from driftline.consumer.judge.performance.rules import MetricReading
from driftline.consumer.judge.sentence import LONGEST, change
from driftline.consumer.wire.records import ReferenceName
from driftline.consumer.wire.subject import Subject
from driftline.detectors.outcomes import Figure

CONFIG = ModelConfig(predictions=("t",), reference=Path("r.json"))
NAMES = ["m", "fraud-" * 40]
TIMES = WindowTimes(START, START + HOUR, START)


@pytest.mark.parametrize("model", NAMES)
def test_a_metric_without_a_normal_value(model: str) -> None:
    writer = MetricWriter(model, None, CONFIG, ReferenceName("r", 100))
    life = Life(model, "performance.f1", "performance", since=START, firing=True)
    measured = MetricReading(Subject.metric("f1"), Figure(0.2, 0.1, 0.3, 500), float("nan"))
    window = MetricWindow(TIMES, 500, {}, {"labelled": 500}, [])
    alert = writer.alert(life, measured, window)
    assert "nan" not in alert.summary
    assert len(alert.summary) <= LONGEST
    assert change(alert.summary, alert.stream, alert.feature) == "F1 0.2, normally unknown"


@pytest.mark.parametrize("model", NAMES)
def test_the_change_of_a_whole_model(model: str) -> None:
    life = Life(model, "", "labels", since=START, firing=True)
    sentence = "labels do not come: not one within the horizon, since 2019-04-08 00:00 UTC."
    alert = whole_model_alert(model, CONFIG, REFERENCE, life, sentence, TIMES, 0)
    assert change(alert.summary, alert.stream, alert.feature) == (
        "do not come: not one within the horizon"
    )
