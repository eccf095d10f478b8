"""What each key of driftline.yaml means: sentences by its path, which stand in `meanings.yaml`.

The schema that editors read has them as descriptions, and the page on the configuration shows them.
A path is that of the key, with `<name>` where users name things; the keys of limits, which stand at
several places, begin with `limit.` and `performance.`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

Schema = dict[str, Any]

LIMITS = {"Limit": "limit.", "PerformanceLimit": "performance."}
"""Sections of limits to how the paths of their keys begin."""

_NAMED = {
    "sources": "<topic>",
    "models": "<name>",
    "features": "<feature>",
    "comparisons": "<name>",
}
_LINK = re.compile(r"\[([^\]]+)\]\([^)]*\)")


def meanings() -> dict[str, str]:
    """Return path to sentence, in Markdown.

    >>> meanings()["kafka.bootstrap_servers"]
    'brokers, each `host:port`'
    """
    text = Path(__file__).with_suffix(".yaml").read_text("utf-8")
    found: dict[str, str] = yaml.safe_load(text)
    return found


def path_below(path: str, name: str, key: Schema) -> str:
    """Return how the paths of the keys below a key begin."""
    repeated = "additionalProperties" in key
    return f"{path}{name}.{_NAMED[name]}." if repeated else f"{path}{name}."


def section_of(key: Schema, sections: dict[str, Schema]) -> tuple[str, Schema] | None:
    """Return the name and the schema of the section that a key holds, itself or in a map."""
    inside = key.get("additionalProperties")
    parts = [key, *key.get("anyOf", ()), *([inside] if isinstance(inside, dict) else ())]
    for part in parts:
        if "$ref" in part:
            name = part["$ref"].rpartition("/")[2]
            return name, sections[name]
    return None


def describe(document: Schema) -> None:
    """Write the meaning of each key into the schema of the file, as its description."""
    known = {path: _LINK.sub(r"\1", text).strip() for path, text in meanings().items()}
    sections = document["$defs"]
    _describe(document, sections, "", known)
    for name, path in LIMITS.items():
        _describe(sections[name], sections, path, known)


def _describe(
    section: Schema, sections: dict[str, Schema], path: str, known: dict[str, str]
) -> None:
    for name, key in section["properties"].items():
        if (meaning := known.get(f"{path}{name}")) is not None:
            key["description"] = meaning
        inner = section_of(key, sections)
        if inner is not None and inner[0] not in LIMITS:
            _describe(inner[1], sections, path_below(path, name, key), known)
