r"""Numbers that are written as text, and what is written where there is no value.

A number is what a program writes: `-1.5`, `1e3`. Numbers with leading zeros (`00501`) or of 19
digits and more are names, not quantities. In tables there are also decimal commas, separators of
thousands, signs of currencies and of percent; which of them a column has, all its values say.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

NEARLY_ALL: Final = 0.95
"""The share of a column's values that have to be numbers for it to be one of numbers."""

MARKS: Final = ("NA", "N/A", "null", "NULL", r"\N", "?", "nan", "-")
"""What stands for no value in a column that is otherwise numbers, booleans or times."""

TEXT_MARK: Final = r"\N"
"""What stands for no value in every column, beside the empty cell."""

LEADING_ZERO: Final = re.compile(r"\n\s*[+-]?0[0-9]")
"""In texts that are joined by line breaks: one is a name, not a number."""

EXACT: Final = 2.0**53
"""Below it a double holds every whole number."""

_CLASSES = 20
_LOWER_MARKS = frozenset(
    (
        *(*map(str.lower, MARKS), "", "none", "nat", "n.a.", "<na>", "(null)", "<null>", "--", "."),
        # of spreadsheets and statistics, in English, German, Spanish, Italian and Portuguese
        *("#n/a", "#na", "#n/a n/a", "#nv", "#n/v", "#n/d", "k.a.", "k. a.", "s/d", "n.d.", "n/d"),
        *("-nan", "1.#qnan", "-1.#ind", "1.#ind"),
    )
)
_INTEGER = re.compile(r"[+-]?(?:0|[1-9][0-9]{0,17})")
_DECIMAL = re.compile(
    r"[+-]?(?:(?:0|[1-9][0-9]*)\.[0-9]*|\.[0-9]+|(?:0|[1-9][0-9]*)(?=[eE]))(?:[eE][+-]?[0-9]+)?"
)
_NOT_FINITE = re.compile(r"[+-]?inf(?:inity)?", re.IGNORECASE)

_CURRENCY = (
    r"(?:[A-Z]{0,2}\$|[$€£¥₹₽₺₩₪₫₴₦₱฿₡₲₵₸₼₾₿]"
    r"|USD|EUR|GBP|CHF|JPY|INR|CNY|BRL|MXN|CAD|AUD|NZD|SEK|NOK|DKK|PLN|CZK|HUF|RON|TRY|RUB|ZAR|SGD|HKD|KRW"
    r"|kr\.?|zł|Kč|Ft|lei|Fr\.|Rs\.?|руб\.?)"
)
_SPACE = " \u00a0\u2007\u2009\u202f"
_APOSTROPHE = "'\u2019"
_SIGN = "[+\u2212-]?"
_WRITTEN = re.compile(
    rf"(?P<open>\(?)(?P<sign>{_SIGN}){_CURRENCY}?[{_SPACE}]?(?P<sign2>{_SIGN})"
    rf"(?P<digits>[0-9.,](?:[0-9.,{_APOSTROPHE}{_SPACE}]*[0-9])?)(?P<exponent>(?:[eE][+-]?[0-9]+)?)"
    rf"(?P<sign3>[\u2212-]?)[{_SPACE}]?{_CURRENCY}?(?P<percent>[%\uff05]?)(?P<close>\)?)"
)
_DIGITS = {
    decimal: re.compile(
        rf"(?:0|[1-9][0-9]*|[1-9][0-9]{{0,2}}(?:[{group}{_APOSTROPHE}{_SPACE}][0-9]{{3}})+"
        rf"{lakh}|(?=[{decimal}]))(?:[{decimal}][0-9]+)?"
    )
    for decimal, group, lakh in (
        (".", ",", "|[1-9][0-9]?(?:,[0-9]{2})+,[0-9]{3}"),  # 12,34,567.00, as in India
        (",", ".", ""),
    )
}
_GROUPS = re.compile(r"[^0-9]")
_OTHER_SIGNS = {0x066B: ".", 0x066C: ",", 0xFF0E: ".", 0xFF0C: ",", 0xFF0D: "-"}


def is_mark(text: str) -> bool:
    """Return whether a text stands for no value, in any case of its letters.

    >>> [is_mark(text) for text in ("", "NA", "n/a", "NaN", "0")]
    [True, True, True, True, False]
    """
    return text.strip().lower() in _LOWER_MARKS


def plain_number(text: str) -> int | float | None:
    """Return the number that a program wrote as text, None if it is none.

    >>> [plain_number(text) for text in ("3", " 2.5 ", "1e3", "-inf", "007", "1,5", "")]
    [3, 2.5, 1000.0, -inf, None, None, None]
    """
    text = text.strip()
    if _INTEGER.fullmatch(text):
        return int(text)
    if _DECIMAL.fullmatch(text) or _NOT_FINITE.fullmatch(text):
        return float(text)
    return None


@dataclass(frozen=True)
class NumberStyle:
    """How people write the numbers of one column, with or without the sign of a currency.

    Attributes:
        decimal: the sign before the decimals.
        percent: whether every number is followed by a percent sign.

    >>> NumberStyle(",").read("1.234,50 €"), NumberStyle(".", percent=True).read("12.5%")
    (1234.5, 0.125)
    >>> NumberStyle(".").read("($1,234.50)")
    -1234.5
    >>> NumberStyle(",").read("1.234,50-"), NumberStyle(".").read("12,34,567.00")
    (-1234.5, 1234567.0)
    >>> NumberStyle(",").read("1.5") is None
    True
    """

    decimal: str
    percent: bool = False

    def read(self, text: str) -> float | None:
        """Return the number, None if the text is none in this style."""
        written = _WRITTEN.fullmatch(_in_ascii_digits(text.strip()))
        if written is None or bool(written["percent"]) != self.percent:
            return None
        digits = written["digits"]
        if not _DIGITS[self.decimal].fullmatch(digits):
            return None
        whole, _, rest = digits.partition(self.decimal)
        signs = written["sign"] + written["sign2"] + written["sign3"]  # 1.234,50- is SAP's
        around = written["open"] + written["close"]
        if around and (around != "()" or signs):  # what bookkeepers write for a minus
            return None
        sign = "-" if around or signs in ("-", "\u2212") else ""
        power = int(written["exponent"][1:] or "0") - (2 if self.percent else 0)
        number = float(f"{sign}{_GROUPS.sub('', whole)}.{rest}{f'e{power}' if power else ''}")
        return number if len(signs) < 2 else None

    @property
    def said(self) -> str:
        """The style in words."""
        comma = "a decimal comma" if self.decimal == "," else "a decimal point"
        return f"{comma}, per cent as 0.01" if self.percent else comma


def _in_ascii_digits(text: str) -> str:
    """Return a text with Arabic, fullwidth and other digits and their signs as 0 to 9."""
    if text.isascii():
        return text
    return "".join(
        str(unicodedata.decimal(each)) if each.isdecimal() else each
        for each in text.translate(_OTHER_SIGNS)
    )


def style_of(texts: Mapping[str, int], comma: bool) -> tuple[NumberStyle, float] | None:
    """Return how the numbers in a column are written, and the share of texts that are numbers.

    Of per cent there have to be more than 20 different ones: `10%`, `20%` ... are classes.

    Args:
        texts: how often each text is there; those that stand for no value say nothing.
        comma: whether a decimal comma is likelier where both are possible, as in `1,234`.

    Returns:
        None unless nearly all are numbers in one style.

    >>> style_of({"1,5": 90, "2": 9, "": 50, "low": 1}, False)
    (NumberStyle(decimal=',', percent=False), 0.99)
    """
    values = {text: times for text, times in texts.items() if not is_mark(text)}
    total = sum(values.values())
    percents = (False, True) if len(values) > _CLASSES else (False,)
    best: tuple[float, bool, NumberStyle] | None = None
    for decimal in ".,":
        for percent in percents:
            style = NumberStyle(decimal, percent)
            read = [text for text in values if style.read(text) is not None]
            fit = sum(values[text] for text in read)
            if all(text.strip().startswith("(") for text in read):
                fit = 0  # (1), (2) ... are names
            likelier = (decimal == ",") == comma
            if total and (best is None or (fit / total, likelier) > best[:2]):
                best = (fit / total, likelier, style)
    return None if best is None or best[0] < NEARLY_ALL else (best[2], best[0])
