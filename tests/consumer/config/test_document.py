"""YAML: the scalars of version 1.2, lines, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from driftline.consumer.config.document import read_document
from driftline.consumer.config.errors import write_key


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("off", "off"),
        ("on", "on"),
        ("yes", "yes"),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("12", 12),
        ("-3", -3),
        ("010", 10),
        ("1_000", "1_000"),
        ("1:30", "1:30"),
        ("0.5", 0.5),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("-.inf", float("-inf")),
        ("5%", "5%"),
        ("2026-01-01", "2026-01-01"),
        ("'5'", "5"),
        ("!!str 5", "5"),
        ("[1, a]", [1, "a"]),
        ("{a: {b: 1}}", {"a": {"b": 1}}),
        ("=", "="),
    ],
)
def test_values(tmp_path: Path, text: str, value: object) -> None:
    file = tmp_path / "x.yaml"
    file.write_text(f"x: {text}\n")
    root, problems = read_document(str(file))
    assert problems == []
    assert root is not None
    assert root.plain() == {"x": value}


def test_keys_are_texts(tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    file.write_text("on: 1\n5: 2\ntrue: 3\nnull: 4\n")
    root, _ = read_document(str(file))
    assert root is not None
    assert root.plain() == {"on": 1, "5": 2, "true": 3, "null": 4}


def test_lines_are_those_of_the_keys(tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    file.write_text("# c\na:\n  b:\n    - 1\n    - c: 2\n")
    root, _ = read_document(str(file))
    assert root is not None
    lines = {path: origin.line for path, origin in root.walk() if path}
    assert lines == {
        ("a",): 2,
        ("a", "b"): 3,
        ("a", "b", 0): 4,
        ("a", "b", 1): 5,
        ("a", "b", 1, "c"): 5,
    }
    keys = [write_key(origin.key) for _, origin in root.walk()]
    assert keys == ["", "a", "a.b", "a.b[0]", "a.b[1]", "a.b[1].c"]


def test_anchors_work(tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    file.write_text("a: &w {length: 1h}\nb: *w\n")
    root, problems = read_document(str(file))
    assert problems == []
    assert root is not None
    assert root.plain() == {"a": {"length": "1h"}, "b": {"length": "1h"}}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: 1\nb: 2\na: 3\n", "3: a: given twice, first in line 1"),
        ("a:\n  b: 1\n  b: 2\n", "3: a.b: given twice, first in line 2"),
        ("a: !!python/object:os.system x\n", "1: a: tags (a word after !) are not supported"),
        ("a: !secret x\n", "1: a: tags (a word after !) are not supported"),
        ("a: &a [*a]\n", "1: a[0]: an alias stands inside its own anchor"),
        ("a: &a {}\nb:\n  <<: *a\n", "3: b.<<: merge keys are not supported, use defaults"),
        ("? [x]\n: 1\n", "1: ?: a key must be one word or text"),
    ],
)
def test_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, line: str) -> None:
    monkeypatch.chdir(tmp_path)
    Path("x.yaml").write_text(text)
    _, problems = read_document("x.yaml")
    assert [str(problem) for problem in problems] == [f"x.yaml:{line}"]
