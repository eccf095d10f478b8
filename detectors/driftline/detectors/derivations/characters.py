"""What kind of character a code point is, by one frozen table.

The table is that of Unicode 3.2, which every Python carries beside its own: an event is counted
alike whatever Python reads it. What was added to Unicode since 2002, such as emoji and the scripts
of a few languages, counts as `other`.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

CLASSES = ("letters", "digits", "spaces", "punctuation", "other")
"""Every character is of one: the first that `_BY_CATEGORY` names for its general category."""

LETTER = 0
_OTHER = len(CLASSES) - 1
_BY_CATEGORY = {"L": 0, "M": 0, "N": 1, "Z": 2, "P": 3}
_BLANKS = "\t\n\v\f\r"  # Unicode has them as controls
_PLANES = 0x20000  # what is above is looked up by range
_IDEOGRAPHS = ((0x20000, 0x2A6D6), (0x2F800, 0x2FA1D))
_END = 0x30000


class Characters(NamedTuple):
    """Tables by code point; of what lies beyond them the last entry holds.

    Attributes:
        kind: the place in `CLASSES`, uint8.
        alone: whether a letter is a word of its own: of scripts that put no spaces between words,
            Chinese, Japanese, and Korean syllables.
        lower: the code point of its small letter, uint32.
    """

    kind: NDArray[np.uint8]
    alone: NDArray[np.bool_]
    lower: NDArray[np.uint32]


@lru_cache(maxsize=1)
def characters() -> Characters:
    """Return the tables; made when they are first asked for.

    >>> table = characters()
    >>> [CLASSES[table.kind[ord(letter)]] for letter in "a7 ,€"]
    ['letters', 'digits', 'spaces', 'punctuation', 'other']
    >>> bool(table.alone[ord("語")]), chr(table.lower[ord("Ä")])
    (True, 'ä')
    """
    known = unicodedata.ucd_3_2_0
    kind = np.full(_END + 1, _OTHER, np.uint8)
    alone = np.zeros(_END + 1, bool)
    lower = np.arange(_END + 1, dtype=np.uint32)
    for point in range(_PLANES):
        letter = chr(point)
        found = _BY_CATEGORY.get(known.category(letter)[0])
        if found is None:
            continue
        kind[point] = found
        if found == LETTER:
            alone[point] = known.east_asian_width(letter) == "W"
            small = letter.lower()
            if len(small) == 1:
                lower[point] = ord(small)
    for first, last in _IDEOGRAPHS:
        kind[first : last + 1] = LETTER
        alone[first : last + 1] = True
    kind[[ord(blank) for blank in _BLANKS]] = CLASSES.index("spaces")
    return Characters(kind, alone, lower)


def points_of(text: str) -> NDArray[np.uint32]:
    """Return the code points of a text; half a surrogate pair is one too."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4")
