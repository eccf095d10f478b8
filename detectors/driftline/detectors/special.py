"""The special functions of scipy, which is imported when the first of them is used.

That takes longer than all the rest of Driftline, and whoever reads, counts or refuses needs none.

>>> round(float(__getattr__("ndtri")(0.975)), 3)
1.96
"""

from __future__ import annotations

from importlib import import_module
from typing import Any


def __getattr__(name: str) -> Any:
    if name.startswith("_"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module("scipy.special"), name)
    globals()[name] = value
    return value
