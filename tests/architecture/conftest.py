"""What the architecture tests look at: the files of the repository."""

from __future__ import annotations

import os
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest
from tests.architecture.trees import nodes

PACKAGES = ("detectors", "producer", "consumer")


@pytest.fixture(scope="session")
def root() -> Path:
    return Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def files(root: Path) -> list[Path]:
    """Every file that is, or could be, in the repository: not those that .gitignore names."""
    ignored = {line.rstrip("/") for line in (root / ".gitignore").read_text().split()} | {".git"}
    found = []
    for folder, inside, names in os.walk(root):
        inside[:] = [name for name in inside if not _matches(name, ignored)]
        found += [Path(folder, name) for name in names if not _matches(name, ignored)]
    return sorted(found)


def _matches(name: str, patterns: set[str]) -> bool:
    return any(fnmatch(name, pattern) for pattern in patterns)


@pytest.fixture(scope="session")
def python_files(files: list[Path]) -> list[Path]:
    return [path for path in files if path.suffix == ".py"]


@pytest.fixture(scope="session")
def sources(root: Path, python_files: list[Path]) -> list[Path]:
    """The Python files of the three packages."""
    found = [path for path in python_files if path.relative_to(root).parts[0] in PACKAGES]
    assert {path.relative_to(root).parts[0] for path in found} == set(PACKAGES)
    return found


@pytest.fixture(scope="package", autouse=True)
def _trees_are_given_up() -> Iterator[None]:
    """They are hundreds of megabytes, which no other test needs."""
    yield
    nodes.cache_clear()
