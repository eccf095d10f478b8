"""What the pages of docs/ show is so: links, configurations, code and commands."""

from __future__ import annotations

import json
import posixpath
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from driftline.consumer.cli import app
from driftline.consumer.config import ConfigError, load
from driftline.consumer.http.tables import COUNTERS, GAUGES, HISTOGRAMS
from driftline.detectors import DETECTORS

from .pages import DOCS, EVERY, EXAMPLE, PAGES, README, ROOT, snippets, whole
from .test_python_pages import PAGES as PYTHON_PAGES


def named() -> list[str]:
    """Commands that sentences name; test_commands.py runs those of the blocks."""
    lines = [line for page in EVERY.values() for line in re.findall(r"`([^`]+)`", page.prose)]
    return sorted({line for line in lines if line.startswith("driftline ")})


def of_the_example(text: str) -> bool:
    """Tell whether code is part of the example, which tests/examples runs."""
    return all(line in EXAMPLE for line in text.splitlines())


def refusal(line: str) -> str:
    """Return what the parser says against a command, empty if nothing; the command does not run.

    It reads the whole command before it obeys `--help`.
    """
    words = shlex.split(line, comments=True)[1:]
    end = words.index("--") if "--" in words else len(words)
    result = CliRunner().invoke(app, [*words[:end], "--help", *words[end:]])
    return result.output if result.exit_code else ""


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    for link in PAGES[page].links:
        path, _, anchor = link.partition("#")
        name = posixpath.normpath(posixpath.join(posixpath.dirname(page), path)) if path else page
        assert (DOCS / name).is_file(), link
        if anchor:
            assert anchor in PAGES[name].anchors, link


def entries(nav: list[Any] | dict[str, Any] | str) -> list[str]:
    """Return the pages of a navigation, in their order."""
    if isinstance(nav, str):
        return [nav]
    parts = nav.values() if isinstance(nav, dict) else nav
    return [page for part in parts for page in entries(part)]


def test_every_page_is_in_the_navigation_once() -> None:
    """`make docs` does not notice either; links and anchors it does."""
    site = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    assert sorted(entries(site["nav"])) == sorted(PAGES)


# tests/ci has the pipelines, tests/examples the package that the other page names.
ELSEWHERE = ("how-to/in-ci.md", "how-to/own-detector.md")
CONFIGURATIONS = [(page, text) for page, text in snippets("yaml") if page not in ELSEWHERE]


@pytest.mark.parametrize(("page", "text"), CONFIGURATIONS)
def test_configurations_load(page: str, text: str, tmp_path: Path) -> None:
    (tmp_path / "driftline.yaml").write_text(whole(text), encoding="utf-8")
    assert load(tmp_path / "driftline.yaml", environ={}, offline=True).config.models


@pytest.mark.parametrize(
    "text",
    [
        "budget: off\nfeatures: {km: {weight: 2}}",
        "output: {prefix: staging}",
        "models: {churn: {predictions: p, reference: r.json}}",
    ],
)
def test_a_part_of_a_configuration_is_tried_in_a_whole_one(text: str, tmp_path: Path) -> None:
    (tmp_path / "driftline.yaml").write_text(whole(text), encoding="utf-8")
    assert load(tmp_path / "driftline.yaml", environ={}, offline=True).config.models
    (tmp_path / "driftline.yaml").write_text(whole(f"{text}\nbugdet: 1"), encoding="utf-8")
    with pytest.raises(ConfigError, match="bugdet"):
        load(tmp_path / "driftline.yaml", environ={}, offline=True)


@pytest.mark.parametrize(("page", "text"), snippets("json"))
def test_records_are_json(page: str, text: str) -> None:
    assert isinstance(json.loads(text), dict)


RUN_ELSEWHERE = {
    "files.md",
    "how-it-is-made.md",
    "how-to/own-detector.md",
    "how-to/retraining.md",
    *PYTHON_PAGES,
}
"""Pages whose code is run by tests of their own."""


@pytest.mark.parametrize(
    ("page", "text"),
    [
        found
        for found in snippets("python")
        if found[0] not in RUN_ELSEWHERE
        and not of_the_example(found[1])
        and "last-quarter.csv" not in found[1]  # see test_readme.py
    ],
)
def test_code_runs(page: str, text: str) -> None:
    exec(compile(text, page, "exec"), {"__name__": page})


def test_the_code_of_the_model_server_is_the_example() -> None:
    assert EXAMPLE in PAGES["model-servers.md"].blocks("python")


@pytest.mark.parametrize("line", named())
def test_verbs_and_options_exist(line: str) -> None:
    assert refusal(line) == ""


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("driftline chek", "chek"),
        ("driftline alerts tails", "tails"),
        ("driftline run --fast", "--fast"),
        ("driftline alerts exec --kind stale -- ./retrain.sh", "--kind"),
    ],
)
def test_what_does_not_exist_is_found(line: str, wrong: str) -> None:
    assert wrong in refusal(line)


def test_the_table_of_the_readme_says_of_the_usual_detectors_when() -> None:
    rows = [line for line in README.text.splitlines() if line.startswith("| ")]
    named = set(re.findall(r"`(\w+)`", " ".join(rows)))
    usual = {name for name, detector in DETECTORS.items() if detector.always}
    assert {*usual, "budget"} <= named


def test_metrics_that_pages_name_exist() -> None:
    known = {f"driftline_{name}" for name in GAUGES}
    known |= {f"driftline_{name}_total" for name in COUNTERS}
    known |= {f"driftline_{name}_seconds" for name in HISTOGRAMS}
    for page in EVERY.values():
        assert set(re.findall(r"`(driftline_\w+)[`{]", page.text)) <= known, page.name
