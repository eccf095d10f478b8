"""What is at hand of one pane: a sum of parts, and those that may still grow or be replaced."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from msgspec.structs import replace

from driftline.consumer.judge.windows.pane_sum import PaneSum, add_packed
from driftline.consumer.wire.clock import Source
from driftline.consumer.wire.messages import Pane
from driftline.detectors.grid import IntArray


@dataclass
class Part:
    """The count of one (source, partition, first): whole, or in pieces by flat position."""

    until: int
    layout: str
    length: int
    pieces: dict[int, Pane] = field(default_factory=dict)
    lasting: bool = False  # whether it stays apart
    added: bool = False  # whether it came added up with those of other partitions
    void: bool = False  # whether it stands for a part that was counted in two ways

    def add_to(self, total: IntArray, stream: str | None, sign: int) -> None:
        """Add its counts of a stream to flat ones, `sign` (1 or -1) times.

        Raises:
            RecordError: they do not fit the layout.
        """
        for piece in self.pieces.values():
            for counts in piece.streams:
                if counts.stream == stream:
                    add_packed(total, (counts.indexes, counts.counts), sign)


@dataclass
class HeldPane:
    """What is at hand of one pane: a sum of parts, and the others by source and first offset."""

    offset: int  # smallest offset of a message of it in the log of panes
    sum: PaneSum | None = None
    apart: dict[Source, dict[int, Part]] = field(default_factory=dict)
    added: bool = False  # whether parts that were added up before they came are in the sum

    @property
    def parts(self) -> Iterator[Part]:
        """The parts that are kept apart."""
        return (part for parts in self.apart.values() for part in parts.values())

    @property
    def firsts(self) -> Iterator[Pane]:
        """The first pieces of these: they alone have what is not counts."""
        return (part.pieces[0] for part in self.parts if 0 in part.pieces)

    def forget(self, source: Source, first: int) -> None:
        """Keep a part apart no more, if it is."""
        parts = self.apart.get(source, {})
        parts.pop(first, None)
        if not parts:
            self.apart.pop(source, None)


def uncounted(pane: Pane) -> Pane:
    """Return a pane of another layout without its counts, which cannot be added."""
    streams = [replace(each, indexes=b"", counts=b"") for each in pane.streams]
    return replace(pane, streams=streams)
