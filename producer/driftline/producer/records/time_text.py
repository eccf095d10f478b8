r"""Times as text: the table of forms, what the parts of them mean, and formats of one's own.

A form is a pattern of directives as `strptime` has them. Which form a text has, and where its
numbers stand in it, depends on where it has digits and on its other characters, never on what the
digits are: so texts of one shape are read all at once (`timestamp_column`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from driftline.producer.errors import MappingError

_DAY = 86_400_000
_MONTHS: Final = ("january", "february", "march", "april", "may", "june", "july", "august",
                  "september", "october", "november", "december")  # fmt: skip
_OTHER_MONTHS: Final = (
    # German, French, Spanish, Italian, Portuguese, Dutch, where they are not as in English
    "januar jänner janvier janv enero ene gennaio gen janeiro januari",
    "februar février fevrier févr fevr fév febrero febbraio fevereiro fev februari",
    "märz maerz mrz mär mars marzo março maart mrt",
    "avril avr abril abr aprile",
    "mai mayo maggio mag maio mei",
    "juni juin junio giugno giu junho",
    "juli juillet juil julio luglio lug julho",
    "août aout aoû agosto ago augustus",
    "septembre septiembre settembre set setembro sept",
    "oktober okt octobre octubre ottobre ott outubro out",
    "novembre noviembre novembro",
    "dezember dez décembre decembre déc diciembre dic dicembre dezembro",
)
_MONTH: Final = {
    name: number
    for number, (english, others) in enumerate(zip(_MONTHS, _OTHER_MONTHS, strict=True), 1)
    for name in (english, english[:3], *others.split())
}
_LONGEST_FIRST: Final = sorted(_MONTH, key=len, reverse=True)

_DIRECTIVES: Final = {
    "Y": r"(?P<Y>[0-9]{4})",
    "y": r"(?P<y>[0-9]{2})",
    "m": r"(?P<m>[0-9]{1,2})",
    "d": r"(?P<d>[0-9]{1,2})",
    "H": r"(?P<H>[0-9]{1,2})",
    "I": r"(?P<I>[0-9]{1,2})",
    "M": r"(?P<M>[0-9]{2})",
    "S": r"(?P<S>[0-9]{2})(?:[.,](?P<f>[0-9]+))?",
    "f": r"(?P<f>[0-9]+)",
    "b": rf"(?P<b>(?i:{'|'.join(_LONGEST_FIRST)}))\.?",
    "a": r"(?i:mon|tue|wed|thu|fri|sat|sun)(?i:s|nes|rs|ur)?(?i:day)?",
    "p": r"(?P<p>[AaPp])\.?[Mm]\.?",
    "j": r"(?P<j>[0-9]{3})",
    "G": r"(?P<G>[0-9]{4})",
    "V": r"(?P<V>[0-9]{2})",
    "u": r"(?P<u>[1-7])",
    "z": r"(?P<z>(?:UTC|GMT)?(?P<sign>[+-])(?P<zH>[0-9]{2})(?::?(?P<zM>[0-9]{2}))?|[Zz]|UTC|GMT)",
    "Z": r"(?P<z>[Zz]|UTC|GMT)",
    "%": "%",
}
"""What a directive of a format stands for. Seconds have a fraction where there is one."""
_SAME: Final = {"B": "b", "A": "a"}
_SHORT: Final = {"T": "%H:%M:%S", "R": "%H:%M", "F": "%Y-%m-%d", "D": "%m/%d/%y"}
_DIRECTIVE = re.compile(r"%(.?)", re.DOTALL)
_DIGITS = frozenset("YymdHIMSjGVu")
_WHOLE_SECONDS = r"(?P<S>[0-9]{2})"

_ZONE = r"(?: ?%z(?: [A-Z]{3,4}| \([A-Za-z ]+\)|\[[A-Za-z0-9_/+-]+\])?)?"
_TIME = rf"%H:%M(?::%S)?(?: ?%p)?{_ZONE}"
_THEN = rf"(?:(?:[Tt]| +|,? (?:at )?){_TIME})?"


@dataclass(frozen=True)
class Shape:
    """Where the numbers of a time stand in a text, and what its letters say.

    Attributes:
        spans: part to where it begins and ends; `NUMBERS` are the parts.
        month: where it is written as a name, else 0.
        afternoon: of a clock of 12 hours; None of one of 24.
        sign: of the offset, 1 or -1; 0 where it is UTC by its letters.
        zoned: whether the text has an offset.
    """

    spans: Mapping[str, tuple[int, int]]
    month: int
    afternoon: bool | None
    sign: int
    zoned: bool

    def local(self, part: Mapping[str, Any]) -> tuple[Any, Any]:
        """Return what a clock shows, and whether there is such a time.

        Args:
            part: the numbers; integers, or arrays of integers of one length. `f` are milliseconds.

        Returns:
            Milliseconds since 1970, and a boolean; arrays where the numbers are arrays.
        """
        date, fits = self._date(part)
        hour = part["I"] if "I" in part else part.get("H", 0)
        minute, second = part.get("M", 0), part.get("S", 0)
        # 60 is a leap second: the first of the next minute; 24:00 the begin of the next day.
        midnight = (hour == 24) & (minute == 0) & (second == 0) & (part.get("f", 0) == 0)
        fits = fits & ((hour < 24) | midnight) & (minute < 60) & (second < 61)
        if self.afternoon is not None or "I" in part:
            fits = fits & (hour > 0) & (hour < 13)
            hour = hour % 12 + (12 if self.afternoon else 0)
        time = ((hour * 60 + minute) * 60 + second) * 1000 + part.get("f", 0)
        return date * _DAY + time, fits

    def _date(self, part: Mapping[str, Any]) -> tuple[Any, Any]:
        """Return the days since 1970, and whether there is such a day."""
        if "G" in part:
            week, weekday = part["V"], part.get("u", 1)
            monday = _monday_of_week_1(part["G"])
            weeks = (_monday_of_week_1(part["G"] + 1) - monday) // 7
            return monday + 7 * (week - 1) + weekday - 1, (week > 0) & (week <= weeks)
        # Two digits as POSIX has them: 69 is 1969, 68 is 2068.
        year = part["Y"] if "Y" in part else part["y"] + 1900 + 100 * (part["y"] < 69)
        if "j" in part:
            first = _days_since_1970(year, 1, 1)
            fits = (year > 0) & (part["j"] > 0)
            return first + part["j"] - 1, fits & (
                part["j"] <= _days_since_1970(year + 1, 1, 1) - first
            )
        month, day = part.get("m", self.month or 1), part.get("d", 1)
        fits = (year > 0) & (month > 0) & (month < 13) & (day > 0)
        return _days_since_1970(year, month, day), fits & (day <= _days_in_month(year, month))

    def ahead(self, part: Mapping[str, Any]) -> tuple[Any, Any]:
        """Return the offset in ms of a text that has one, and whether there is such an offset."""
        hours, minutes = part.get("zH", 0), part.get("zM", 0)
        return self.sign * (hours * 60 + minutes) * 60_000, (hours < 24) & (minutes < 60)


@dataclass(frozen=True)
class Form:
    """One way to write times.

    Attributes:
        pattern: its parts are named groups.
    """

    pattern: re.Pattern[str]

    def shape(self, text: str) -> Shape | None:
        """Return where the numbers stand in a text of this form; None if it is of another."""
        match = self.pattern.fullmatch(text)
        if match is None:
            return None
        found = {name: value for name, value in match.groupdict().items() if value is not None}
        month = _MONTH.get(found["b"].lower()) if "b" in found else 0
        if month is None:  # letters that are the same but for their case only to a pattern, as maı
            return None
        return Shape(
            {name: match.span(name) for name in NUMBERS if name in found},
            month,
            found["p"] in "Pp" if "p" in found else None,
            {"+": 1, "-": -1}.get(found.get("sign", ""), 0),
            "z" in found,
        )


NUMBERS = ("Y", "y", "m", "d", "j", "G", "V", "u", "H", "I", "M", "S", "f", "zH", "zM")
"""The parts of a form that are digits."""


def _expand(template: str, *, literal: bool) -> Form:
    """Return the form of a pattern with directives, or, `literal`, of a format.

    Raises:
        MappingError: there is no such directive.
    """
    for short, whole in _SHORT.items():
        template = template.replace(f"%{short}", whole)
    # Every second one is a directive.
    tokens = _DIRECTIVE.split(template)
    names = [_SAME.get(name, name) for name in tokens[1::2]]
    pattern = ""
    for i, name in enumerate(names):
        if name not in _DIRECTIVES:
            raise MappingError(f"there is no %{name}; use some of {_known()}")
        before, after = tokens[2 * i], tokens[2 * i + 2]
        pattern += _literal(before) if literal else before
        follows = after == "" and i + 1 < len(names) and names[i + 1] in _DIGITS
        comes_behind = before == "" and i > 0 and names[i - 1] in _DIGITS
        part = _DIRECTIVES[name]
        if name == "S" and "f" in names:
            part = _WHOLE_SECONDS
        if follows or comes_behind:
            part = part.replace("{1,2}", "{2}")
        if literal and (follows or comes_behind) and _of_clock(tokens, names, i):
            part = _may_be_short(part, names[i:], tokens[2 * i + 2 :: 2])
        pattern += part
    pattern += _literal(tokens[-1]) if literal else tokens[-1]
    return Form(re.compile(pattern))


def _of_clock(tokens: list[str], names: list[str], place: int) -> bool:
    """Return whether a directive is one of digits that begin with the hour."""
    while tokens[2 * place] == "" and place > 0 and names[place] in "MS":
        place -= 1
    return names[place] == "H" and (place == 0 or tokens[2 * place] != "")


def _may_be_short(part: str, names: list[str], between: list[str]) -> str:
    """Return a part of a time such as 0517 that was kept as a number, without its first digits."""
    rest = 0
    for name, gap in zip(names[1:], between, strict=False):
        if gap or name not in "MS":
            break
        rest += 2
    part = part.replace("{2}", "{1,2}")
    return part if not rest else rf"(?:{part}(?=[0-9]{{{rest}}}(?![0-9])))?"


def _literal(text: str) -> str:
    return re.sub(r"(?:\\ )+", " +", re.escape(text))


def _known() -> str:
    return " ".join(f"%{name}" for name in (*_DIRECTIVES, *_SAME, *_SHORT))


@lru_cache(maxsize=256)
def compile_format(text: str) -> Form:
    """Return the form that a format describes.

    Raises:
        MappingError: a directive that does not exist or stands twice, or no year.

    >>> compile_format("%d.%m.%Y %H:%M").shape("27.03.2019 10:15").spans["Y"]
    (6, 10)
    """
    try:
        form = _expand(text, literal=True)
    except re.error:
        raise MappingError(f"time_format {text!r}: it has a part twice") from None
    except MappingError as error:
        raise MappingError(f"time_format {text!r}: {error}") from None
    if "%" not in text:
        raise MappingError(
            f"time_format {text!r}: it has no parts such as %Y; of numbers of days it is excel or"
            " days"
        )
    parts = form.pattern.groupindex.keys()
    if not parts & {"Y", "y"} and not {"G", "V"} <= parts:
        raise MappingError(f"time_format {text!r}: it has no year, %Y or %y")
    return form


FORMS: Final = tuple(
    _expand(rf"[ '\[]*{template}[ \]]*", literal=False)  # blanks, Excel's apostrophe, brackets
    for template in (
        # 2019-03-27T10:15:00.123+02:00, 2019-03-27, 2019/3/27 9:15
        rf"%Y(?P<between>[-/.])%m(?P=between)%d{_THEN}",
        # 20190327T101500Z
        rf"%Y%m%d[Tt _-]%H%M(?:%S)?{_ZONE}",
        rf"%Y%m%d[Tt _-]{_TIME}",
        # Wed, 27 Mar 2019 10:15:00 +0000, 27-Mar-2019, 27/Mar/2019:10:15:00 +0000
        rf"(?:%a,? )?%d\.?(?: de)?[ /-]%b,?(?: de)?[ /-]%Y(?:(?: +|, |:){_TIME})?",
        # March 27, 2019 10:15 AM
        rf"(?:%a,? )?%b[ -]+%d,?[ -]%Y{_THEN}",
        # Wed Mar 27 10:15:00 UTC 2019
        rf"(?:%a )?%b +%d {_TIME} %Y",
        # 2019年3月27日 10:15
        rf"%Y年 ?%m月 ?%d日(?: ?{_TIME})?",
        # 2019-Mar-27 10:15
        rf"%Y[ /-]%b[ /-]%d{_THEN}",
    )
)
"""The forms that say themselves what they are: which number is the year, the month and the day."""

EPOCH = re.compile(r"([0-9]{9,19})(?:\.([0-9]+))?")
"""A number since 1970, as text."""

_IN_JSON = re.compile(r"/Date\(([0-9]{9,19})()(?:[+-][0-9]{4})?\)/")
"""The same as .NET writes it into JSON, whatever the zone behind it."""


def epoch_of(text: str) -> re.Match[str] | None:
    """Return the digits of a number since 1970, and those of its fraction; None if it is none.

    >>> epoch_of("/Date(1553644800123)/")[1], epoch_of("1553644800.5")[2]
    ('1553644800123', '5')
    """
    return EPOCH.fullmatch(text) or _IN_JSON.fullmatch(text)


TWO_READINGS: Final = (
    ("%d{0}%m{0}%Y", "%m{0}%d{0}%Y"),
    ("%d{0}%m{0}%y", "%m{0}%d{0}%y", "%y{0}%m{0}%d"),
    ("%d{0}%b{0}%y", "%y{0}%b{0}%d"),
)
"""Dates that other values of their column have to explain; any of `BETWEEN` may be in them."""
BETWEEN: Final = ("/", ".", "-", " ")
DATES: Final = ("%Y%m%d", "%Y-%m", "%Y/%m", "%Y%m%d%H", "%Y%m%d%H%M", "%Y%m%d%H%M%S", "%b %Y",
                "%b-%Y", "%G-W%V-%u", "%G-W%V", "%GW%V", "%Y-%j", "%Y%j", "%Y-%m-%d",
                "%d%b%Y")  # fmt: skip
"""Dates of digits alone, which may be numbers, without a day, of weeks, or days of the year."""
HOURS: Final = "%Y%m%d%H"
"""The one of them whose digits could be seconds since 1970 too."""
CLOCKS: Final = ("%H:%M:%S", "%H:%M", "%I:%M:%S %p", "%I:%M %p", "%I:%M:%S%p", "%I:%M%p",
                 "%H%M%S", "%H%M", "%H.%M.%S", "%H.%M", "%H-%M-%S", "%I.%M.%S %p")  # fmt: skip
"""Times of a day, in a column of their own or behind one of these dates."""


def _days_in_month(year: Any, month: Any) -> Any:
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    return 30 + (month + (month > 7)) % 2 - (month == 2) * (2 - leap)


def _monday_of_week_1(year: Any) -> Any:
    """Return the day that a year of weeks begins with: its week 1 has the 4th of January."""
    fourth = _days_since_1970(year, 1, 4)
    return fourth - (fourth + 3) % 7


def _days_since_1970(year: Any, month: Any, day: Any) -> Any:
    """Days of the Gregorian calendar: years that begin in March put the leap day last."""
    shifted = year - (month < 3)
    day_of_year = (153 * (month + 9 - 12 * (month > 2)) + 2) // 5 + day - 1
    return 365 * shifted + shifted // 4 - shifted // 100 + shifted // 400 + day_of_year - 719_468
