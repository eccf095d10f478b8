"""The page on retraining shows the example that tests/kafka runs, and names all of its steps."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.docs.pages import PAGES

EXAMPLE = Path(__file__).parents[2] / "examples" / "retraining"
PAGE = PAGES["how-to/retraining.md"]


def test_the_page_shows_the_example() -> None:
    call, sensor = PAGE.blocks("python")
    assert sensor in (EXAMPLE / "flow.py").read_text("utf-8")
    (statement,) = ast.parse(call).body
    assert isinstance(statement, ast.Assign)
    assert isinstance(statement.value, ast.Call)
    steps = ast.parse((EXAMPLE / "steps.py").read_text("utf-8")).body
    (retrain,) = (f for f in steps if isinstance(f, ast.FunctionDef) and f.name == "retrain")
    assert len(statement.value.args) == len(retrain.args.args)
    called = [ast.unparse(node.func) for node in ast.walk(retrain) if isinstance(node, ast.Call)]
    rows = [line.split("`")[1] for line in PAGE.text.splitlines() if line.startswith("| `")]
    assert rows == ["export", "train", "rebuild", "deploy", "hand_over"]
    assert {*rows} <= {*called}
