# ruff: noqa: INP001 - a script, not a package
"""Write Grafana's dashboards: `python -m deploy.grafana.dashboards`, after a change of this file.

Classic JSON in the form of Grafana 9.0, which versions up to 13 read. They have fixed uids, so that
links to them last. `$page` is where Driftline's page is, as the workers say (`ui.url`).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from deploy.grafana.chosen import of_models, of_workers
from deploy.grafana.models import models
from deploy.grafana.panels import WIDTH, Json, Panel, panel
from deploy.grafana.workers import workers

FOLDER = Path(__file__).resolve().parent / "dashboards"
TAG = "driftline"


def dashboard(
    uid: str, title: str, variables: Sequence[Json], rows: Sequence[tuple[str, list[Panel]]]
) -> Json:
    """Return a dashboard: its panels beside each other until a row is full."""
    panels: list[Json] = []
    y = 0
    for name, drawn in rows:
        x = height = 0
        if name:
            place = {"h": 1, "w": WIDTH, "x": 0, "y": y}
            panels.append({"id": len(panels) + 1, "type": "row", "title": name, "gridPos": place,
                           "collapsed": False, "panels": []})  # fmt: skip
            y += 1
        for one in drawn:
            if x + one.width > WIDTH:
                x, y, height = 0, y + height, 0
            panels.append(panel(len(panels) + 1, x, y, one))
            x, height = x + one.width, max(height, one.height)
        y += height
    about = {"asDropdown": False, "icon": "external link", "includeVars": False, "keepTime": False,
             "tags": [], "targetBlank": True, "tooltip": "", "type": "link"}  # fmt: skip
    others = {
        **about,
        "icon": "dashboard",
        "includeVars": True,
        "keepTime": True,
        "tags": [TAG],
        "targetBlank": False,
        "title": "Driftline",
        "type": "dashboards",
        "url": "",
    }
    return {
        "uid": uid,
        "title": title,
        "tags": [TAG],
        "schemaVersion": 36,
        "version": 1,
        "editable": True,
        "timezone": "utc",
        "time": {"from": "now-24h", "to": "now"},
        "refresh": "30s",
        "graphTooltip": 1,
        "links": [{**about, "title": "The page", "url": "${page}"}, others],
        "annotations": {"list": []},
        "templating": {"list": list(variables)},
        "panels": panels,
    }


def files() -> dict[str, str]:
    """Return the text of each file by its name."""
    made = {
        "models": dashboard("driftline-models", "Driftline: models", of_models(), models()),
        "workers": dashboard("driftline-workers", "Driftline: workers", of_workers(), workers()),
    }
    return {
        f"{name}.json": json.dumps(each, indent=1, ensure_ascii=False) + "\n"
        for name, each in made.items()
    }


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    for file, content in files().items():
        (folder / file).write_text(content, encoding="utf-8")
