"""How the times of a source are written: one object that its mapping holds."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal, get_args

from driftline.producer.errors import MappingError
from driftline.producer.records.time_text import FORMS, Form, compile_format
from driftline.producer.records.time_zone import Zone, find_zone

TimestampUnit = Literal["auto", "s", "ms", "us", "ns"]

DAY_COUNTS: Final = {"excel": -25_569, "days": 0}
"""Formats of numbers that count days, to the day 0, in days since 1970: Excel's serial numbers
begin with 1899-12-30, what other programs call a date with 1970-01-01."""


@dataclass(frozen=True)
class TimeForm:
    """How times are written.

    Args:
        unit: of numbers since 1970; `auto` goes by their magnitude.
        format: of text, as `strptime` has it; None for the forms that say themselves what they
            are (`time_text.FORMS`) and for numbers. With a format, digits are not since 1970:
            of `excel` and `days` (`DAY_COUNTS`) they are days, with a fraction for the time of
            day.
        timezone: of text without an offset: an IANA name, or an offset; None for UTC.

    Raises:
        MappingError: a unit, a directive or a time zone that does not exist.

    >>> TimeForm(format="%d.%m.%Y", timezone="Europe/Berlin").zone.name
    'Europe/Berlin'
    """

    unit: TimestampUnit = "auto"
    format: str | None = None
    timezone: str | None = None

    def __post_init__(self) -> None:
        """Check all of it once, so that reading times cannot fail."""
        if self.unit not in get_args(TimestampUnit):
            units = ", ".join(get_args(TimestampUnit))
            raise MappingError(f"timestamp_unit {self.unit!r}: use one of {units}")
        if self.format is not None and self.days is None:
            compile_format(self.format)
        if self.timezone is not None:
            find_zone(self.timezone)

    @cached_property
    def forms(self) -> tuple[Form, ...]:
        """The forms that text may have; the first that fits is read."""
        return FORMS if self.format is None else (compile_format(self.format),)

    @cached_property
    def days(self) -> int | None:
        """The day that numbers count from, in days since 1970; None where they count none."""
        return None if self.format is None else DAY_COUNTS.get(self.format)

    @cached_property
    def zone(self) -> Zone | None:
        """The zone of times without an offset; None for UTC."""
        return None if self.timezone is None else find_zone(self.timezone)


AUTO = TimeForm()
"""How times are read where nothing is configured."""


@dataclass(frozen=True)
class GivenTimes:
    """What the user says of the times of a file.

    Attributes:
        columns: the column that holds them, or two: date and time of day; none to guess it.
        form: how they are written; what it leaves open is guessed.
    """

    columns: tuple[str, ...] = ()
    form: TimeForm = AUTO


GUESSED = GivenTimes()
"""Nothing is known."""
