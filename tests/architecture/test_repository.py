"""What is in the repository works on any machine, with the versions it names."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

# Whoever clones this has other folders and may have another registry or mirror.
# The patterns are written so that they do not match themselves.
MACHINE = re.compile(
    r"(?<![\w.])/(?:root|work|home/(?!nonexistent)\w+|Users/\w+|opt/dl|tmp/dl)[/]"
    r"|pypi[.]org|pythonhosted[.]org|repo1?[.]maven|maven[.]org|registry[.]npmjs"
    r"|[-]-(?:extra-)?index-url|[-]-find-links|[-]-trusted-host"
)


def test_machine_paths_and_registries_are_found() -> None:
    texts = ["/ro" + "ot/x", "/wo" + "rk/main", "/ho" + "me/me/x", "https://py" + "pi.org/simple"]
    for text in texts:
        assert MACHINE.search(text), text
    for text in ["/var/lib/driftline", "a/work/b", "--no-emit-index-url"]:
        assert not MACHINE.search(text), text


def test_no_machine_path_and_no_registry_is_named(files: list[Path]) -> None:
    found = {}
    for path in files:
        content = path.read_bytes()
        if b"\0" not in content and (match := MACHINE.search(content.decode("utf-8"))):
            found[str(path)] = match.group()
    assert found == {}


@pytest.fixture(scope="module")
def project(root: Path) -> dict[str, Any]:
    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))


def pins(path: Path) -> dict[str, str]:
    """Distribution to version; every line of the file is understood."""
    found: dict[str, str] = {}
    for entry in path.read_text(encoding="utf-8").replace("\\\n", " ").splitlines():
        if entry.strip() and not entry.startswith("#"):
            assert " --hash=sha256:" in entry, entry
            (specifier,) = (requirement := Requirement(entry.split("--hash")[0])).specifier
            assert specifier.operator == "==", entry
            found[canonicalize_name(requirement.name)] = specifier.version
    return found


def test_pins_are_those_that_the_project_asks_for(root: Path, project: dict[str, Any]) -> None:
    runtime = project["project"]["dependencies"]
    extras = project["project"]["optional-dependencies"]
    groups = project["dependency-groups"]
    build = project["build-system"]["requires"]
    parts = {name: extras[name] for name in extras if name != "dev"}
    asked = {
        "requirements.txt": runtime,
        "requirements-build.txt": build,
        **{f"requirements-{name}.txt": part for name, part in parts.items()},
        "requirements-dev.txt": [
            *runtime,
            *extras["dev"],
            *build,
            *chain(*(part for name, part in parts.items() if name != "spark")),
        ],
        "requirements-page.txt": groups["page"],
        "requirements-retraining.txt": groups["retraining"],
        "docs/requirements.txt": groups["docs"],
        "deploy/helm/tool/requirements.txt": groups["chart"],
    }
    for name, requirements in asked.items():
        pinned = pins(root / name)
        for requirement in map(Requirement, requirements):
            version = pinned.get(canonicalize_name(requirement.name))
            assert version, f"{name} lacks {requirement.name}: run  make pins"
            assert version in requirement.specifier, f"{requirement} in {name}: run  make pins"


def test_all_files_pin_the_same_versions(root: Path) -> None:
    everything = pins(root / "requirements-dev.txt")
    for name in [
        "requirements.txt", "requirements-files.txt", "requirements-build.txt",
        "requirements-avro.txt", "requirements-protobuf.txt", "requirements-ui.txt",
        "requirements-notify.txt", "requirements-confluent.txt",
    ]:  # fmt: skip
        assert pins(root / name).items() <= everything.items()


def test_the_page_on_model_servers_names_the_same_versions(
    root: Path, project: dict[str, Any]
) -> None:
    page = (root / "docs" / "model-servers.md").read_text(encoding="utf-8")
    (line,) = re.findall(r"^pip install (\".*)$", page, re.MULTILINE)
    asked = {r.name: r.specifier for r in map(Requirement, project["project"]["dependencies"])}
    named = [Requirement(text.strip('"')) for text in line.split()]
    assert {r.name: r.specifier for r in named} == {
        name: asked[name] for name in ("kafka-python", "msgspec")
    }


@pytest.mark.parametrize(
    ("version", "asked", "remade"),
    [
        ("Python 3.11.7", True, False),
        ("Python 3.13.0", True, True),
        ("Python 3.13.0", False, False),  # whoever asked once need not ask every time
    ],
)
def test_the_environment_is_made_anew_for_another_python(
    root: Path, tmp_path: Path, version: str, asked: bool, remade: bool
) -> None:
    (tmp_path / "Makefile").write_bytes((root / "Makefile").read_bytes())
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / ".created").write_text("Python 3.11.7\n", encoding="utf-8")
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\necho {version}\n", encoding="utf-8")
    python.chmod(0o755)
    command = ["make", "--dry-run", ".venv/.created", *([f"PYTHON={python}"] if asked else [])]
    # The make that runs this test may have been asked for a Python itself, and hands that on.
    environ = {name: os.environ[name] for name in os.environ.keys() - {"PYTHON", "MAKEFLAGS"}}
    ran = subprocess.run(
        command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=True
    )
    assert ("-m venv --clear .venv" in ran.stdout) == remade
