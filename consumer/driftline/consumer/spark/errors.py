"""What a session of Spark lacks, in one sentence that says what to do."""

from __future__ import annotations

from driftline.errors import DriftlineError


class SparkError(DriftlineError):
    """The session, its connector, its Python or what its executors can read will not do."""
