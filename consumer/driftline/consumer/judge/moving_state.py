"""What is kept of a stream whose own past is normal: its counts, in stretches of event time."""

from __future__ import annotations

import msgspec


class Sparse(msgspec.Struct, array_like=True):
    """Flat counts: the gaps between successive places above 0, and what stands there, packed."""

    gaps: bytes
    counts: bytes


class Chunk(msgspec.Struct, array_like=True):
    """The counts of one stretch of event time, per stream of the model.

    Attributes:
        number: its start over the length of a stretch.
        events: of each stream.
        learnt: counts of each that may be normal.
        held: counts of features while an alert on them was open.
        left: places of the features of which nothing was learnt.
    """

    number: int
    events: list[int]
    learnt: list[Sparse]
    held: list[Sparse]
    left: list[int]


class MovingState(msgspec.Struct):
    """What else is kept.

    Attributes:
        key: of the reference, the streams and the length of a stretch that the counts are of.
        first: start of the first pane that was learnt, ms.
        number: of the stretch in which what is normal was made last.
        start: of the first pane that is compared with it, ms.
        open: features with an open alert, and since when, ms.
    """

    key: str
    first: int
    number: int
    start: int
    open: dict[str, int] = {}
