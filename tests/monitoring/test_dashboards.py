"""The dashboards of deploy/grafana: written by their script, and valid.

The schemas are made of Grafana's own types: those of version 13 with the options of each panel,
those of version 10 without. Whether they show anything is seen in `test_prometheus.py`.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator
from tests.consumer.http.conftest import collector, make_plan

from driftline.consumer.service.status import Status
from driftline.consumer.wire.addresses import VIEWS

from .dashboards import DASHBOARDS, FOLDER, ROOT, panels, shown, variables

SCHEMAS: dict[int, Any] = {
    version: json.loads(
        (ROOT / f"tests/data/grafana/classic-{version}.schema.json").read_text("utf-8")
    )
    for version in (10, 13)
}
each_dashboard = pytest.mark.parametrize("name", DASHBOARDS)


def test_they_are_what_the_script_writes(tmp_path: Path) -> None:
    script = [sys.executable, "-m", "deploy.grafana.dashboards"]
    subprocess.run([*script, str(tmp_path)], cwd=ROOT, check=True)
    there, written = (
        {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}
        for folder in (FOLDER, tmp_path)
    )
    assert there == written, "run  .venv/bin/python -m deploy.grafana.dashboards"


def problems(dashboard: dict[str, Any], version: int = 13) -> list[str]:
    """What the types of a version of Grafana do not take."""
    found = []
    for error in Draft7Validator(SCHEMAS[version]).iter_errors(dashboard):
        place = list(error.absolute_path)
        kind = error.instance.get("type") if isinstance(error.instance, dict) else None
        branches = error.validator_value if error.validator == "anyOf" else []
        of_its_kind = [
            index
            for index, branch in enumerate(branches)
            if branch.get("properties", {}).get("type", {}).get("const") == kind
        ]
        inner = [one for one in error.context or [] if one.schema_path[0] in of_its_kind]
        found += [f"{place} {list(one.path)}: {one.message}" for one in inner or [error]]
    return found


@pytest.mark.parametrize("version", SCHEMAS)
@each_dashboard
def test_grafanas_own_types_take_them(name: str, version: int) -> None:
    assert problems(DASHBOARDS[name], version) == []


def test_what_those_types_do_not_take_is_found() -> None:
    changed = json.loads(json.dumps(DASHBOARDS["models"]))
    del changed["panels"][0]["options"]["colorMode"]
    changed["panels"][6]["fieldConfig"]["defaults"]["custom"]["alignment"] = "left"
    changed["refreshed"] = True
    found = problems(changed)
    assert len(found) == 3
    for word in ("colorMode", "alignment", "refreshed"):
        assert any(f"'{word}'" in each for each in found)


def test_links_to_them_last() -> None:
    assert {each["uid"] for each in DASHBOARDS.values()} == {
        "driftline-models",
        "driftline-workers",
    }
    assert {each["schemaVersion"] for each in DASHBOARDS.values()} == {36}  # Grafana 9.0


def test_one_chooses_model_feature_severity_and_segment() -> None:
    assert {"model", "feature", "severity", "segment"} < variables("models").keys()
    assert "model" in variables("workers")
    assert variables("models")["segment"]["current"]["value"] == "^$"  # the whole model


@each_dashboard
def test_no_two_panels_lie_on_each_other(name: str) -> None:
    cells: set[tuple[int, int]] = set()
    numbers = [each["id"] for each in DASHBOARDS[name]["panels"]]
    assert len({*numbers}) == len(numbers)
    for panel in DASHBOARDS[name]["panels"]:
        at = panel["gridPos"]
        own = {(at["x"] + dx, at["y"] + dy) for dx in range(at["w"]) for dy in range(at["h"])}
        assert max(x for x, _ in own) < 24
        assert not own & cells
        cells |= own


@each_dashboard
def test_every_panel_says_what_it_shows(name: str) -> None:
    assert [each["title"] for each in panels(name) if not each["description"].endswith(".")] == []


@each_dashboard
def test_expressions_and_links_name_variables_that_exist(name: str) -> None:
    text = json.dumps(DASHBOARDS[name])
    used = set(re.findall(r"\$\{?(\w+)", text)) - {"__value", "__data", "__all", "1"}
    assert used <= variables(name).keys()


@each_dashboard
def test_links_into_the_page_are_addresses_that_it_has(name: str) -> None:
    links = re.findall(r'"url": "\$\{page\}([^"]*)"', json.dumps(DASHBOARDS[name]))
    assert links
    patterns = {re.sub(r"\{\w+\}", "{}", view.rstrip("/")) for view in VIEWS.values()}
    assert {re.sub(r"\$\{[^}]+\}", "{}", link) for link in links} <= patterns


def test_they_speak_of_metrics_that_are_exported() -> None:
    exported = {
        family.name + {"counter": "_total", "histogram": "_bucket"}.get(family.type, "")
        for family in collector(Status(make_plan())).collect()
    }
    text = " ".join(each.expr for each in shown())
    used = set(re.findall(r"(?<!:)\bdriftline_\w+", text))
    assert used <= exported
    # Neither is drawn: how often the page's address is known, and what is behind a ratio.
    unused = exported - used - {"driftline_page_info"}
    rules = (ROOT / "deploy/prometheus/rules.yml").read_text("utf-8")
    not_on_a_wall = {name for name in unused if name not in rules}
    assert not_on_a_wall == {
        "driftline_dead_letters_total",  # driftline_events_rejected_total has the topic, too
        "driftline_features_drifting",
        "driftline_features_monitored",
        "driftline_labels_refused_total",
        "driftline_predictions_without_answer_total",
        "driftline_predictions_without_id_total",
    }
