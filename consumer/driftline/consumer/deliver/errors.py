"""What can go wrong in doing something with alerts."""

from __future__ import annotations

from driftline.errors import DriftlineError


class AlertsError(DriftlineError):
    """What is to be done with alerts cannot be done; an operator must act. Exit code 2."""


class DeliveryError(DriftlineError):
    """One attempt to hand on an alert failed.

    Args:
        message: one sentence.
        again: whether another attempt may help.
        after: seconds that the receiver wants to be left alone before it.
    """

    def __init__(self, message: str, again: bool = True, after: float = 0.0) -> None:
        super().__init__(message)
        self.again = again
        self.after = after
