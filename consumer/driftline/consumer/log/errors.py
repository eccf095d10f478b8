"""What can go wrong with the log, each with what the operator does about it."""

from __future__ import annotations

from driftline.errors import DriftlineError


class LogError(DriftlineError):
    """The broker, its topics or their settings: an operator must act. Exit code 2."""


class WorkerLost(DriftlineError):  # noqa: N818 (nobody's mistake: the worker ends)
    """This worker cannot go on, another start can: exit code 75, for a supervisor to restart."""


class Unreachable(WorkerLost):
    """Nobody answers as a broker: an outage, to be waited for. Exit code 75 when nobody waits."""
