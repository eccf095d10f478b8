"""Metrics by the names that other tools have for them: the error says ours."""

from __future__ import annotations

import pytest
from tests.consumer.config.conftest import Problems

from driftline.consumer.config import METRICS
from driftline.consumer.config.table_names import metric_hint

CONFIG = """\
kafka: {bootstrap_servers: "k:1"}
models:
  m: {predictions: in, reference: m.json, performance: {NAME: {min: 0.1}}}
"""


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("auc", "did you mean roc_auc?"),
        ("ROC_AUC", "did you mean roc_auc?"),
        ("roc-auc", "did you mean roc_auc?"),
        ("accuracy_score", "did you mean accuracy?"),
        ("logloss", "did you mean log_loss?"),
        ("mse", "did you mean rmse?"),
        ("f1-score", "did you mean f1?"),
        ("estimated_accuracy", "estimates share the limit of accuracy"),
        ("accuracie", "did you mean accuracy?"),
        ("revenue", f"known are {', '.join(METRICS)}"),
    ],
)
def test_a_metric_by_another_name(problems: Problems, name: str, said: str) -> None:
    (problem,) = problems(CONFIG.replace("NAME", name))
    assert problem == f"driftline.yaml:3: models.m.performance.{name}: unknown metric, {said}"


def test_no_metric_is_taken_for_another_one() -> None:
    assert [metric_hint(name.upper()) for name in METRICS] == [
        f"did you mean {name}?" for name in METRICS
    ]
