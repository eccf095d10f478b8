"""Programs of others that tests run: their own checks of the files that we write for them."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

_DEBIAN = {
    "amtool": "prometheus-alertmanager",
    "prometheus": "prometheus",
    "promtool": "prometheus",
}


def found(name: str) -> str | None:
    """Return where a program is: beside this Python, as `make install` puts it, or on the PATH."""
    places = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return shutil.which(name, path=places)


def tool(name: str) -> str:
    """Return where a program is. Without it a test fails where `CI` is set, else it is skipped."""
    path = found(name)
    if path is not None:
        return path
    get = f"on Debian: apt-get install {_DEBIAN[name]}" if name in _DEBIAN else "run  make install"
    reason = f"{name} is not installed; {get}"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
