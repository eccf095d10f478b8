"""A record is built in one place, and names are written and read as text in one place."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from tests.architecture.figures import ROOT, calls
from tests.architecture.trees import nodes, text_of

MONITOR = "consumer/driftline/consumer"
PREFIXES = {"performance.", "estimated_", "performance.estimated_", "_drift"}
TAKEN_APART = {"startswith", "endswith", "removeprefix", "removesuffix", "partition", "split"}


@pytest.mark.parametrize("record", ["Alert", "Verdict"])
def test_records_are_built_in_one_place(record: str) -> None:
    assert list(calls(record)) == [f"{MONITOR}/judge/records.py"]


def parsed_prefixes(text: str) -> list[str]:
    """The prefixes of names that a source takes text apart by."""
    return [
        argument.value
        for node in nodes(text)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in TAKEN_APART
        for given in node.args
        for argument in ast.walk(given)
        if isinstance(argument, ast.Constant) and argument.value in PREFIXES
    ]


def test_no_prefix_of_a_name_is_parsed(sources: list[Path]) -> None:
    texts = {path.relative_to(ROOT).as_posix(): text_of(path) for path in sources}
    assert {path: found for path, text in texts.items() if (found := parsed_prefixes(text))} == {}
    assert {path for path, text in texts.items() if "METRIC_PREFIX" in text} == {
        f"{MONITOR}/wire/subject.py",  # writes and reads it
        "producer/driftline/producer/records/names.py",  # refuses features that begin so
    }


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('name.startswith(("performance.", "x"))', ["performance."]),
        ('life.kind.endswith("_drift")', ["_drift"]),
        ('name.removeprefix("sources.")', []),
    ],
)
def test_parsed_prefixes_are_found(text: str, found: list[str]) -> None:
    assert parsed_prefixes(text) == found


def test_no_sentence_is_taken_apart(sources: list[Path]) -> None:
    """A judge renders text and never reads it."""
    judges = [path for path in sources if f"{MONITOR}/judge/" in path.as_posix()]
    assert len(judges) > 20
    assert [path.name for path in judges if "import re\n" in text_of(path)] == []
