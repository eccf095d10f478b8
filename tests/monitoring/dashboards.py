"""The dashboards of deploy/grafana as Grafana would read them: their expressions, filled in."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "deploy" / "grafana" / "dashboards"
DASHBOARDS: dict[str, dict[str, Any]] = {
    path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.iterdir())
}


class Shown(NamedTuple):
    """One expression of a panel."""

    dashboard: str
    panel: str
    expr: str


def panels(name: str) -> Iterator[dict[str, Any]]:
    """Yield the panels of a dashboard that show something."""
    yield from (each for each in DASHBOARDS[name]["panels"] if each["type"] != "row")


def variables(name: str) -> dict[str, dict[str, Any]]:
    """Return the variables of a dashboard."""
    return {each["name"]: each for each in DASHBOARDS[name]["templating"]["list"]}


def shown() -> Iterator[Shown]:
    """Yield each expression of each panel."""
    for name in DASHBOARDS:
        for panel in panels(name):
            for target in panel["targets"]:
                yield Shown(name, panel["title"], target["expr"])


def filled(text: str, values: Mapping[str, str]) -> str:
    """Return an expression with the values of its variables."""
    return re.sub(r"\$(\w+)", lambda found: values.get(found[1], found[0]), text)
