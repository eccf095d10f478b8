"""What texts of a source's values stand for: one object that its mapping holds."""

from __future__ import annotations

from dataclasses import dataclass

from driftline.producer.errors import MappingError

_TRUTHS = ("false", "true")


@dataclass(frozen=True)
class TextForm:
    """What texts stand for, in features, predictions, ground truth and tags.

    Args:
        missing: texts that stand for no value, as they are written. A category or class that the
            reference lists is never one.
        coerce: whether texts are numbers where the reference has numbers, and 0 or 1 where it has
            booleans. There the marks of `number_text` stand for no value too.

    Raises:
        MappingError: a mark that is a value of every boolean.

    >>> TextForm(missing=("unknown",)).marks
    frozenset({'unknown'})
    """

    missing: tuple[str, ...] = ()
    coerce: bool = False

    def __post_init__(self) -> None:
        """Refuse marks that could not be told from values."""
        for text in _TRUTHS:
            if text in self.missing:
                raise MappingError(f"missing: {text} is a value of booleans; leave it out")

    @property
    def marks(self) -> frozenset[str]:
        """The texts that stand for no value."""
        return frozenset(self.missing)


AS_WRITTEN = TextForm()
"""Texts where nothing is configured: each is itself."""
