"""`models.<name>.labels`: how long a prediction waits, and when a window is judged."""

from __future__ import annotations

import pytest
from pydantic import ValidationError
from tests.consumer.config.conftest import Problems, Read

from driftline.consumer.config import LabelsConfig, show

DAY = 86_400_000


def test_a_window_by_prediction_is_judged_when_no_prediction_waits_any_more() -> None:
    labels = LabelsConfig(topic="labels", horizon=3 * DAY, by="prediction")
    assert labels.maturity == 3 * DAY


def test_a_window_cannot_wait_longer_than_its_predictions() -> None:
    with pytest.raises(ValidationError, match="behind the horizon"):
        LabelsConfig(topic="labels", horizon=DAY, maturity=2 * DAY)


CONFIG = """\
kafka: {bootstrap_servers: "k:1"}
defaults: {DEFAULTS}
models:
  m: {predictions: in, reference: m.json, labels: {topic: truth, LABELS}}
"""


def config(labels: str, defaults: str = "") -> str:
    return CONFIG.replace("LABELS", labels).replace("DEFAULTS", defaults)


def test_windows_by_arrival_have_no_maturity(read: Read, problems: Problems) -> None:
    advice = "windows by arrival are judged at their end: leave it out, or set by: prediction"
    said = f"driftline.yaml:4: models.m.labels.maturity: {advice}"
    assert problems(config("by: arrival, maturity: 1d")) == [said]
    assert problems(config("maturity: 1d")) == [said]
    assert "maturity" not in show(read(config("by: arrival")))
    assert "maturity: 1d" in show(read(config("by: prediction, maturity: 1d")))


def test_what_is_shown_of_labels_can_be_read_again(read: Read) -> None:
    for labels in ("by: arrival", "by: prediction", "horizon: 3d"):
        first = read(config(labels))
        assert read(show(first)).config.models == first.config.models


def test_a_maturity_of_all_models_needs_windows_by_prediction(problems: Problems) -> None:
    assert problems(config("by: prediction", "labels: {maturity: 1d}")) == []
    (said,) = problems(config("by: arrival", "labels: {maturity: 1d}"))
    assert said.startswith("driftline.yaml:2: defaults.labels.maturity: windows by arrival are")
