"""What holds for all tests."""

from __future__ import annotations

import gc
import os
from pathlib import Path

import pytest
from hypothesis import settings

# Arrays of tests are small: threads of the linear algebra would only wait for one another, and
# for those of the test processes beside this one.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# Nothing that is imported or collected is ever garbage: it is looked at neither now nor later.
gc.disable()

# Hypothesis fails an example that takes 200 ms: on a busy machine any may.
settings.register_profile("driftline", deadline=None)
settings.load_profile("driftline")

LONG = frozenset(
    line
    for line in Path(__file__).with_name("long.txt").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
)
"""Files and tests that are marked `long`: which they are was measured, so it stands in a table."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of the table."""
    for item in items:
        test = item.nodeid.partition("[")[0]
        if not LONG.isdisjoint((test, test.partition("::")[0])):
            item.add_marker(pytest.mark.long)


def pytest_collection_finish() -> None:
    """Look for garbage from now on, in what tests make."""
    gc.freeze()
    gc.enable()
