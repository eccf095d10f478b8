"""The errors of the command line itself, and its exit codes."""

from __future__ import annotations

from driftline.errors import DriftlineError

DRIFT_FOUND = 1
OPERATOR_MUST_ACT = 2
DEFECT = 70  # EX_SOFTWARE: a mistake of ours, never of the operator
START_ME_AGAIN = 75  # EX_TEMPFAIL


class CommandError(DriftlineError):
    """A verb cannot do what it was asked for; the message says what the operator can do."""
