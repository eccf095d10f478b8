"""What may be derived of a field that holds no single number or category."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from driftline.detectors.registry import FeatureType
from driftline.producer.errors import InputError

DerivedKind = Literal["vector", "text"]
"""Types of fields that are watched as what is derived of them: an array of numbers, a text."""

FieldType = Literal[FeatureType, DerivedKind]
FIELD_TYPES: tuple[FieldType, ...] = get_args(FieldType)

CENTROIDS, MOST_CENTROIDS = 16, 200
WORDS, MOST_WORDS = 5_000, 100_000


@dataclass(frozen=True)
class Derive:
    """What to derive of a field.

    Args:
        kind: of its values.
        centroids: of vectors, 2 to 200.
        words: of texts: how many of the most frequent ones are known, 1 to 100,000.

    Raises:
        InputError: a number is out of these bounds.
    """

    kind: DerivedKind
    centroids: int = CENTROIDS
    words: int = WORDS

    def __post_init__(self) -> None:
        """Check the numbers."""
        if not 2 <= self.centroids <= MOST_CENTROIDS:
            raise InputError(f"centroids are 2 to {MOST_CENTROIDS}")
        if not 1 <= self.words <= MOST_WORDS:
            raise InputError(f"words are 1 to {MOST_WORDS:,}")


def derive_of(kind: FieldType | Derive) -> FeatureType | Derive:
    """Return what a type asks to derive; the type itself where it is that of a feature.

    >>> derive_of("numeric"), derive_of("text").words
    ('numeric', 5000)
    """
    if isinstance(kind, Derive):
        return kind
    return Derive(kind) if kind == "vector" or kind == "text" else kind
