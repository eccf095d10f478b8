"""Running commands as a reader does, in a folder: in this process, or as processes."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from unittest.mock import patch

from driftline.consumer.cli import main

PROGRAM = [sys.executable, "-c", "from driftline.consumer.cli import main; main()"]


@dataclass(frozen=True)
class Shell:
    """A folder to work in, and variables of the environment."""

    folder: Path
    env: Mapping[str, str] = field(default_factory=dict)

    def inside(self, arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
        """Run a verb to its end in this process, which need not import everything again."""
        printed, said, code = io.StringIO(), io.StringIO(), 0
        words = ["driftline", *arguments]
        with (
            chdir(self.folder),
            patch.dict(os.environ, {"COLUMNS": "150", **self.env}),
            patch.object(sys, "argv", words),
            redirect_stdout(printed),
            redirect_stderr(said),
        ):
            try:
                main()
            except SystemExit as ended:
                code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        return subprocess.CompletedProcess(words, code, printed.getvalue(), said.getvalue())

    def driftline(self, arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
        """Run a verb to its end as a process."""
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
