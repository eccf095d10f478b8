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
    """

    def __init__(self, message: str, again: bool = True) -> None:
        super().__init__(message)
        self.again = again
