"""What holds for all tests."""

from __future__ import annotations

from hypothesis import settings

# Hypothesis fails an example that takes 200 ms: on a busy machine any may.
settings.register_profile("driftline", deadline=None)
settings.load_profile("driftline")
