"""The counts of one pane of outcomes that is still open."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from driftline.consumer.config import LabelsConfig
from driftline.consumer.join.cells import EXPIRED, EXTRA_CELLS
from driftline.consumer.join.waiting import WaitingColumns
from driftline.consumer.wire.codec import encode, pack_integers
from driftline.consumer.wire.messages import LARGEST_MESSAGE, Pane, StreamCounts
from driftline.consumer.wire.records import most_frequent
from driftline.detectors import OTHER
from driftline.detectors.grid import IntArray
from driftline.detectors.outcomes import OutcomeLayout, OutcomeRows, count_outcomes

_MOST_VERSIONS = 100
_MOST_VERSIONS_OF_SEGMENT = 20


@dataclass(frozen=True)
class OutcomeModel:
    """What the join needs to know of one model; durations in ms.

    Attributes:
        name: the model.
        layout_id: of its reference.
        layout: what is counted of a prediction and its label.
        streams: names of the streams counted: None, the whole model, then ``tag=value``.
        segments: tag to its listed values; their streams, and that of all others, follow one
            another in `streams`.
        every: length of a pane.
        labels: how long a prediction waits for its label, and a label for its prediction; and
            whether a match belongs to the pane in which the label came, or the prediction.
    """

    name: str
    layout_id: str
    layout: OutcomeLayout
    streams: tuple[str | None, ...]
    segments: Mapping[str, tuple[str, ...]]
    every: int
    labels: LabelsConfig
    versions_of_matches: ClassVar[bool] = True
    """Whether versions are those of predictions with their labels, or of all predictions."""

    @property
    def maturity(self) -> int:
        """How long after its end a pane is final, ms."""
        return self.labels.maturity if self.labels.by == "prediction" else 0

    @property
    def size(self) -> int:
        """Cells that `count` fills."""
        return self.layout.size

    def count(self, rows: WaitingColumns) -> IntArray:
        """Count predictions with their labels."""
        predicted = rows.predicted.astype(np.int32)
        some = OutcomeRows(predicted, rows.scores, rows.actual, rows.expected)
        return count_outcomes(self.layout, some)

    def base(self, tag: str) -> int:
        """Return the place of the tag's first value in `streams`."""
        return self.streams.index(f"{tag}={(*self.segments[tag], OTHER)[0]}")

    def start(self, times: IntArray) -> IntArray:
        """Return the start of the pane of each time."""
        return times // self.every * self.every


class OutcomePane:
    """Counts of one (partition of the join, model, pane).

    Attributes:
        model: what is joined.
        start: of the pane, ms since 1970.
        since: smallest time of any row counted, ms since 1970.
    """

    def __init__(self, model: OutcomeModel, start: int, since: int) -> None:
        self.model = model
        self.start = start
        self.since = since
        n = len(model.streams)
        self._events = np.zeros(n, np.int64)
        self._versions: list[dict[str, int]] = [{} for _ in range(n)]
        # By stream, once there is something to count: many panes may be open, most without.
        self._counts: dict[int, IntArray] = {}

    def predict(self, rows: WaitingColumns, names: Sequence[str]) -> None:
        """Count predictions; `names` are those that their version codes stand for."""
        for place, chosen in self._subsets(rows):
            self._events[place] += len(chosen)
            if not self.model.versions_of_matches:
                self._count_versions(place, rows.versions[chosen], names)

    def match(self, rows: WaitingColumns, names: Sequence[str]) -> None:
        """Count predictions with their labels; `names` as above."""
        size = self.model.size
        for place, chosen in self._subsets(rows):
            some, cells = rows.select(chosen), self._cells(place)
            cells[:size] += self.model.count(some)
            cells[size:] += np.bincount(some.delays, minlength=EXTRA_CELLS)
            if self.model.versions_of_matches:
                self._count_versions(place, some.versions, names)

    def _count_versions(self, place: int, codes: NDArray[np.int16], names: Sequence[str]) -> None:
        known = self._versions[place]
        found = zip(*(each.tolist() for each in np.unique(codes, return_counts=True)), strict=True)
        for code, many in found:
            if code:
                known[names[code - 1]] = known.get(names[code - 1], 0) + many

    def _named_versions(self, place: int) -> dict[str, int]:
        """Return the versions of a stream, those beyond the most frequent as one."""
        most = _MOST_VERSIONS_OF_SEGMENT if place else _MOST_VERSIONS
        return dict(sorted(most_frequent(self._versions[place], most).items()))

    def expire(self, rows: WaitingColumns) -> None:
        """Count predictions whose label did not come in time."""
        for place, chosen in self._subsets(rows):
            self._cells(place)[self.model.size + EXPIRED] += len(chosen)

    def messages(self, partition: int, until: int) -> Iterator[Pane]:
        """Yield the pane as messages, as counted up to offset `until`."""
        yield from self._split(0, self.model.size + EXTRA_CELLS, partition, until)

    def _split(self, low: int, high: int, partition: int, until: int) -> Iterator[Pane]:
        """Yield cells `low` to `high` - 1 as one message, or by halves where it is too large."""
        streams = []
        for place, name in enumerate(self.model.streams):
            if self._events[place] or place in self._counts:
                counts = self._cells(place)
                cells = np.flatnonzero(counts[low:high]) + low
                streams.append(
                    StreamCounts(
                        name,
                        int(self._events[place]),
                        {} if low else self._named_versions(place),
                        pack_integers(np.diff(cells, prepend=0)),
                        pack_integers(counts[cells]),
                    )
                )
        model = self.model
        # It is sent once, when it is final, and if again then as it was: so `first` is always 0.
        pane = Pane(
            "joins", partition, model.name, self.start, model.every, model.layout_id,
            0, until, low, high, streams, outcomes=True,
        )  # fmt: skip
        if high - low > 1 and len(encode(pane)) > LARGEST_MESSAGE:
            middle = (low + high) // 2
            yield from self._split(low, middle, partition, until)
            yield from self._split(middle, high, partition, until)
        else:
            yield pane

    def _cells(self, place: int) -> IntArray:
        """Return the counts of a stream: of outcomes, then of delays and of what expired."""
        if place not in self._counts:
            self._counts[place] = np.zeros(self.model.size + EXTRA_CELLS, np.int64)
        return self._counts[place]

    def _subsets(self, rows: WaitingColumns) -> Iterator[tuple[int, IntArray]]:
        """Yield (place in streams, rows that belong to it)."""
        yield 0, np.arange(len(rows.ids))
        for tag, codes in zip(self.model.segments, rows.segments, strict=True):
            base = self.model.base(tag)
            for code in np.unique(codes).tolist():
                yield base + code, np.flatnonzero(codes == code)
