"""`docker compose` on the repository's file, wherever it is installed."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import yaml
from tests.tool import found

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "docker-compose.yml"


def services() -> dict[str, dict[str, Any]]:
    """Service to its settings, as they are written."""
    document: Any = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    read: dict[str, dict[str, Any]] = document["services"]
    return read


def addresses() -> list[str]:
    """Return the URLs that README names for the stack."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    section = readme.partition("## With Docker\n")[2].partition("\n## ")[0]
    return re.findall(r"http://[^\s`]+", section)


def program() -> list[str] | None:
    """Compose version 2 or newer, None where it is not installed."""
    for name, *more in (["docker", "compose"], ["docker-compose"]):
        path = found(name)
        if path is None:
            continue
        command = [path, *more]
        asked = subprocess.run(
            [*command, "version", "--short"], capture_output=True, text=True, check=False
        )
        if asked.returncode == 0 and not asked.stdout.strip().lstrip("v").startswith("1."):
            return command
    return None


def engine_lacks() -> str | None:
    """Say what this machine lacks to bring the stack up, None when it lacks nothing."""
    if program() is None:
        return "docker compose is not installed"
    if shutil.which("docker") is None:
        return "docker is not installed"
    version = ["docker", "version", "--format", "{{.Server.Version}}"]
    asked = subprocess.run(version, capture_output=True, text=True, check=False)
    if asked.returncode != 0:
        return f"no Docker engine answers: {asked.stderr.strip()}"
    return None
