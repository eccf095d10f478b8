"""A deployment of Driftline for a test: its configuration file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def write_config(
    path: Path, bootstrap: str, prefix: str, models: dict[str, Any], **more: Any
) -> Path:
    """Write a configuration for quick tests; `more` is laid over its sections.

    A partition is soon idle, a killed worker's partitions are soon free, output topics are made at
    the start, the HTTP port is any free one, and logs are JSON.
    """
    document: dict[str, Any] = {
        "kafka": {
            "bootstrap_servers": bootstrap,
            "start": "earliest",
            "options": {"session_timeout_ms": 6_000},  # the shortest that a broker takes
        },
        "output": {"prefix": prefix, "create_topics": True},
        "limits": {"idle_after": "1s"},
        "http": {"port": 0},
        "log": {"format": "json"},
        "models": models,
    }
    for section, values in more.items():
        document[section] = {**document.get(section, {}), **values}
    path.write_text(json.dumps(document, indent=1))  # JSON is YAML
    return path
