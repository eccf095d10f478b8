r"""Quotes inside of quotes that are written `\"`, as Spark and MySQL do, read as `""`."""

from __future__ import annotations

import csv
import io
import re
from contextlib import suppress
from itertools import islice

_ESCAPED = re.compile(r'(?<!\\)((?:\\\\)*)\\"')
_INSIDE = re.compile(r'"[^"\r\n]*(?<!\\)(?:\\\\)*\\"[^,;\t|\r\n]')
_SEPARATORS = ",;\t|"
_ROWS = 50


def is_escaped(text: str) -> bool:
    r"""Return whether quotes inside of quotes are written so: only then all rows fit.

    >>> is_escaped('a,b\n1,"5\\" or, 6\\""\n2,x\n'), is_escaped('a,b\n1,"C:\\"\n')
    (True, False)
    """
    if _INSIDE.search(text) is None:
        return False
    with suppress(csv.Error):
        return any(_same_width(unescaped(text), separator) for separator in _SEPARATORS)
    return False


def _same_width(text: str, separator: str) -> bool:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    header, *widths = map(len, islice(reader, _ROWS))
    whole = widths if len(widths) == _ROWS - 1 else widths[: max(1, len(widths) - 1)]
    width = whole[0] if whole else header
    if width < 2 or len(set(whole)) > 1:
        return False
    # The header has one less where rows end with a separator, or begin with their names.
    return header == width or (header == width - 1 and widths.count(width) > 1)


def unescaped(text: str) -> str:
    r"""Return a text with its quotes written twice.

    >>> unescaped('"5\\" pipe"'), unescaped('"C:\\\\"')
    ('"5"" pipe"', '"C:\\\\"')
    """
    return _ESCAPED.sub(r'\1""', text) if "\\" in text else text


class Unescaped(io.TextIOWrapper):
    """A text whose quotes are written twice, whatever its pieces."""

    def read(self, size: int | None = -1, /) -> str:
        """Return some characters, one more where the last may belong to a quote."""
        text = super().read(size)
        while text.endswith("\\") and (more := super().read(1)):
            text += more
        return unescaped(text)

    def readline(self, size: int = -1, /) -> str:  # type: ignore[override]  # as io documents it
        """Return a line."""
        return unescaped(super().readline(size))
