"""An alert on many features at once, as it is chosen, sent and shown: it has no one feature."""

from __future__ import annotations

from tests.consumer.deliver.conftest import alert, first_update

from driftline.consumer.cli.alert_text import alert_in_full
from driftline.consumer.cli.backtest_text import table
from driftline.consumer.deliver.alertmanager import labels
from driftline.consumer.deliver.choice import Choice
from driftline.consumer.deliver.slack import slack_message
from driftline.consumer.wire.records import FeatureEffect

MANY = alert(
    feature=None,
    type=None,
    features=[FeatureEffect("age", 0.5), FeatureEffect("income", None)],
    summary="m: 2 of 3 features changed, since 2020-09-20 00:00 UTC. They are age, income.",
)


def test_it_is_chosen_by_any_of_them() -> None:
    assert MANY.names == ("age", "income")
    assert Choice(features=("inc*",)).holds(MANY)
    assert not Choice(features=("plan",)).holds(MANY)
    assert alert(feature="plan").names == ("plan",)


def test_it_is_sent() -> None:
    assert "feature" not in labels(MANY)
    assert labels(MANY)["alertname"] == "DriftlineFeatureDrift"
    assert "2 of 3 features changed" in slack_message(first_update(MANY))["text"]


def test_it_is_shown() -> None:
    assert " 2 features " in table([MANY], MANY.model)
    assert "\n  age                         0.500\n  income                       none\n" in (
        alert_in_full(MANY, None)
    )
