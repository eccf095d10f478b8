"""Fetch the jars with which Apache Spark reads Kafka: the value of `spark.jars` is printed.

    spark-submit --jars "$(python deploy/spark/jars.py)" ...

Needs Maven for the first run, which fetches what pom.xml names (10 MB) into `.spark/jars`.
"""
# ruff: noqa: INP001, S603, T201 (a program, no package; it runs mvn, with no input of others)

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
JARS = HERE.parent.parent / ".spark" / "jars"


class JarsError(Exception):
    """The jars cannot be fetched; the message says why and what to do."""


def missing() -> str | None:
    """Say what this machine lacks to fetch the jars, None when it lacks nothing."""
    if not any(JARS.glob("*.jar")) and shutil.which("mvn") is None:
        return "mvn is not installed: Maven fetches the jars with which Spark reads Kafka"
    return None


def jars() -> list[Path]:
    """Return the jars, which are fetched unless they are there.

    Raises:
        JarsError: Maven is missing or failed.
    """
    lack = missing()
    if lack is not None:
        raise JarsError(lack)
    if not any(JARS.glob("*.jar")):
        JARS.parent.mkdir(parents=True, exist_ok=True)
        # Into a new directory first: a run that was cut short, or two at once, do no harm.
        with tempfile.TemporaryDirectory(dir=JARS.parent) as half:
            command = ["mvn", "-q", "-B", "-f", str(HERE / "pom.xml")]
            command += ["dependency:copy-dependencies", f"-DoutputDirectory={half}/jars"]
            pipe = subprocess.PIPE
            done = subprocess.run(
                command, stdout=pipe, stderr=subprocess.STDOUT, text=True, check=False
            )
            if done.returncode != 0:
                raise JarsError(f"Maven could not fetch the jars:\n{done.stdout}")
            # When the other run was first, its jars are as good as ours.
            with contextlib.suppress(OSError):
                Path(half, "jars").rename(JARS)
    return sorted(JARS.glob("*.jar"))


if __name__ == "__main__":
    try:
        print(",".join(map(str, jars())))
    except JarsError as error:
        sys.exit(str(error))
