"""What is wrong with a configuration: every problem at once, each with its file and line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from driftline.errors import DriftlineError

Key = tuple[str | int, ...]
"""A path into the configuration: keys of maps, indices of lists."""


def write_key(path: Key) -> str:
    """Write a path as errors show it.

    >>> write_key(("models", "car-loan", "predictions", 0))
    'models.car-loan.predictions[0]'
    """
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


@dataclass(frozen=True)
class Problem:
    """One thing that the operator must change.

    Args:
        file: the file as the operator named it, `environment` or `command line`.
        line: line of the key, counted from 1; None where there is none.
        key: the key as it was written there, such as `("models", "car-loan", "window")`, or the
            name of a variable; may be empty.
        message: what is wrong and what to do; never holds a secret.
        severity: `error` refuses to start, `warning` does not.
    """

    file: str
    line: int | None
    key: Key
    message: str
    severity: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return ": ".join(part for part in (place, write_key(self.key), self.message) if part)


class ConfigError(DriftlineError):
    """The configuration has errors; the message holds one line for each."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        """Keep the problems; `problems` holds at least one."""
        super().__init__("\n".join(map(str, problems)))
        self.problems = list(problems)
