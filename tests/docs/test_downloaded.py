"""What `make demo` says of the megabytes that it downloaded."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from .pages import ROOT

FETCHED = """\
Ignoring colorama: markers 'sys_platform == "win32"' don't match your environment
Collecting annotated-doc==0.0.7 (from -r requirements.txt (line 3))
  Downloading annotated_doc-0.0.7-py3-none-any.whl (5.3 kB)
Collecting numpy==2.4.6 (from -r requirements.txt (line 400))
  Downloading numpy-2.4.6-cp311-cp311-manylinux_2_27_x86_64.whl.metadata (62 kB)
  Downloading numpy-2.4.6-cp311-cp311-manylinux_2_27_x86_64.whl (16.9 MB)
Collecting scipy==1.17.1 (from -r requirements.txt (line 700))
  Downloading scipy-1.17.1-cp311-cp311-manylinux_2_27_x86_64.whl (35.3 MB)
Installing collected packages: scipy, numpy, annotated-doc
"""


@pytest.mark.parametrize(
    ("printed", "said"),
    [
        (FETCHED, "52 MB downloaded"),
        (
            FETCHED.replace("Downloading", "Using cached"),
            "0 MB downloaded, 52 MB from pip's cache",
        ),
        (
            FETCHED.replace("Downloading numpy", "Using cached numpy"),
            "35 MB downloaded, 17 MB from pip's cache",
        ),
        (FETCHED.replace(" (35.3 MB)", ""), "17 MB downloaded and 1 file of unknown size"),
        (FETCHED.replace("MB", "bytes"), "0.1 MB downloaded"),
        ("Requirement already satisfied: numpy==2.4.6 in .venv/lib", "0 MB downloaded"),
        ("", "0 MB downloaded"),
    ],
)
def test_the_megabytes_are_summed(printed: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "pip.txt").write_text(printed)
    program = [sys.executable, str(ROOT / "deploy" / "downloaded.py"), str(tmp_path / "pip.txt")]
    ran = subprocess.run(program, capture_output=True, text=True, check=True)
    assert ran.stdout.startswith(f"installation: {said}")
    assert ran.stdout.count("\n") == 1


def test_the_demo_sums_what_its_installation_printed() -> None:
    """The file that the one recipe writes is the one that the other reads."""
    recipes = (ROOT / "Makefile").read_text(encoding="utf-8").split("\n\n")
    (demo,) = (recipe for recipe in recipes if recipe.startswith("demo:"))
    assert "deploy/downloaded.py .venv/pip.txt" in demo
    (installation,) = (recipe for recipe in recipes if "> .venv/pip.txt" in recipe)
    assert "\n.venv/.runtime:" in installation
    assert "$(INSTALL:--quiet=)" in installation
