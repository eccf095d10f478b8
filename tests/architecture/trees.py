"""Sources as trees, each parsed once for all rules that look at it."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from functools import cache
from pathlib import Path


@cache
def text_of(path: Path) -> str:
    """The text of a source."""
    return path.read_text(encoding="utf-8")


@cache
def nodes(text: str) -> Sequence[ast.AST]:
    """All nodes of a source in the order of `ast.walk`; those who look at them change none."""
    return tuple(ast.walk(ast.parse(text)))
