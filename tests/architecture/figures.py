"""How large the code is, and what an event passes of it: `python -m tests.architecture.figures`.

An event's way is what one step of a worker over the in-memory log runs: `counts` with one event
that is only counted, `fires` with the one that ends a window in which an alert fires. Counted are
files of Driftline that run, and calls from one of them into another.
"""

from __future__ import annotations

import ast
import io
import sys
import tokenize
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
from tests.architecture.trees import nodes, text_of
from tests.consumer.service.rig import Rig
from tests.consumer.service.small import SECOND, START, plan

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("detectors", "producer", "consumer")
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
_NO_CODE = {
    tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT,
    tokenize.ENDMARKER,
}  # fmt: skip


def sources() -> list[Path]:
    return sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def code_lines(text: str) -> int:
    """Lines that hold code: no comment, no docstring, not blank."""
    lines, prose = set[int](), set[int]()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in _NO_CODE:
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in nodes(text):
        if isinstance(node, _DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            prose.update(range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1))
    return len(lines - prose)


def nested_imports(text: str) -> int:
    """Imports inside functions."""
    found = {
        inner
        for node in nodes(text)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for inner in ast.walk(node)
        if isinstance(inner, ast.Import | ast.ImportFrom)
    }
    return len(found)


def calls(name: str) -> Iterator[str]:
    """Files of the product in which `name` is called, once a call, as they are imported."""
    for path in sources():
        for node in nodes(text_of(path)):
            if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == name:
                yield path.relative_to(ROOT).as_posix()


def names_of_two_things() -> list[str]:
    """Class names that are defined in more than one file."""
    defined = Counter(
        node.name
        for path in sources()
        for node in nodes(text_of(path))
        if isinstance(node, ast.ClassDef)
    )
    return sorted(name for name, times in defined.items() if times > 1)


def way(run: Callable[[], object]) -> tuple[int, int]:
    """Return the product's files that `run` passes through, and its calls between them."""
    files, between = set[str](), 0
    inside = tuple(f"{ROOT / package}/" for package in PACKAGES)

    def note(frame: FrameType, event: str, _: Any) -> None:
        nonlocal between
        here = frame.f_code.co_filename
        if event != "call" or not here.startswith(inside):
            return
        files.add(here)
        back = frame.f_back
        caller = back.f_code.co_filename if back is not None else ""
        between += caller.startswith(inside) and caller != here

    sys.setprofile(note)
    try:
        run()
    finally:
        sys.setprofile(None)
    return len(files), between


def ways() -> dict[str, tuple[int, int]]:
    rig = Rig(plan(budget="1 per 30d", min_effect=0.01))
    worker = rig.start()

    rng = np.random.default_rng(7)

    def write(second: int, events: int, moved: float = 0.0) -> None:
        rig.write(
            {
                "event_id": f"{second}-{n}", "timestamp": START + second * SECOND,
                "features": {
                    "x": float(rng.normal()) + moved, "c": str(rng.choice(["p", "q", "r"])),
                    "b": bool(rng.integers(2)),
                },
                "tags": {"tier": "gold"},
            }
            for n in range(events)
        )  # fmt: skip

    write(0, 500)
    worker.step()
    worker.step()
    write(2, 1)
    counts = way(worker.step)
    write(4, 500, moved=3.0)
    write(60, 1)

    def until_it_fires() -> None:
        for _ in range(10):
            rig.broker.now += 2_000  # what was sent is acknowledged at the next checkpoint
            worker.step()
            if rig.records("alerts"):
                return
        raise AssertionError("no alert fires")

    return {"counts": counts, "fires": way(until_it_fires)}


def main() -> None:
    texts = [text_of(path) for path in sources()]
    print(f"lines {sum(len(text.splitlines()) for text in texts):,}")
    print(f"lines of code {sum(map(code_lines, texts)):,}")
    print(f"imports inside functions {sum(map(nested_imports, texts))}")
    print(f"class names of two things {names_of_two_things()}")
    for record in ("Alert", "Verdict"):
        print(f"places that build a record {record}: {sorted(calls(record))}")
    for name, (files, between) in ways().items():
        print(f"an event that {name}: {files} files, {between} calls between files")


if __name__ == "__main__":
    main()
