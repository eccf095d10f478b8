"""What a benchmark prints: a figure, the bound that it has to keep, and whether it does."""

from __future__ import annotations

from dataclasses import dataclass

MIN_EFFECT = 0.02
"""Of the default configuration."""


@dataclass(frozen=True)
class Row:
    """A figure, and what it has to be; without a bound it stands there to compare with."""

    what: str
    bound: str
    reached: str
    met: bool

    def __str__(self) -> str:
        """Return it as a row of a table."""
        holds = "" if not self.bound else "yes" if self.met else "**no**"
        return f"| {self.what} | {self.bound} | {self.reached} | {holds} |"


HEAD = "| what | bound | measured | holds |\n|---|---|---|---|"
"""Of a table of rows."""
