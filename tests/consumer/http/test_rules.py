"""The alerting rules: their own tests, and that they speak of metrics that exist."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.tool import tool

from driftline.consumer.service.status import Status

from .conftest import collector, make_plan

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "deploy" / "prometheus"
TESTS = ("rules_test.yml", "rules_long_test.yml")


@pytest.fixture(scope="module")
def rules() -> dict[str, str]:
    """Name of an alert or of what is recorded to its expression."""
    return {rule.get("alert") or rule["record"]: rule["expr"] for rule in all_rules()}


def all_rules() -> list[dict[str, Any]]:
    document: Any = yaml.safe_load((FOLDER / "rules.yml").read_text(encoding="utf-8"))
    return [rule for group in document["groups"] for rule in group["rules"]]


def cases(kind: str) -> list[dict[str, Any]]:
    documents = [yaml.safe_load((FOLDER / name).read_text(encoding="utf-8")) for name in TESTS]
    return [
        case for document in documents for test in document["tests"] for case in test.get(kind, [])
    ]


@pytest.mark.parametrize("command", ["check rules rules.yml", f"test rules {' '.join(TESTS)}"])
def test_promtool(command: str) -> None:
    promtool = tool("promtool")
    ran = subprocess.run([promtool, *command.split()], cwd=FOLDER, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_every_alert_is_tested_firing_and_quiet() -> None:
    for firing in (True, False):
        tested = {
            case["alertname"]
            for case in cases("alert_rule_test")
            if bool(case["exp_alerts"]) == firing
        }
        assert tested == {rule["alert"] for rule in all_rules() if "alert" in rule}


def test_what_is_recorded_is_tested_or_part_of_an_alert(rules: dict[str, str]) -> None:
    recorded = {rule["record"] for rule in all_rules() if "record" in rule}
    alerts = {expr for name, expr in rules.items() if name not in recorded}
    asked = [*alerts, *(case["expr"] for case in cases("promql_expr_test"))]
    assert {name for name in recorded if any(name in expr for expr in asked)} == recorded


def test_every_alert_leads_to_what_to_do() -> None:
    """The heading below which the docs say it, as the link names it."""
    for rule in all_rules():
        if "alert" not in rule:
            continue
        page, anchor = rule["annotations"]["runbook_url"].split("#")
        headings = re.findall(r"^### (\w+)$", (ROOT / page).read_text(encoding="utf-8"), re.M)
        assert rule["alert"] in headings
        assert anchor == rule["alert"].lower()


def test_rules_speak_of_metrics_that_are_exported(rules: dict[str, str]) -> None:
    exported = {
        family.name + ("_total" if family.type == "counter" else "")
        for family in collector(Status(make_plan())).collect()
    }
    used = set(re.findall(r"(?<!:)\bdriftline_\w+", " ".join(rules.values())))
    assert used
    assert used <= exported
