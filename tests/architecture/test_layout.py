"""Where files lie, what they are called and how long they may be."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.conftest import LONG

LONGEST = 400
# Such a name says that the thing has no subject of its own.
EMPTY_WORDS = {"util", "utils", "helper", "helpers", "common", "manager", "managers", "misc"}


def words(name: str) -> set[str]:
    """Split snake_case and CamelCase."""
    return {word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)}


def empty_names(path: Path) -> list[str]:
    classes = re.findall(r"^\s*class (\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    return [name for name in [path.stem, *classes] if words(name) & EMPTY_WORDS]


@pytest.mark.parametrize(
    ("file", "text", "expected"),
    [
        ("kafka_utils.py", "", ["kafka_utils"]),
        ("common.py", "", ["common"]),
        ("panes.py", "class PaneManager:\n", ["PaneManager"]),
        ("panes.py", "class _KSHelper(Base):\n", ["_KSHelper"]),
        ("uncommon.py", "class Pane:\n", []),
    ],
)
def test_empty_names_are_found(tmp_path: Path, file: str, text: str, expected: list[str]) -> None:
    (tmp_path / file).write_text(text, encoding="utf-8")
    assert empty_names(tmp_path / file) == expected


def test_modules_and_classes_are_named_for_what_they_are(python_files: list[Path]) -> None:
    assert {str(path): names for path in python_files if (names := empty_names(path))} == {}


def test_no_python_file_is_too_long(python_files: list[Path]) -> None:
    lengths = {str(path): len(path.read_bytes().splitlines()) for path in python_files}
    assert {path: length for path, length in lengths.items() if length > LONGEST} == {}


def test_driftline_is_a_namespace_package(root: Path) -> None:
    """One `__init__.py` here would hide the other packages; no type checker notices."""
    assert list(root.glob("*/driftline/__init__.py")) == []


def test_each_package_is_typed_for_its_users(root: Path) -> None:
    typed = {path.parent.name for path in root.glob("*/driftline/*/py.typed")}
    assert typed == {"errors", "detectors", "producer", "consumer"}


def test_every_folder_of_a_package_has_an_init(root: Path, sources: list[Path]) -> None:
    """Without it a folder is a namespace package: linters and coverage pass it over."""
    folders = {path.parent for path in sources}
    assert [str(folder) for folder in folders if not (folder / "__init__.py").is_file()] == []


@pytest.mark.parametrize("line", sorted(LONG))
def test_what_is_called_long_exists(root: Path, line: str) -> None:
    """Another name would bring a test back into `make test` without a word."""
    file, _, test = line.partition("::")
    text = (root / file).read_text(encoding="utf-8")
    assert f"def {test}(" in text if test else "def test_" in text
