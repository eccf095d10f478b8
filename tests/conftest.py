"""What holds for all tests."""

from __future__ import annotations

import gc
import os

from hypothesis import settings

# Arrays of tests are small: threads of the linear algebra would only wait for one another, and
# for those of the test processes beside this one.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# Nothing that is imported or collected is ever garbage: it is looked at neither now nor later.
gc.disable()

# Hypothesis fails an example that takes 200 ms: on a busy machine any may.
settings.register_profile("driftline", deadline=None)
settings.load_profile("driftline")


def pytest_collection_finish() -> None:
    """Look for garbage from now on, in what tests make."""
    gc.freeze()
    gc.enable()
