"""Rules in the words of the configuration, as alerts carry them."""

from __future__ import annotations

import pytest

from driftline.consumer.config import (
    Budget,
    For,
    Limit,
    ModelConfig,
    PerformanceLimit,
    ReferenceConfig,
    describe_budget,
    describe_limit,
    describe_performance,
    describe_rate_budget,
)

DAY = 86_400_000


def test_budget() -> None:
    model = ModelConfig(predictions=("t",), reference=ReferenceConfig(layout="r.json"))
    assert describe_budget(model) == "budget: 1 per 30d, min_effect: 0.02"
    assert describe_rate_budget(model) == "budget: 1 per 30d, min_rise: 2%"
    other = model.model_copy(
        update={"budget": Budget(0.5, 14 * DAY), "min_effect": 1.0, "min_rise": 0.125}
    )
    assert describe_budget(other) == "budget: 0.5 per 14d, min_effect: 1"
    assert describe_rate_budget(other) == "budget: 0.5 per 14d, min_rise: 12.5%"


def test_limit() -> None:
    limit = Limit(warning=0.1, critical=0.25, for_=For(2, 3))
    assert describe_limit("psi", limit, "critical") == "psi: critical 0.25, for 2 of 3"
    assert describe_limit("psi", limit, "warning") == "psi: warning 0.1, for 2 of 3"
    assert describe_limit("unseen", limit, "warning") == "unseen: warning 10%, for 2 of 3"
    on_p = Limit(critical=0.001, on="p_value")
    assert describe_limit("missing", on_p, "critical") == "missing: critical 0.001, on p_value"
    with pytest.raises(ValueError, match="the limit on missing has no warning level"):
        describe_limit("missing", on_p, "warning")


def test_performance() -> None:
    limit = PerformanceLimit(max_drop=0.01, min=0.8, for_=For(2, 3))
    text = describe_performance("accuracy", limit, "max_drop")
    assert text == "accuracy: max_drop 0.01, for 2 of 3"
    assert describe_performance("accuracy", limit, "min") == "accuracy: min 0.8, for 2 of 3"
    with pytest.raises(ValueError, match="the limit on accuracy has no critical_drop"):
        describe_performance("accuracy", limit, "critical_drop")


def test_python_gives_values_and_the_file_gives_notation() -> None:
    window = ModelConfig(predictions=("t",), reference=ReferenceConfig(layout="r")).window
    assert window.model_copy(update={"length": 5}).length == 5
    with pytest.raises(ValueError, match="frozen"):
        window.length = 5
