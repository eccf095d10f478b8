"""The published schemas: that they are such, and that no field of them changes unnoticed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, get_args

import jsonschema
import msgspec
import pytest

from driftline.consumer.cli import app
from driftline.consumer.wire.control import ACTIONS, SCHEMA, Action, Mark, Marks
from driftline.consumer.wire.meaning import Contract
from driftline.consumer.wire.schemas import SCHEMAS, schema_of
from driftline.detectors.outcomes.metrics import METRICS
from driftline.detectors.registry import DETECTORS

from .published_fields import FROZEN, alternatives, fields_of, published_fields

NAMES = get_args(Contract)


def test_there_is_a_schema_of_each_name() -> None:
    assert tuple(SCHEMAS) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_it_is_a_json_schema_and_is_printed(
    name: Contract, capsys: pytest.CaptureFixture[str]
) -> None:
    jsonschema.Draft202012Validator.check_schema(schema_of(name))
    app(["schema", name], standalone_mode=False)
    assert json.loads(capsys.readouterr().out) == schema_of(name)


def fields(part: dict[str, Any], path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for section in (part, *part.get("$defs", {}).values()):
        for name, field in section.get("properties", {}).items():
            yield f"{path}.{name}", field


@pytest.mark.parametrize("name", [name for name in NAMES if name != "config"])
def test_every_field_says_what_it_means(name: Contract) -> None:
    schema = schema_of(name)
    assert not [path for path, field in fields(schema, name) if not field.get("description")]
    assert all(part["description"] for part in schema["$defs"].values())


def test_figures_have_the_units_of_their_tables() -> None:
    figures = schema_of("verdict")["properties"]["detectors"]["properties"]
    assert figures.keys() == {*DETECTORS, *METRICS, "events", "joint"}
    assert figures["wasserstein"]["x-unit"] == "the feature's unit"
    assert figures["log_loss"]["x-unit"] == "nats"


def test_no_published_field_has_another_name_type_or_unit() -> None:
    """Fields may be added. One that changes breaks whoever reads it: it needs another version."""
    frozen, now = set(FROZEN.read_text("utf-8").splitlines()), set(published_fields())
    assert not frozen - now, "restore these, or publish another version of the schema"
    added = [line for line in now - frozen if line.endswith(" required")]
    written = [line for line in added if line.split(".")[0] in ("event", "label", "config")]
    assert not written, "what was valid would be so no more"


def test_what_is_frozen_tells_fields_apart() -> None:
    root = {
        "properties": {"a": {"type": "integer", "x-unit": "ms"}, "b": {"$ref": "#/$defs/B"}},
        "required": ["a"],
        "$defs": {"B": {"properties": {"c": {"anyOf": [{"enum": ["x"]}, {"type": "null"}]}}}},
    }
    assert list(fields_of(root, root, "r")) == [
        "r.a integer [ms] required",
        "r.b any",
        "r.b.c null|string",
        "r.b.c=x",
    ]
    assert alternatives(root, root) == [root]


@pytest.mark.parametrize("action", ACTIONS)
def test_what_people_say_of_alerts_is_valid(action: Action) -> None:
    validator = jsonschema.Draft202012Validator(schema_of("control"))
    mark = Mark("ada", "2026-01-01T00:00:00Z", "a release", "2026-01-02T00:00:00Z")
    marks = Marks(SCHEMA, "56f29dcfdc4e44e8").with_mark(action, mark)
    for said in (marks, marks.with_mark(action, None)):
        validator.validate(json.loads(msgspec.json.encode(said)))
    for wrong in ({"alert_id": "a"}, {"schema": SCHEMA, "alert_id": "a", action: {"who": 7}}):
        assert not validator.is_valid(wrong)
