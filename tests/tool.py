"""Programs of others that tests run: their own checks of the files that we write for them."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

_HOW = {
    "amtool": "on Debian: apt-get install prometheus-alertmanager",
    "prometheus": "on Debian: apt-get install prometheus",
    "promtool": "on Debian: apt-get install prometheus",
    "helm": "run  make build/tools/helm",
}
_BUILT = Path(__file__).parents[1] / "build" / "tools"


def found(name: str) -> str | None:
    """Return where a program is: beside this Python or in build/tools, or on the PATH."""
    places = (str(Path(sys.executable).parent), str(_BUILT), os.environ["PATH"])
    return shutil.which(name, path=os.pathsep.join(places))


def tool(name: str) -> str:
    """Return where a program is. Without it a test fails where `CI` is set, else it is skipped."""
    path = found(name)
    if path is not None:
        return path
    reason = f"{name} is not installed; {_HOW.get(name, 'run  make install')}"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
