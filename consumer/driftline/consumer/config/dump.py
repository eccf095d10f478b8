"""`driftline config show` and `driftline config schema`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import yaml
from pydantic import BaseModel

from driftline.consumer.config.loader import Loaded
from driftline.consumer.config.meanings import describe
from driftline.consumer.config.notation import OFF, Section
from driftline.consumer.config.schemes import scheme_of
from driftline.consumer.config.settings import Config
from driftline.producer.records.durations import format_duration

_OWN_MAPS = ("fields", "options")
_UNKNOWN: Mapping[str, int] = MappingProxyType({})


def show(loaded: Loaded, panes: Mapping[str, int] = _UNKNOWN) -> str:
    """Return the effective configuration as YAML; see `effective`."""
    shown = effective(loaded, panes)
    return yaml.safe_dump(shown, sort_keys=False, allow_unicode=True, width=100)


def effective(loaded: Loaded, panes: Mapping[str, int] = _UNKNOWN) -> dict[str, Any]:
    """Return the effective configuration: durations as users write them, no secret.

    Includes and defaults are worked in. Paths are relative to the main file, so that the text can
    stand in its place.

    Args:
        loaded: the configuration.
        panes: length of the panes of the models whose references are known, ms or rows.
    """
    config = loaded.config
    values = config.model_dump(mode="json", by_alias=True, exclude={"include", "defaults"})
    directory = os.path.dirname(loaded.files[0])
    for name in ("tls", "sasl"):
        section = values["kafka"][name] or {}
        for key in section:
            if key.endswith("_file"):
                section[key] = _relative(section[key], directory)
    registry = values["schema_registry"] or {}
    for key in ("basic_auth_file", "ca_file"):
        if key in registry:
            registry[key] = _relative(registry[key], directory)
    for source in values["sources"].values():
        source["schema"] = _relative(source["schema"], directory)
    for name, model in values["models"].items():
        reference = model["reference"]
        if isinstance(reference, dict):
            reference["layout"] = _relative(reference.get("layout"), directory)
        else:
            model["reference"] = _relative(reference, directory)
        window = config.models[name].window
        pane = panes.get(name, window.pane)
        if window.rows is not None:
            model["window"] = {
                "rows": window.rows,
                "every": window.every,
                "pane": pane,
                "min_events": window.min_events,
            }
        elif pane is not None:
            model["window"]["pane"] = format_duration(pane)
        if model["labels"] is not None and model["labels"]["by"] == "arrival":
            del model["labels"]["maturity"]  # which only windows by prediction have
    kept: dict[str, Any] = _without_null(values)
    return kept


def schema() -> dict[str, Any]:
    """Return the JSON Schema of driftline.yaml, for editors; it accepts what users write.

    >>> schema()["properties"]["kafka"]
    {'$ref': '#/$defs/KafkaConfig'}
    """
    raw = Config.model_json_schema(by_alias=True)
    sections = raw["$defs"]
    for section in Section.__subclasses__():
        own = raw if section is Config else sections[section.__name__]
        _show_defaults(section, own["properties"])
    describe(raw)
    labels = sections["ModelConfig"]["properties"]["labels"]
    labels["anyOf"].insert(0, {"type": "string"})
    reference = sections["ModelConfig"]["properties"]["reference"]
    reference["anyOf"] = [{"type": "string"}, {"$ref": reference.pop("$ref")}]
    seasons = sections["ModelConfig"]["properties"]["seasons"]
    seasons["anyOf"][-1] = {"const": OFF}
    defaults = {key: value for key, value in sections["ModelConfig"].items() if key != "required"}
    common_labels = {
        key: value for key, value in sections["LabelsConfig"].items() if key != "required"
    }
    defaults["properties"] = {
        **defaults["properties"],
        "labels": {"anyOf": [{"type": "string"}, common_labels, {"type": "null"}]},
    }
    defaults["description"] = "Any key of a model, for all models; a model's own value wins."
    raw["properties"]["defaults"] = defaults
    raw = {"$schema": "https://json-schema.org/draft/2020-12/schema", **_without_titles(raw)}
    return {**raw, "title": "driftline.yaml"}


def _show_defaults(section: type[BaseModel], properties: dict[str, Any]) -> None:
    """Write defaults in the user's notation, and leave out those that mean `not given`."""
    # Without the required keys: model_construct fills in the defaults and checks nothing.
    texts = section.model_construct().model_dump(mode="json", by_alias=True, warnings=False)
    for name, shown in properties.items():
        if "default" not in shown:
            continue
        if shown["default"] in (None, "", []):
            del shown["default"]
        else:
            shown["default"] = texts[name]


def _without_titles(value: Any) -> Any:
    """Leave out the titles that only repeat the key."""
    if isinstance(value, dict):
        return {
            key: _without_titles(part)
            for key, part in value.items()
            if key != "title" or not isinstance(part, str)
        }
    return [_without_titles(part) for part in value] if isinstance(value, list) else value


def _without_null(values: dict[str, Any]) -> dict[str, Any]:
    """Leave out what is not given; in the user's own maps null is a value."""
    return {
        key: _without_null(part) if isinstance(part, dict) and key not in _OWN_MAPS else part
        for key, part in values.items()
        if part is not None
    }


def _relative(path: str | None, directory: str) -> str | None:
    if path is None or os.path.isabs(path) or scheme_of(path) is not None:
        return path
    return os.path.relpath(path, directory or ".")
