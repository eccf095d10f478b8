"""What the join keeps of one model in the log of states."""

from __future__ import annotations

import msgspec

from driftline.consumer.wire.clock import SourceProgress


class Cut(msgspec.Struct, frozen=True, array_like=True):
    """What expired because too many were waiting; times in ms since 1970.

    Attributes:
        at: when.
        up_to: the largest time of the rows that went.
        early: only labels that were waiting for their prediction.
    """

    at: int
    up_to: int
    early: bool = False


_IN_RECORDS = {
    "sources": "heard",
    "sources_at_rewind": "heard_then",
    "positions": "taken",
    "reserved_ids": "taken_ids",
    "reserved_until": "taken_until",
}


class JoinState(msgspec.Struct, tag="join", rename=_IN_RECORDS):
    """State of one model in one partition of the log of joins, as of `position`.

    Attributes:
        position: everything before this offset has had its effect (R).
        rewind: where to read from again (O): all rows before that offset are of times before
            `since`.
        since: smallest time of any row that waits, or counts in a pane still open, ms since 1970;
            rows before it have no use any more. None if none was matched yet.
        topic_id: id of the log of joins; `partitions`: how many it has. Neither may change.
        sources: per source partition (topic, number), its progress as last known.
        positions: per source partition, the offset up to which its rows had been read at `rewind`.
        sources_at_rewind: per source partition, its progress as known at `rewind`.
        closed: every pane that ends there (or by prediction: is mature there) or before is final,
            ms since 1970.
        early: ids (uint64, little-endian) of the labels that wait for their prediction; None if
            they are too many to name. Then labels whose prediction lies before `since` wait too.
        met: `EarlyMatches` of predictions whose label came first, from `since` on; None if they are
            too many to name.
        reserved_ids: ids (uint64, little-endian) that are reserved at `since` for rows that were
            dropped (`ReservedIds`); `reserved_until`: until when, ms (int64, as above).
        cut: what expired since then because too many were waiting, newest last.
        lifts: (offset, time): where the clock was lifted, because too many rows had been read ahead
            of the slowest source; from `rewind` on.
        life: of an applied model, from which time on (ms) it has rows: 0 until it is removed.
    """

    position: int
    rewind: int
    topic_id: str = ""
    partitions: int = 0
    since: int | None = None
    sources: list[tuple[str, int, SourceProgress]] = []
    positions: list[tuple[str, int, int]] = []
    sources_at_rewind: list[tuple[str, int, SourceProgress]] = []
    closed: int | None = None
    early: bytes | None = b""
    met: bytes | None = b""
    reserved_ids: bytes = b""
    reserved_until: bytes = b""
    cut: list[Cut] = []
    lifts: list[tuple[int, int]] = []
    life: int | msgspec.UnsetType = msgspec.UNSET
