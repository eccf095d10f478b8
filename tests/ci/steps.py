"""A composite action, run as a runner of GitHub does: expressions, files of the job, a shell."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "github-action"
ACTION: dict[str, Any] = yaml.safe_load((FOLDER / "action.yml").read_text("utf-8"))
EXPRESSION = re.compile(r"\$\{\{ ([\w.-]+) \}\}")


@dataclass(frozen=True)
class Ended:
    """What a step left: its exit code, what it printed, and what it wrote to the job's files."""

    code: int
    printed: str
    outputs: dict[str, str]
    summary: str
    path: str


def step(name: str) -> dict[str, Any]:
    """Return a step by its name."""
    (found,) = (each for each in ACTION["runs"]["steps"] if each["name"] == name)
    return dict(found)


def evaluated(text: str, values: dict[str, str]) -> str:
    """Return a text with its expressions replaced; one that is not known is an error."""
    return EXPRESSION.sub(lambda found: values[found[1]], text)


def run(name: str, folder: Path, given: dict[str, str], path: str) -> Ended:
    """Run a step in a folder, with what a workflow gives as inputs."""
    known = {key: each.get("default") for key, each in ACTION["inputs"].items()} | given
    values = {f"inputs.{key}": value for key, value in known.items() if value is not None}
    wanted = step(name)
    files = {key: folder / f"job-{key.lower()}" for key in ("OUTPUT", "STEP_SUMMARY", "PATH")}
    environ = {
        **os.environ,
        **{key: evaluated(text, values) for key, text in wanted["env"].items()},
        **{f"GITHUB_{key}": str(file) for key, file in files.items()},
        "GITHUB_ACTION_PATH": str(FOLDER),
        "RUNNER_TEMP": str(folder / "temp"),
        "PATH": path,
    }
    (folder / "temp").mkdir(exist_ok=True)
    for file in files.values():
        file.touch()
    ran = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", wanted["run"]],
        cwd=folder, env=environ, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    written = {key: file.read_text("utf-8") for key, file in files.items()}
    outputs = dict(line.split("=", 1) for line in written["OUTPUT"].splitlines())
    return Ended(
        ran.returncode, ran.stdout + ran.stderr, outputs, written["STEP_SUMMARY"], written["PATH"]
    )
