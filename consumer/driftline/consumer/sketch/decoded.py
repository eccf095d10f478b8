"""What decoding a batch gives: the events of each model as columns, and what is no event."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from driftline.consumer.sketch.exact import Lack
from driftline.consumer.sketch.failures import Failures
from driftline.consumer.wire.join_rows import IdArray
from driftline.consumer.wire.kinds import Reason
from driftline.consumer.wire.samples import short
from driftline.detectors.counts import CodeArray, Columns
from driftline.detectors.grid import IntArray


@dataclass(frozen=True)
class Rejected:
    """A value that goes to the dead letters.

    Attributes:
        index: its place in the batch.
        reason: why, of the closed set.
        detail: what is wrong; at most 256 characters, no value of the record.
        lack: what the record has nothing of, if that is what is wrong.
        model: the model whose event it is; None where that is not known.
    """

    index: int
    reason: Reason
    detail: str
    lack: Lack | None = None
    model: str | None = None


@dataclass(frozen=True)
class NewFields:
    """Fields that the reference does not list, in the events of one model.

    Attributes:
        names: of the fields.
        rows: int64 (m,): places of events that hold one, each with
        codes: int64 (m,): the place of its name.
    """

    names: Sequence[str] = ()
    rows: IntArray = field(default_factory=lambda: np.zeros(0, np.int64))
    codes: IntArray = field(default_factory=lambda: np.zeros(0, np.int64))

    @classmethod
    def of(cls, found: Sequence[tuple[IntArray, str]], index: IntArray) -> NewFields:
        """Return what was `found`, names with places in a batch, in the events at `index`.

        >>> found = [(np.array([3, 5]), "a"), (np.array([5]), "b"), (np.array([3]), "a")]
        >>> NewFields.of(found, np.array([2, 3])).count(np.array([0, 1]))
        {'a': 1}
        """
        if not found or not index.size:
            return cls()
        texts = [short(name) for _, name in found]
        names = {text: code for code, text in enumerate(dict.fromkeys(texts))}
        places = np.concatenate([held for held, _ in found])
        codes = np.repeat([names[text] for text in texts], [len(held) for held, _ in found])
        rows = np.minimum(np.searchsorted(index, places), len(index) - 1)
        here = index[rows] == places
        once = np.unique(rows[here] * len(names) + codes[here])
        return cls([*names], *np.divmod(once, len(names)))

    def count(self, chosen: IntArray) -> dict[str, int]:
        """Return how many of the events at the places `chosen`, ascending, hold each field."""
        if not self.rows.size or not chosen.size:
            return {}
        near = np.minimum(np.searchsorted(chosen, self.rows), len(chosen) - 1)
        held = self.codes[chosen[near] == self.rows]
        counts = np.bincount(held, minlength=len(self.names)).tolist()
        return {name: n for name, n in zip(self.names, counts, strict=True) if n}


@dataclass(frozen=True)
class LaterRows:
    """The events of one model in a batch, as a later version of it reads them.

    Attributes:
        rows: as columns; None where there are none.
        names: what their version codes stand for.
    """

    rows: ModelRows | None
    names: Sequence[str]


@dataclass(frozen=True)
class TagCodes:
    """The tags of n events.

    Attributes:
        segments: tag to int32 (n,): place of its value among the listed ones; their number for
            any other value, and for none.
        releases: tag to int32 (n,): codes of its values, -1 for none, and the names of the codes.
    """

    segments: dict[str, CodeArray]
    releases: dict[str, tuple[CodeArray, list[str]]] = field(default_factory=dict)


@dataclass
class ModelRows:
    """The events of one model in a batch, n of them.

    Attributes:
        index: int64 (n,): places in the batch, ascending.
        times: int64 (n,): event times, ms since 1970.
        columns: the features, in the order of the model's layout.
        versions: int32 (n,): codes into `Decoder.version_names[model]`, -1 for none.
        tags: codes of the tags' values.
        ids: uint64 (n,): hashes of the events' ids, 0 for none; None where they are not read.
        new: which of them hold which fields that the reference does not list.
        values: reads some of the rows, by their places here, whole: what their features hold, also
            those that the layout does not have. None where nobody asks.
    """

    index: IntArray
    times: IntArray
    columns: Columns
    versions: CodeArray
    tags: TagCodes
    ids: IdArray | None = None
    new: NewFields = field(default_factory=NewFields)
    values: Callable[[IntArray], list[dict[str, Any]]] | None = None
    later: dict[int, LaterRows] = field(init=False, default_factory=dict)

    @property
    def segments(self) -> dict[str, CodeArray]:
        """The codes of tags that are counted apart, see `TagCodes`."""
        return self.tags.segments

    def select(self, chosen: NDArray[np.bool_]) -> ModelRows:
        """Return some of the rows, without what is read of them whole."""
        return ModelRows(
            self.index[chosen],
            self.times[chosen],
            self.columns.take(np.flatnonzero(chosen)),
            self.versions[chosen],
            TagCodes({tag: codes[chosen] for tag, codes in self.segments.items()}),
            None if self.ids is None else self.ids[chosen],
        )


@dataclass
class Decoded:
    """A batch: every value is in one place, so the five counts add up to the values read.

    Attributes:
        models: model to its rows; models without any are not here.
        rejected: values for the dead letters, in the batch's order.
        tombstones: values that are null.
        unknown_model: events of models that are not watched.
        unread: events of models that failed, now or before.
        failed: models whose events raised an unexpected error; none of theirs is in `models`.
    """

    models: dict[str, ModelRows] = field(default_factory=dict)
    rejected: list[Rejected] = field(default_factory=list)
    tombstones: int = 0
    unknown_model: int = 0
    unread: int = 0
    failed: Failures = field(default_factory=Failures)

    def refuse(
        self,
        index: int,
        reason: Reason,
        detail: str,
        lack: Lack | None = None,
        model: str | None = None,
    ) -> None:
        """Add a value for the dead letters."""
        self.rejected.append(Rejected(index, reason, detail[:256], lack, model))
