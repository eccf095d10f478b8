"""Sentences and rows of metrics, whatever the model is called and knows."""

from __future__ import annotations

import pytest
from tests.consumer.service.small import HOUR, START

from driftline.consumer.config import Metric, ModelConfig, ReferenceConfig
from driftline.consumer.judge.lives.life import Life, Reading, WindowTimes
from driftline.consumer.judge.performance.records import MetricWindow, MetricWriter
from driftline.consumer.judge.performance.rules import MetricReading
from driftline.consumer.judge.records import RecordWriter
from driftline.consumer.judge.sentence import LONGEST
from driftline.consumer.wire.records import Alert, ReferenceName
from driftline.consumer.wire.subject import Subject
from driftline.detectors.outcomes import GAP, Figure

CONFIG = ModelConfig(predictions=("t",), reference=ReferenceConfig(layout="r.json"))
NAMES = ["m", "fraud-" * 40]
TIMES = WindowTimes(START, START + HOUR, START)


def alert_on(
    subject: Subject,
    figure: Figure,
    normal: float,
    model: str = "m",
    means: tuple[float, float] | None = None,
) -> Alert:
    writer = MetricWriter(RecordWriter(model, None, CONFIG, ReferenceName("r", 100)))
    life = Life(model, subject.field, "performance", since=START, firing=True)
    window = MetricWindow(TIMES, 500, {}, {"labelled": 500}, [])
    return writer.alert(life, MetricReading(subject, figure, normal, means=means), window)


@pytest.mark.parametrize("model", NAMES)
def test_a_metric_without_a_normal_value(model: str) -> None:
    figure = Figure(0.2, 0.1, 0.3, 500)
    alert = alert_on(Subject.metric("f1"), figure, float("nan"), model)
    assert "nan" not in alert.summary
    assert len(alert.summary) <= LONGEST
    assert alert.change == "F1 0.2, normally unknown"


@pytest.mark.parametrize(
    ("means", "text", "row"),
    [
        (
            (792.4, 697.1),
            "errors are larger than its inputs let expect: mean 792, expected 697, on 500",
            "mean error 792, expected 697",
        ),
        (
            (0.3051, 0.3052),
            "errors are smaller than its inputs let expect: mean 0.3051, expected 0.3052, on 500",
            "mean error 0.3051, expected 0.3052",
        ),
    ],
)
def test_errors_beside_those_that_are_expected(
    means: tuple[float, float], text: str, row: str
) -> None:
    figure = Figure.of(means[0] - means[1], -1.0, 200.0, 500)
    alert = alert_on(Subject.metric(GAP.name), figure, 0.0, means=means)
    assert text in alert.summary
    assert alert.change == row


@pytest.mark.parametrize(
    ("subject", "value", "normal", "row"),
    [
        (Subject.metric("accuracy"), 0.915, 0.944, "accuracy 0.915, normally 0.944"),
        (Subject.metric("mae"), 12_345.0, 1_234.0, "mean absolute error 12,345, normally 1,234"),
        (
            Subject.metric("accuracy", estimated=True),
            0.911,
            0.944,
            "estimated accuracy 0.911, normally 0.944",
        ),
        (
            Subject.metric("roc_auc", estimated=True),
            0.9,
            0.9,
            "estimated ROC AUC 0.9, as normally",
        ),
        (Subject.metric(GAP.name), -0.031, 0.0, "0.031 worse than estimated"),
        (Subject.metric(GAP.name), 0.031, 0.0, "0.031 better than estimated"),
    ],
)
def test_the_row_of_a_metric(subject: Subject, value: float, normal: float, row: str) -> None:
    nan = float("nan")
    alert = alert_on(subject, Figure(value, nan, nan, 500), normal)
    assert alert.change == row
    assert alert.subject == subject


@pytest.mark.parametrize(
    ("metric", "text"),
    [
        ("mae", "normally 2, where the inputs of these events let expect 2.1, on 500"),
        (
            "bias",
            "normally 2, and errors are larger than its inputs let expect: mean 3, expected 2.1",
        ),
    ],
)
def test_what_inputs_let_expect_is_the_mean_error_and_no_other_metric(
    metric: Metric, text: str
) -> None:
    """A bias of 3 beside an expected mean error of 2.1 says nothing."""
    writer = MetricWriter(RecordWriter("m", None, CONFIG, ReferenceName("r", 100)))
    subject = Subject.metric(metric)
    life = Life("m", subject.field, "performance", since=START, firing=True)
    window = MetricWindow(TIMES, 500, {}, {"labelled": 500}, [])
    worse = Reading("budget", 1, 1, 1, quiet=False)
    gap = MetricReading(
        Subject.metric(GAP.name), Figure(0.9, 0.5, 1.3, 500), 0.0, reading=worse, means=(3.0, 2.1)
    )
    found = MetricReading(subject, Figure(3.0, 2.5, 3.5, 500), 2.0)
    assert text in writer.alert(life, found, window, gap=gap).summary
