"""Every field that is published, a line each: its path, types, unit, and whether it is required.

`python -m tests.consumer.wire.published_fields` adds those of now to the frozen ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from driftline.consumer.wire.schemas import SCHEMAS

FROZEN = Path(__file__).parents[2] / "data" / "published_fields.txt"


def published_fields() -> list[str]:
    schemas = {name: make() for name, make in SCHEMAS.items()}
    return sorted({line for name, own in schemas.items() for line in fields_of(own, own, name)})


def fields_of(part: dict[str, Any], root: dict[str, Any], path: str) -> Iterator[str]:
    """Yield the fields below a part of a schema; a value of an enumeration is a line, too."""
    for own in alternatives(part, root):
        for value in own.get("enum", [own["const"]] if "const" in own else []):
            yield f"{path}={value}"
        for name, field in own.get("properties", {}).items():
            below = f"{path}.{name}"
            words = [below, types_of(field, root), f"[{unit_of(field)}]" if unit_of(field) else ""]
            words.append("required" if name in own.get("required", ()) else "")
            yield " ".join(filter(None, words))
            if not isinstance(own.get("additionalProperties"), dict):  # else all are alike
                yield from fields_of(field, root, below)
        for key, each in (("items", "[]"), ("additionalProperties", ".*")):
            if isinstance(own.get(key), dict):
                yield f"{path}{each} {types_of(own[key], root)}"
                yield from fields_of(own[key], root, path + each)


def alternatives(part: dict[str, Any], root: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a part with what it refers to, and each of what it may be."""
    found = [part]
    if "$ref" in part:
        _, section, name = part["$ref"].split("/")
        found += alternatives(root[section][name], root)
    if part is root:  # what stands beside its fields are conditions
        return found
    for each in (*part.get("anyOf", ()), *part.get("allOf", ()), *part.get("oneOf", ())):
        found += alternatives(each, root)
    return found


def types_of(part: dict[str, Any], root: dict[str, Any]) -> str:
    names = set()
    for own in alternatives(part, root):
        named = own.get("type", ())
        names |= {named} if isinstance(named, str) else set(named)
        names |= {"string"} if "enum" in own or "const" in own else set()
    return "|".join(sorted(names)) or "any"


def unit_of(part: dict[str, Any]) -> str:
    return str(part.get("x-unit", ""))


if __name__ == "__main__":
    before = FROZEN.read_text("utf-8").splitlines() if FROZEN.exists() else []
    FROZEN.write_text("\n".join(sorted({*before, *published_fields()})) + "\n", "utf-8")
