"""Alerts say whether the rule that fired is the budget's."""

from __future__ import annotations

from tests.consumer.golden.everything import CREDIT, PRICE, everything
from tests.consumer.service.small import MODEL, REFERENCE, plan

from driftline.consumer.judge.budget_rules import BUDGET_RULES
from driftline.consumer.judge.features.rules import RuleBook


def test_the_budgets_rules_are_told_from_limits() -> None:
    alerts = everything().bodies("alerts")
    off = [alert for alert in alerts if alert["model"] == CREDIT]
    assert off
    assert not any("budgeted" in alert for alert in off)
    own = {alert["rule"] for alert in alerts if alert.get("budgeted")}
    limits = {alert["rule"] for alert in alerts if not alert.get("budgeted")}
    assert any("change alarm" in rule for rule in own)
    assert any("window alarm" in rule for rule in own)
    assert not own & limits
    assert all(alert["budgeted"] for alert in alerts if alert["rule"].startswith("budget: "))
    assert not any(rule.startswith("budget: ") for rule in limits)


def test_every_rule_without_a_limit_is_the_budgets() -> None:
    config = plan(budget="1 per 1d", thresholds={"ks": {"warning": 0.3}}).config.models[MODEL]
    for rule in RuleBook(config, REFERENCE.layout).rules:
        assert (rule.limit is None) == (rule.key in BUDGET_RULES)


def test_the_verdict_on_a_comparison_names_its_sides() -> None:
    found = {
        verdict["model"]: verdict["sides"]
        for verdict in everything().bodies("verdicts")
        if "sides" in verdict
    }
    assert found["versions"]["models"] == [CREDIT]
    assert found["rivals"]["models"] == [CREDIT, "plain"]
    assert found["prices"] == {
        "models": [PRICE], "champion": f"{PRICE}@1", "challenger": f"{PRICE}@2",
        "decision": "better",
    }  # fmt: skip
