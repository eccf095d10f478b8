"""The errors of this package; each message is one sentence that tells the operator what to do."""

from __future__ import annotations

from typing import Literal

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


FormatReason = Literal["malformed", "schema", "too_large"]
"""Why a record cannot be read: those of the reasons of dead letters that its bytes can give."""


class FormatError(DriftlineError):
    """A record is written in a form that cannot be read.

    Args:
        reason: of the closed set of dead letters.
        detail: what is wrong, and the key to be set where one helps; no value of the record.
        value: what it is about, where that is a part of a record.
    """

    def __init__(self, reason: FormatReason, detail: str, value: bytes = b"") -> None:
        super().__init__(detail)
        self.reason: FormatReason = reason
        self.detail = detail
        self.value = value


class SchemaError(DriftlineError):
    """A schema cannot be used."""


class MissingExtraError(DriftlineError):
    """A library that is needed here comes with an extra that is not installed."""
