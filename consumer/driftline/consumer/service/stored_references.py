"""References that are read when they are wanted, and held as long as something uses them.

A worker judges some models and counts the events of others. Of what it judges it needs the whole
reference, of what it counts the layout alone, and of all else nothing: so its memory grows with
the models that it judges, not with the configuration.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from driftline.detectors.reference import Reference


class StoredReference:
    """A reference that lies somewhere.

    Args:
        read: reads it whole.
        read_outline: reads its outline (`Reference.outline`), which costs less; None: there is no
            such way.

    Example:
        >>> import numpy as np
        >>> from driftline.detectors.counts import Layout
        >>> from driftline.detectors.reference import ReferenceCounts
        >>> counted = ReferenceCounts((None,), np.zeros((1, 0), np.int64), np.array([5]))
        >>> stored = StoredReference(lambda: Reference("loan", Layout.of([]), counted, {}))
        >>> stored.outline().layout_id == stored.whole().layout_id
        True
    """

    def __init__(
        self,
        read: Callable[[], Reference],
        read_outline: Callable[[], Reference] | None = None,
    ) -> None:
        self._read, self._read_outline = read, read_outline
        self._whole: weakref.ref[Reference] | None = None
        self._outline: Reference | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what was read: another process reads it for itself."""
        return self.__dict__ | {"_whole": None, "_outline": None}

    def whole(self) -> Reference:
        """Return all of it: the one that something here uses, else it is read.

        Raises:
            ReferenceError, MissingExtraError: it cannot be read.
        """
        found = self._living()
        if found is None:
            found = self._read()
            if self._outline is not None:
                found = found.sharing(self._outline)
            self._whole = weakref.ref(found)
        return found

    def outline(self) -> Reference:
        """Return what is counted of it, and maybe more; it is held from then on.

        Raises:
            ReferenceError, MissingExtraError: it cannot be read.
        """
        if self._outline is not None:
            return self._outline
        found = self._living()
        if found is not None:
            return found  # as long as it is used it takes no memory more
        read = self._read_outline
        self._outline = self._read().outline() if read is None else read()
        return self._outline

    def _living(self) -> Reference | None:
        return None if self._whole is None else self._whole()


class References(Mapping[str, Reference]):
    """The references of models by name, each read when it is first wanted.

    Args:
        stored: where those of some models lie.
        others: the references of others.

    Attributes:
        outlines: the same, of which only what is counted is sure to be there.
    """

    def __init__(
        self,
        stored: Mapping[str, StoredReference],
        others: Mapping[str, Reference] | None = None,
    ) -> None:
        self._stored = dict(stored)
        self._others: Mapping[str, Reference] = {} if others is None else others

    @property
    def outlines(self) -> Mapping[str, Reference]:
        """The same, of which only what is counted is sure to be there."""
        return _Outlines(self._stored, outlines(self._others))

    def __getitem__(self, name: str) -> Reference:
        own = self._stored.get(name)
        return self._others[name] if own is None else own.whole()

    def __contains__(self, name: object) -> bool:
        return name in self._stored or name in self._others

    def __iter__(self) -> Iterator[str]:
        return iter({**self._stored, **dict.fromkeys(self._others)})

    def __len__(self) -> int:
        return len(self._stored.keys() | self._others.keys())


class _Outlines(References):
    def __getitem__(self, name: str) -> Reference:
        own = self._stored.get(name)
        return self._others[name] if own is None else own.outline()


def outlines(references: Mapping[str, Reference]) -> Mapping[str, Reference]:
    """Return references of which only what is counted is sure to be there."""
    return references.outlines if isinstance(references, References) else references
