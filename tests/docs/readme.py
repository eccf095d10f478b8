"""The README as data: its fenced blocks, and the commands in them."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")

_BLOCK = re.compile(r"^( *)```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)


def blocks(language: str) -> list[str]:
    """Return the fenced blocks of a language, without their indentation."""
    found = []
    for indent, name, body in _BLOCK.findall(TEXT):
        if name == language:
            found.append("".join(line.removeprefix(indent) for line in body.splitlines(True)))
    return found


def driftline_commands() -> list[list[str]]:
    """Return every `driftline ...` command of the shell blocks, as arguments."""
    lines = [line for block in blocks("sh") for line in block.splitlines()]
    split = [shlex.split(line, comments=True) for line in lines]
    return [words[1:] for words in split if words[:1] == ["driftline"]]
