"""Subjects: written as text in one place, read from it in one."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.consumer.judge.lives.life import Life
from driftline.consumer.wire.kinds import Kind
from driftline.consumer.wire.subject import COMPARISON, Subject
from driftline.producer.records.names import PREDICTION_FEATURES, feature_problem

METRICS = ("accuracy", "roc_auc", "bias", "estimate_gap")


@given(st.text(min_size=1))
def test_any_feature_is_read_as_it_was_written(name: str) -> None:
    subject = Subject.feature(name)
    assert subject.field == subject.label == name
    assert Subject.read(name, "distribution") == subject
    assert not subject.is_performance


@pytest.mark.parametrize("estimated", [False, True])
@pytest.mark.parametrize("name", METRICS)
def test_any_metric_is_read_as_it_was_written(name: str, estimated: bool) -> None:
    subject = Subject.metric(name, estimated=estimated)
    assert Subject.read(subject.field, "performance") == subject
    assert subject.is_realised is not estimated
    assert feature_problem(subject.field)  # so that no feature is mistaken for it


def test_names_of_metrics_as_records_have_them() -> None:
    assert Subject.metric("f1").field == "performance.f1"
    assert Subject.metric("f1", estimated=True).field == "performance.estimated_f1"
    assert COMPARISON.field == "performance.comparison"
    assert COMPARISON.is_realised


def test_a_comparison_and_a_whole_model_are_read() -> None:
    assert Subject.read("performance.comparison", "performance") is COMPARISON
    assert Subject.read(None, "labels") == Subject.read("", "run") == Subject("model", "")
    assert Subject.read("in[0]", "run") == Subject("model", "in[0]")


def test_the_kind_of_drift() -> None:
    assert {Subject.feature(name).drift for name in PREDICTION_FEATURES} == {"prediction_drift"}
    assert Subject.feature("prediction").drift == "feature_drift"


@pytest.mark.parametrize(
    ("kind", "subject"),
    [
        ("performance", Subject.metric("accuracy")),
        ("feature_drift", Subject.feature("performance.accuracy")),
    ],
)
def test_a_life_of_a_feature_called_like_a_metric(kind: Kind, subject: Subject) -> None:
    life = Life("m", "performance.accuracy", kind, since=0)
    read = msgspec.msgpack.decode(msgspec.msgpack.encode(life), type=Life)
    assert read.subject == subject
