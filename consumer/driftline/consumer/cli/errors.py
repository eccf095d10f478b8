"""The errors of the command line itself."""

from __future__ import annotations

from driftline.errors import DriftlineError


class CommandError(DriftlineError):
    """A verb cannot do what it was asked for; the message says what the operator can do."""
