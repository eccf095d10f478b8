"""The JSON Schema for editors, judged by the few keywords that it uses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from driftline.consumer.config import METRICS
from driftline.consumer.config import schema as make_schema
from driftline.consumer.config.document import read_document
from driftline.consumer.config.meanings import section_of
from driftline.detectors.registry import DETECTORS

FILES = Path(__file__).parent / "files"

schema = cache(make_schema)
KEYWORDS = {
    "$ref",
    "anyOf",
    "const",
    "enum",
    "type",
    "pattern",
    "minimum",
    "maximum",
    "items",
    "properties",
    "required",
    "propertyNames",
    "additionalProperties",
    "default",
    "description",
}
TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
    "null": type(None),
}


def is_valid(value: Any, rule: Any, root: dict[str, Any]) -> bool:
    if isinstance(rule, bool):
        return rule
    if "$ref" in rule:
        name = rule["$ref"].removeprefix("#/$defs/")
        if not is_valid(value, root["$defs"][name], root):
            return False
    if "anyOf" in rule and not any(is_valid(value, part, root) for part in rule["anyOf"]):
        return False
    if "const" in rule and value != rule["const"]:
        return False
    if "enum" in rule and value not in rule["enum"]:
        return False
    kinds = rule.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if kinds and not any(is_type(value, kind) for kind in kinds):
        return False
    if isinstance(value, str) and "pattern" in rule and not re.search(rule["pattern"], value):
        return False
    if is_type(value, "number"):
        return bool(rule.get("minimum", value) <= value <= rule.get("maximum", value))
    if isinstance(value, list) and "items" in rule:
        return all(is_valid(part, rule["items"], root) for part in value)
    if isinstance(value, dict):
        own = rule.get("properties", {})
        others = rule.get("additionalProperties", True)
        return set(rule.get("required", ())) <= set(value) and all(
            is_valid(name, rule.get("propertyNames", True), root)
            and is_valid(part, own.get(name, others), root)
            for name, part in value.items()
        )
    return True


def is_type(value: object, kind: str) -> bool:
    if isinstance(value, bool) and kind in ("integer", "number"):
        return False
    return isinstance(value, TYPES[kind])


def rules(rule: Any) -> Iterator[dict[str, Any]]:
    if isinstance(rule, dict):
        yield rule
        for keyword in ("properties", "$defs"):
            for part in rule.get(keyword, {}).values():
                yield from rules(part)
        for keyword in ("items", "additionalProperties", "propertyNames"):
            yield from rules(rule.get(keyword))
        for part in rule.get("anyOf", []):
            yield from rules(part)


@pytest.mark.parametrize("name", ["smallest.yaml", "three_models.yaml"])
def test_the_examples_of_the_guide(name: str) -> None:
    root, _ = read_document(str(FILES / name))
    assert root is not None
    assert is_valid(root.plain(), schema(), schema())


MODEL: dict[str, Any] = {"predictions": "t", "reference": "r.json"}


def with_model(**keys: Any) -> dict[str, Any]:
    return {"kafka": {"bootstrap_servers": "k:1"}, "models": {"m": {**MODEL, **keys}}}


@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"budget": "off"},
        {"budget": "0.5 per 2w"},
        {"stale_after": "off"},
        {"stale_after": "1h30m"},
        {"seasons": "off"},
        {"seasons": {"timezone": "Europe/Berlin"}},
        {"min_rise": "5%"},
        {"min_rise": 0.05},
        {"labels": "truth"},
        {"labels": None},
        {"labels": {"topic": "truth", "horizon": "7d", "by": "prediction"}},
        {"predictions": ["a", "b"]},
        {"positive_label": True},
        {"thresholds": {"ks": {"critical": 0.01, "on": "p_value", "for": "2 of 3"}}},
        {"performance": {"roc_auc": {"max_drop": "2%"}}},
        {"features": {"x": {"type": "boolean", "weight": 2}}},
        {"features": {"x": {"type": "vector", "centroids": 32}, "y": {"type": "text"}}},
        {"runbook": "https://wiki.example"},
    ],
)
def test_accepts_what_users_write(keys: dict[str, Any]) -> None:
    assert is_valid(with_model(**keys), schema(), schema())


@pytest.mark.parametrize(
    "keys",
    [
        {"windows": {}},
        {"window": {"length": 3600}},
        {"window": {"length": "soon"}},
        {"window": {"min_events": 0}},
        {"budget": "often"},
        {"seasons": "on"},
        {"seasons": {"zone": "UTC"}},
        {"min_rise": 2},
        {"labels": {"horizon": "7d"}},
        {"thresholds": {"psy": {"critical": 1}}},
        {"thresholds": {"psi": {"critical": 1, "for_": "2 of 3"}}},
        {"thresholds": {"psi": {"critical": 1, "for": 2}}},
        {"performance": {"auc": {"max_drop": 1}}},
        {"features": {"x": {"type": "number"}}},
        {"reference": 5},
    ],
)
def test_refuses_slips(keys: dict[str, Any]) -> None:
    assert not is_valid(with_model(**keys), schema(), schema())


def test_password_is_no_key() -> None:
    sasl = schema()["$defs"]["SaslConfig"]["properties"]
    assert set(sasl) == {"mechanism", "username", "password_file"}


def test_defaults_need_nothing_and_know_the_keys_of_a_model() -> None:
    text = with_model()
    for defaults, valid in (
        ({"window": {"length": "1h"}}, True),
        ({"labels": {"horizon": "1d"}}, True),
        ({"labels": "truth"}, True),
        ({"windows": {}}, False),
        ({"labels": {"horizont": "1d"}}, False),
    ):
        assert is_valid({**text, "defaults": defaults}, schema(), schema()) is valid


def test_defaults_are_shown_as_users_write_them() -> None:
    parts = schema()["$defs"]
    assert parts["WindowConfig"]["properties"]["length"]["default"] == "1h"
    assert parts["ModelConfig"]["properties"]["budget"]["default"] == "1 per 30d"
    assert parts["ModelConfig"]["properties"]["stale_after"]["default"] == "1d"
    assert parts["KafkaConfig"]["properties"]["start"]["default"] == "-1d"
    assert parts["Limit"]["properties"]["for"]["default"] == "1 of 1"
    for rule in rules(schema()):
        if "default" in rule:
            assert is_valid(rule["default"], rule, schema()), rule


def test_names_are_closed_sets() -> None:
    model = schema()["$defs"]["ModelConfig"]["properties"]
    assert model["thresholds"]["propertyNames"]["enum"] == list(DETECTORS)
    assert model["performance"]["propertyNames"]["enum"] == list(METRICS)


def test_only_keywords_that_the_judge_above_knows() -> None:
    for rule in rules(schema()):
        assert set(rule) - {"$schema", "$defs", "title"} <= KEYWORDS
        if rule.get("type") == "object" and "properties" in rule:
            assert rule["additionalProperties"] is False


def test_every_key_says_what_it_means() -> None:
    """Those that only hold other keys may leave it to the section that they refer to."""
    document = schema()
    silent = {
        name
        for section in (document, *document["$defs"].values())
        for name, key in section["properties"].items()
        if "description" not in key and section_of(key, document["$defs"]) is None
    }
    assert silent == set()
    assert all(section["description"] for section in document["$defs"].values())
    grace = document["$defs"]["WindowConfig"]["properties"]["grace"]
    assert grace["description"] == "how long a pane waits for late events"
    form = document["$defs"]["SourceConfig"]["properties"]["time_format"]["description"]
    assert "](" not in form  # of Markdown only the text
