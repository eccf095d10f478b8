"""Values that are more than one number: budgets, starting points, `k of n`.

Each reads the text of the configuration and writes it back in the same style.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Literal, NamedTuple, Self

from driftline.producer.records.durations import format_duration, parse_duration

_NUMBER = r"[0-9]+(?:\.[0-9]+)?"
BUDGET_PATTERN = rf"^({_NUMBER}) per (?:([0-9][0-9a-z]*)|([0-9]+) windows?)$"
FOR_PATTERN = r"^([0-9]+) of ([0-9]+)$"


@dataclass(frozen=True)
class Budget:
    """Expected false alarms of a whole model.

    Args:
        alarms: how many, above 0.
        period: in how long a time, ms; or in how many windows.
        windows: whether the period is a number of windows.
    """

    alarms: float
    period: int
    windows: bool = False

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `N per <duration>`, or `N per <number> windows`.

        Raises:
            ValueError: anything else.

        >>> Budget.parse("1 per 30d")
        Budget(alarms=1.0, period=2592000000, windows=False)
        >>> str(Budget.parse("1 per 100 windows"))
        '1 per 100 windows'
        """
        match = re.match(BUDGET_PATTERN, text)
        if not match:
            raise ValueError("write `N per <duration>`, for example 1 per 30d, or off")
        windows = match[3] is not None
        budget = cls(
            float(match[1]), int(match[3]) if windows else parse_duration(match[2]), windows
        )
        if budget.alarms <= 0 or budget.period <= 0:
            raise ValueError("must be above 0; for no budget at all write off")
        return budget

    def __str__(self) -> str:
        period = f"{self.period} windows" if self.windows else format_duration(self.period)
        return f"{format_number(self.alarms)} per {period}"

    def length(self, every: int) -> int:
        """Return its period as windows that come every `every` need for it, in the same unit."""
        return self.period * every if self.windows else self.period


@dataclass(frozen=True)
class Start:
    """Where the very first start begins to read, by record timestamp.

    Args:
        kind: earliest, latest, time (`ms` since 1970) or ago (`ms` before the present).
        ms: milliseconds; 0 for earliest and latest.
    """

    kind: Literal["earliest", "latest", "time", "ago"]
    ms: int = 0

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `earliest`, `latest`, a time, or `-<duration>`. A time without offset is UTC.

        Raises:
            ValueError: anything else.

        >>> Start.parse("-24h")
        Start(kind='ago', ms=86400000)
        """
        if text == "earliest":
            return cls("earliest")
        if text == "latest":
            return cls("latest")
        try:
            if text.startswith("-"):
                return cls("ago", parse_duration(text[1:]))
            time = datetime.fromisoformat(text)
        except ValueError:
            raise ValueError(
                "write earliest, latest, a time such as 2026-11-01T00:00:00Z, or -24h"
            ) from None
        time = time if time.tzinfo else time.replace(tzinfo=UTC)
        return cls("time", round(time.timestamp() * 1000))

    def __str__(self) -> str:
        if self.kind == "ago":
            return f"-{format_duration(self.ms)}"
        if self.kind == "time":
            time = datetime.fromtimestamp(self.ms / 1000, UTC)
            exact = "milliseconds" if self.ms % 1000 else "seconds"
            return time.isoformat(timespec=exact).replace("+00:00", "Z")
        return self.kind


class For(NamedTuple):
    """A rule fires when `k` of the last `n` judged windows break it."""

    k: int
    n: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `k of n`.

        Raises:
            ValueError: anything else, or k above n.

        >>> For.parse("2 of 3")
        For(k=2, n=3)
        """
        match = re.match(FOR_PATTERN, text)
        if not match or not 1 <= int(match[1]) <= int(match[2]):
            raise ValueError("write `k of n` windows with k at least 1 and not above n: 2 of 3")
        return cls(int(match[1]), int(match[2]))

    def __str__(self) -> str:
        return f"{self.k} of {self.n}"


def parse_number(text: str) -> float:
    """Read a number or a percentage.

    Raises:
        ValueError: not a number, or not finite.

    >>> parse_number("5%"), parse_number("0.05")
    (0.05, 0.05)
    """
    try:
        number = Decimal(text.removesuffix("%").strip())
    except InvalidOperation:
        raise ValueError("not a number; write for example 0.05 or 5%") from None
    if number.is_finite():
        value = float(number / 100 if text.endswith("%") else number)
        if math.isfinite(value):
            return value
    raise ValueError("must be a finite number")


def format_number(value: float) -> str:
    """Write a number as short as it reads back: 2, not 2.0.

    >>> format_number(2.0), format_number(0.02)
    ('2', '0.02')
    """
    return repr(value).removesuffix(".0")


def format_share(value: float) -> str:
    """Write a share of 0 to 1 in per cent.

    >>> format_share(0.05), format_share(0.001)
    ('5%', '0.1%')
    """
    return f"{(Decimal(repr(value)) * 100).normalize():f}%"
