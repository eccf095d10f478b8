"""No detector of the table is silent: each has all that a user meets of it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from driftline.detectors import DETECTORS

from .completeness import lacking

ROOT = Path(__file__).parents[2]

# Detectors are added to the table before anything else is imported: each is as another one, with
# changes in its line, and without a part of its file.
ADDED = """
import sys, types
from dataclasses import replace
from importlib import import_module

from driftline import detectors
from driftline.detectors import registry

ADDED = {
    "whole": ("psi", {}, ""),
    "unlawful": ("ks", {"law": None}, ""),
    "untyped": ("ks", {"types": ("numeric", "boolean")}, ""),
    "silent": ("ks", {}, "figures"),
    "unchecked": ("ks", {}, "quiet_share"),
}
new = {
    name: replace(registry.DETECTORS[like], name=name, use="named", **changes)
    for name, (like, changes, _) in ADDED.items()
}
registry.DETECTORS = detectors.DETECTORS = {**registry.DETECTORS, **new}
for name, (like, _, forgotten) in ADDED.items():
    module = types.ModuleType(name)
    vars(module).update(vars(import_module(f"driftline.detectors.features.{like}")))
    if forgotten == "figures":
        module.figures = lambda samples: module.Result(*[samples.distances[1] * float("nan")] * 3)
    elif forgotten:
        delattr(module, forgotten)
    sys.modules[f"driftline.detectors.features.{name}"] = module
"""
ASKED = """
import json
from tests.contract.completeness import lacking

print(json.dumps({name: list(lacking(name)) for name in ADDED}))
"""


def test_every_detector_has_all_that_a_user_meets_of_it() -> None:
    assert {name: found for name in DETECTORS if (found := list(lacking(name)))} == {}


def run(program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def test_what_is_forgotten_of_a_detector_is_found() -> None:
    ran = run(ADDED + ASKED)
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout)
    docs = ["an oracle", "a page"]
    # Its line and its file are all that verdicts and alerts need.
    assert found["whole"] == docs
    assert found["unlawful"] == ["whether numeric features have a p-value", *docs]
    assert found["untyped"] == [
        *("an alert of boolean features", "a figure in verdicts of boolean features"),
        *docs,
    ]
    assert found["silent"] == [
        *("an alert of numeric features", "a figure in verdicts of numeric features"),
        *docs,
    ]
    assert found["unchecked"] == ["how often quiet windows reach a level", *docs]


def test_a_detector_without_its_file_is_found() -> None:
    program = ADDED.replace("    sys.modules[f", "    _ = str(f").replace('"] = module', '")')
    assert "features.whole" in run(f"{program}\nimport driftline.detectors.comparison").stderr
