"""Environments of other libraries, made from pins with hashes the first time they are needed."""

from __future__ import annotations

import subprocess
import venv
from pathlib import Path

ROOT = Path(__file__).parents[1]


def python(library: str) -> Path:
    """Return the interpreter of a library's environment, made anew where its pins changed."""
    pins = ROOT / "benchmarks" / f"requirements-{library}.txt"
    folder = ROOT / "build" / f"peer-{library}"
    found, made = folder / "bin" / "python", folder / "made"
    if not made.exists() or made.read_text(encoding="utf-8") != pins.read_text(encoding="utf-8"):
        venv.create(folder, clear=True, with_pip=True)
        # The pins are whole; with what packages require of each other pip asks for more hashes.
        command = [str(found), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*command, "--no-deps", "--require-hashes", "-r", str(pins)], check=True)
        made.write_text(pins.read_text(encoding="utf-8"), encoding="utf-8")
    return found
