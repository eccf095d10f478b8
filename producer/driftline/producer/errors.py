"""The errors of this package; each message is one sentence that tells the operator what to do."""

from __future__ import annotations

from driftline.errors import DriftlineError


class MappingError(DriftlineError):
    """A mapping names something that is not a field of an event, or names it twice.

    Args:
        problem: what is wrong.
        field: the field of an event that it is about, if it is about one.
    """

    def __init__(self, problem: str, field: str = "") -> None:
        super().__init__(f"{field}: {problem}" if field else problem)
        self.problem = problem


class InputError(DriftlineError):
    """An input file, or the events in it, cannot be used."""
