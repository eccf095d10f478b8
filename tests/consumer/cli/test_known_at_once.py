"""A mistake is known before what computes is loaded: the answer takes no time.

`benchmarks/mistakes.py` prints the CPU time of each.
"""

from __future__ import annotations

import runpy
import subprocess
import sys
from pathlib import Path

import pytest

MISTAKES = runpy.run_path(str(Path(__file__).parents[3] / "benchmarks" / "mistakes.py"))
CONFIGURATION = {"driftline.consumer.config.model", "yaml"}
HEAVY = {"numpy", "scipy", "pyarrow", "kafka", "structlog", "rich"}
PROGRAM = """
import sys
from driftline.consumer.cli import main
for line in {lines}:
    sys.argv[1:] = line.split()
    try:
        main()
    except SystemExit as end:
        assert end.code == 2, (line, end.code)
    loaded = {heavy} & sys.modules.keys()
    assert not loaded, (line, loaded)
"""


@pytest.mark.parametrize(
    ("kind", "heavy"), [("IN_OPTIONS", HEAVY | CONFIGURATION), ("IN_CONFIGURATION", HEAVY)]
)
def test_what_a_mistake_loads(kind: str, heavy: set[str], tmp_path: Path) -> None:
    """One process for all lines of a kind: what one of them loads, stays loaded."""
    MISTAKES["prepare"](tmp_path)
    lines = [line for line, where in MISTAKES["COMMANDS"].items() if where.name == kind]
    assert len(lines) > 10
    program = PROGRAM.format(lines=lines, heavy=heavy)
    ran = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
