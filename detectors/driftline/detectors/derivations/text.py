"""A text as numbers: its length, the share of words that are new, and what characters it is of.

Nothing of it depends on a language: a word is a run of letters between other characters, in small
letters; of scripts without spaces each character. The words that the reference knows are kept as
hashes of 64 bits, so no text of a user stands in it.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Literal, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from driftline.detectors.derivations.characters import CLASSES, LETTER, characters, points_of
from driftline.detectors.derivations.hashing import mixed
from driftline.detectors.grid import FloatArray, IntArray
from driftline.detectors.registry import FeatureType

Hashes = NDArray[np.uint64]

LENGTH, UNSEEN = 0, 1
_SEPARATOR = len(CLASSES)


@dataclass(frozen=True, eq=False)
class TextDerivation:
    """The features of a text.

    Attributes:
        source: the field of the events that holds the text.
        features: names of what it gives, as `PARTS` has them.
        words: hashes of the words that are known, ascending, uint64.

    Example:
        >>> words = word_hashes(["A known word"]).hashes
        >>> text = TextDerivation.of("note", np.unique(words))
        >>> text.derive(["a KNOWN phrase: 42!", ""]).round(2).T.tolist()
        [[19.0, 0.33, 0.63, 0.11, 0.16, 0.11, 0.0], [0.0, nan, nan, nan, nan, nan, nan]]
    """

    source: str
    features: tuple[str, ...]
    words: Hashes

    kind: ClassVar[Literal["text"]] = "text"
    PARTS: ClassVar[tuple[str, ...]] = ("length", "unseen_words", *CLASSES)

    @classmethod
    def of(cls, source: str, words: Hashes) -> Self:
        """Return the derivation of a field, with the names that its features usually have."""
        return cls(source, tuple(f"{source}.{part}" for part in cls.PARTS), words)

    @property
    def holds(self) -> str:
        """What the field holds, in words."""
        return "text"

    @cached_property
    def types(self) -> tuple[FeatureType, ...]:
        """The type of each feature."""
        return tuple("numeric" for _ in self.features)

    def categories(self, part: int) -> tuple[str, ...]:
        """Return the categories of a feature; numbers have none."""
        del part
        return ()

    def derive(self, texts: Sequence[str]) -> FloatArray:
        """Return the features of texts.

        Returns:
            Shape (features, n). The length is in characters (code points); all others are shares,
            0 to 1, NaN where there is no word or no character.
        """
        found = np.full((len(self.features), len(texts)), np.nan)
        if not len(texts):
            return found
        read = word_hashes(texts)
        found[LENGTH] = read.kinds.sum(axis=1)
        words = np.bincount(read.owner, minlength=len(texts))
        unseen = np.bincount(read.owner[~self._knows(read.hashes)], minlength=len(texts))
        np.divide(unseen, words, out=found[UNSEEN], where=words > 0)
        shares = found[UNSEEN + 1 :]
        np.divide(read.kinds.T, found[LENGTH], out=shares, where=found[LENGTH] > 0)
        return found

    def _knows(self, hashes: Hashes) -> NDArray[np.bool_]:
        if not self.words.size:
            return np.zeros(hashes.size, bool)
        near = np.minimum(np.searchsorted(self.words, hashes), self.words.size - 1)
        found: NDArray[np.bool_] = self.words[near] == hashes
        return found

    def to_json(self) -> dict[str, Any]:
        """Return it as a part of the reference file."""
        packed = base64.b64encode(self.words.astype("<u8").tobytes()).decode()
        return {
            "kind": self.kind,
            "source": self.source,
            "features": list(self.features),
            "words": packed,
        }

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Self:
        """Read what `to_json` wrote.

        Raises:
            ValueError: it is of another form.
        """
        words = np.frombuffer(base64.b64decode(document["words"], validate=True), "<u8")
        features = tuple(document["features"])
        if len(features) != len(cls.PARTS) or (words[1:] <= words[:-1]).any():
            raise ValueError("no features of a text")
        return cls(document["source"], features, words.astype(np.uint64))


class TextsRead(NamedTuple):
    """What texts consist of.

    Attributes:
        kinds: characters of each text by class, shape (n, classes).
        owner: the text of each word, ascending.
        hashes: of each word.
    """

    kinds: IntArray
    owner: IntArray
    hashes: Hashes


def word_hashes(texts: Sequence[str]) -> TextsRead:
    """Take texts, at least one, apart.

    >>> read = word_hashes(["One, two", "ONE"])
    >>> read.owner.tolist(), bool(read.hashes[0] == read.hashes[2])
    ([0, 0, 1], True)
    """
    table = characters()
    # The separator is a blank, so no word goes on in the next text.
    points = np.minimum(points_of("\n".join([*texts, ""])), table.kind.size - 1)
    sizes = np.fromiter(map(len, texts), np.int64, len(texts))
    owner = np.repeat(np.arange(len(texts)), sizes + 1)
    kind = table.kind[points]
    letter = kind == LETTER
    kind[np.cumsum(sizes + 1) - 1] = _SEPARATOR
    cells = np.bincount(owner * (_SEPARATOR + 1) + kind, minlength=len(texts) * (_SEPARATOR + 1))
    kinds = cells.reshape(len(texts), -1)[:, :_SEPARATOR]
    alone = table.alone[points]
    goes_on = np.zeros(points.size, bool)
    goes_on[1:] = letter[:-1] & ~alone[:-1]
    begins = letter & ~(goes_on & ~alone)
    at = np.flatnonzero(letter)
    first = np.flatnonzero(begins[at])
    if not first.size:
        return TextsRead(kinds, np.zeros(0, np.int64), np.zeros(0, np.uint64))
    lengths = np.diff(first, append=at.size)
    place = np.arange(at.size) - np.repeat(first, lengths)
    # A letter at its place is mixed well, so that the sum over a word is one of 2^64.
    letters = table.lower[points[at]].astype(np.uint64) | (place.astype(np.uint64) << np.uint64(32))
    return TextsRead(kinds, owner[at[first]], np.add.reduceat(mixed(letters), first))
