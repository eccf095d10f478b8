"""What the chart renders, each set of values once."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.tool import tool

ROOT = Path(__file__).parents[2]
CHART = ROOT / "deploy" / "helm" / "driftline"
VALUES = {path.stem: path for path in sorted((Path(__file__).parent / "values").glob("*.yaml"))}
KUBERNETES = "1.35"

Manifest = dict[str, Any]
Helm = Callable[..., subprocess.CompletedProcess[str]]
Render = Callable[..., list[Manifest]]


@pytest.fixture(scope="session")
def helm() -> Helm:
    """Run helm, which makes nothing and asks no cluster."""
    program = tool("helm")

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [program, *arguments], capture_output=True, text=True, timeout=60, check=False
        )

    return run


@pytest.fixture(scope="session")
def render(helm: Helm) -> Render:
    """Return the manifests of a set of values; `settings`: as of `--set`."""

    @cache
    def rendered(values: str, *settings: str) -> list[Manifest]:
        options = [each for setting in settings for each in ("--set", setting)]
        ran = helm(
            "template", "drift", str(CHART), "--kube-version", KUBERNETES,
            "--values", str(VALUES[values]), *options,
        )  # fmt: skip
        assert ran.returncode == 0, ran.stderr
        return [document for document in yaml.safe_load_all(ran.stdout) if document]

    return rendered
