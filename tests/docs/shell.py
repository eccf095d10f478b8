"""Running commands as a reader does: as processes, in a folder."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

PROGRAM = [sys.executable, "-c", "from driftline.consumer.cli import main; main()"]


@dataclass(frozen=True)
class Shell:
    """A folder to work in, and variables of the environment."""

    folder: Path
    env: Mapping[str, str] = field(default_factory=dict)

    def driftline(self, arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
        """Run a verb to its end."""
        return subprocess.run(
            [*PROGRAM, *arguments],
            cwd=self.folder,
            capture_output=True,
            encoding="utf-8",
            timeout=60,
            check=False,
            env={**os.environ, "COLUMNS": "150", **self.env},
        )

    def start(self, arguments: Sequence[str], output: Path) -> subprocess.Popen[bytes]:
        """Start a verb that ends only when it is told to; all that it prints goes to a file."""
        with output.open("wb") as printed:
            return subprocess.Popen(
                [*PROGRAM, *arguments],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=printed,
                env={**os.environ, **self.env},
            )

    def write(self, name: str, text: str) -> None:
        """Write a file."""
        (self.folder / name).write_text(text, encoding="utf-8")

    def write_program(self, name: str, line: str) -> None:
        """Write a shell script of one line."""
        self.write(name, f"#!/bin/sh\n{line}\n")
        (self.folder / name).chmod(0o700)
