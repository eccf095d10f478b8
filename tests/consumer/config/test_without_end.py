"""Files that would take memory or time without an end: each is one sentence."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from driftline.consumer.config import document, include
from driftline.consumer.config.include import TooMuch, expand

if TYPE_CHECKING:
    from tests.consumer.config.conftest import Problems, Read

KAFKA = "kafka: {bootstrap_servers: 'localhost:9092'}\n"
MODEL = "models:\n  m: {predictions: t, reference: r.json}\n"
NOT_A_FILE = "cannot be read: it is a pipe or a device, not a file"
DEEP = "maps and lists are nested more than 32 deep"
MUCH = "the aliases (*name) stand for too much: write out what is meant, or use defaults"


def laughs(first: str, form: str) -> str:
    """Nine lines, each of which stands for nine times the one before."""
    names = "bcdefghij"
    lines = [f"a: &a {first}\n"]
    for before, name in zip("a" + names, names, strict=False):
        lines.append(f"{name}: &{name} " + form.format(*[f"*{before}"] * 9) + "\n")
    return "".join(lines)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (laughs("x", "[{}, {}, {}, {}, {}, {}, {}, {}, {}]"), MUCH),
        (laughs("{x: y}", "{{" + ", ".join(f"{key}: {{}}" for key in "abcdefghi") + "}}"), MUCH),
        ("a: &a '" + "x" * 1_000_000 + "'\nb: [" + "*a, " * 2_000 + "]\n", MUCH),
        (
            "a0: &a0 [x]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}]\n" for i in range(1, 900)),
            "the aliases (*name) make it more than 32 deep: write out what is meant, or use"
            " defaults",
        ),
        ("a: " + "[" * 900 + "]" * 900, DEEP),
        ("a: " + "[" * 900, DEEP),
        ("a: " + "{a: " * 900 + "}" * 900, DEEP),
        ("a:\n  " + "- " * 900 + "x", DEEP),
        ("".join(" " * i + "a:\n" for i in range(900)), DEEP),
        ("? " * 900, DEEP),
        ("- x\n" * 100_000, "not a map of keys and values"),
        ("[" * 100_000, "not a map of keys and values"),
        ("#" * 4_000_001, "cannot be read: it is larger than 4 MB"),
    ],
    ids=lambda value: value[:12],
)  # fmt: skip
def test_a_file_that_unfolds_without_an_end(problems: Problems, text: str, said: str) -> None:
    (line,) = problems(text)
    assert line.startswith("driftline.yaml:")
    assert line.endswith(f": {said}")


def test_too_many_values(problems: Problems, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document, "_MOST_VALUES", 100)
    text = "".join(f"a{number}: 1\n" for number in range(60))
    assert problems(text) == [
        "driftline.yaml:50: more than 100 keys and values, put some in other files"
    ]


def test_what_people_write_is_not_too_much(read: Read) -> None:
    models = "".join(
        f"  m{number}: {{predictions: t, reference: r, window: *w}}\n" for number in range(500)
    )
    defaults = "defaults: {window: &w {length: 2h, every: 1h}}\n"
    loaded = read({"driftline.yaml": f"{KAFKA}{defaults}models:\n{models}"})
    assert {model.window.length for model in loaded.config.models.values()} == {7_200_000}


@pytest.mark.parametrize("place", ["driftline.yaml", "more.yaml"])
@pytest.mark.parametrize("what", ["device", "pipe"])
def test_what_is_no_file(problems: Problems, tmp_path: Path, place: str, what: str) -> None:
    files: Mapping[str, str] = {"driftline.yaml": f"{KAFKA}include: more.yaml\n{MODEL}"}
    if place == "driftline.yaml":
        files = {"other.yaml": f"{KAFKA}include: driftline.yaml\n{MODEL}"}
    if what == "pipe":
        os.mkfifo(tmp_path / place)
    else:
        (tmp_path / place).symlink_to("/dev/zero")
    assert problems(files) == [f"{place}: {NOT_A_FILE}"]


@pytest.mark.parametrize(
    "text", ["[" * 900 + "]" * 900, '{"a":' * 900 + "1" + "}" * 900, "[" * 40 + "]" * 40]
)
def test_a_variable_that_is_nested_without_an_end(problems: Problems, text: str) -> None:
    environ = {"DRIFTLINE__HTTP": text}
    assert problems(KAFKA + MODEL, environ) == [f"environment: DRIFTLINE__HTTP: {DEEP}"]


# What `include` looks through.


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("a.yaml", ".hidden.yaml", "x/b.yaml", "x/y/c.yaml", "x/y/d.txt", ".z/e.yaml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    (tmp_path / "x/loop").symlink_to(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("*.yaml", ["a.yaml"]),
        ("./a.yaml", ["a.yaml"]),
        (".*.yaml", [".hidden.yaml"]),
        ("*/*.yaml", ["x/b.yaml"]),
        ("x/[b-c].yaml", ["x/b.yaml"]),
        ("**/*.yaml", ["a.yaml", "x/b.yaml", "x/y/c.yaml"]),
        ("**/**/c.yaml", ["x/y/c.yaml"]),
        ("x/**", ["x/b.yaml", "x/loop", "x/y/c.yaml", "x/y/d.txt"]),
        ("x/loop/x/b.yaml", ["x/loop/x/b.yaml"]),
        ("x/../a.yaml", ["x/../a.yaml"]),
        ("none/*.yaml", []),
        ("a.yaml/*", []),
    ],
)
@pytest.mark.usefixtures("folder")
def test_globs(pattern: str, found: list[str]) -> None:
    assert expand(pattern, "") == found


def test_globs_begin_at_a_folder(folder: Path) -> None:
    assert expand("y/*.yaml", "x") == ["x/y/c.yaml"]
    assert expand(f"{folder}/*.yaml", "x") == [f"{folder}/a.yaml"]


@pytest.mark.usefixtures("folder")
def test_a_glob_that_looks_through_too_much(
    problems: Problems, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(include, "MOST_ENTRIES", 5)
    assert problems(f"{KAFKA}{MODEL}include: '**/none.yaml'\n") == [
        "driftline.yaml:4: include: **/none.yaml looks through more than 5 names, name a smaller"
        " folder"
    ]


def test_folders_without_an_end(tmp_path: Path) -> None:
    deep = tmp_path / "/".join(["d"] * 150)
    deep.mkdir(parents=True)
    with pytest.raises(TooMuch, match="looks through folders more than 100 deep"):
        expand("**/x", str(tmp_path))


def test_many_and_large_files(
    problems: Problems, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("driftline.consumer.config.layers.MOST_FILES", 3)
    for number in range(3):
        (tmp_path / f"m{number}.yaml").write_text(f"sources: {{t{number}: {{}}}}\n")
    text = f"{KAFKA}{MODEL}include: 'm*.yaml'\n"
    assert problems(text) == [
        "driftline.yaml:4: include: m*.yaml makes more than 3 files, put some together"
    ]
    (tmp_path / "m2.yaml").unlink()
    assert problems(text) == []
    for number in range(2):
        (tmp_path / f"m{number}.yaml").write_text("#" * 2_500_000)
    assert problems(text) == [
        "driftline.yaml:4: include: m*.yaml makes more than 4 MB of configuration"
    ]
