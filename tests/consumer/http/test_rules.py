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

FOLDER = Path(__file__).resolve().parents[3] / "deploy" / "prometheus"


@pytest.fixture(scope="module")
def rules() -> dict[str, str]:
    """Alert to its expression."""
    document: Any = yaml.safe_load((FOLDER / "rules.yml").read_text(encoding="utf-8"))
    found = [rule for group in document["groups"] for rule in group["rules"]]
    return {rule["alert"]: rule["expr"] for rule in found}


@pytest.mark.parametrize("command", ["check rules rules.yml", "test rules rules_test.yml"])
def test_promtool(command: str) -> None:
    promtool = tool("promtool")
    ran = subprocess.run([promtool, *command.split()], cwd=FOLDER, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_every_rule_is_tested_firing_and_quiet(rules: dict[str, str]) -> None:
    document: Any = yaml.safe_load((FOLDER / "rules_test.yml").read_text(encoding="utf-8"))
    cases = [case for test in document["tests"] for case in test.get("alert_rule_test", [])]
    for firing in (True, False):
        tested = {case["alertname"] for case in cases if bool(case["exp_alerts"]) == firing}
        assert tested == set(rules)


def test_rules_speak_of_metrics_that_are_exported(rules: dict[str, str]) -> None:
    exported = {
        family.name + ("_total" if family.type == "counter" else "")
        for family in collector(Status(make_plan())).collect()
    }
    used = set(re.findall(r"driftline_\w+", " ".join(rules.values())))
    assert used
    assert used <= exported
