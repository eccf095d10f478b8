"""What the join keeps of one model in the log of states."""

from __future__ import annotations

import msgspec

from driftline.consumer.wire.clock import Heard


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


class JoinState(msgspec.Struct, tag="join"):
    """State of one model in one partition of the log of joins, as of `position`.

    Attributes:
        position: everything before this offset has had its effect (R).
        rewind: where to read from again (O): all rows before that offset are of times before
            `since`.
        since: smallest time of any row that waits, or counts in a pane still open, ms since 1970;
            rows before it are of no use any more. None if none has taken effect.
        topic_id: id of the log of joins; `partitions`: how many it has. Neither may change.
        heard: per source partition (topic, number), what was last heard of it.
        taken: per source partition, the offset up to which its rows had been taken at `rewind`.
        heard_then: per source partition, what was last heard of it at `rewind`.
        closed: every pane that ends there (or by prediction: is mature there) or before is final,
            ms since 1970.
        early: ids (uint64, little-endian) of the labels that wait for their prediction; None if
            they are too many to name. Then labels whose prediction lies before `since` wait too.
        met: `Meetings` of predictions whose label came first, from `since` on; None if they are too
            many to name.
        taken_ids: ids (uint64, little-endian) that rows held at `since` which are gone and decided
            later predictions' fate; `taken_until`: until when (int64, little-endian), ms.
        cut: what expired since then because too many were waiting, newest last.
        lifts: (offset, time): where the clock was lifted, because more rows than may had been read
            before another source has come as far; from `rewind` on.
    """

    position: int
    rewind: int
    topic_id: str = ""
    partitions: int = 0
    since: int | None = None
    heard: list[tuple[str, int, Heard]] = []
    taken: list[tuple[str, int, int]] = []
    heard_then: list[tuple[str, int, Heard]] = []
    closed: int | None = None
    early: bytes | None = b""
    met: bytes | None = b""
    taken_ids: bytes = b""
    taken_until: bytes = b""
    cut: list[Cut] = []
    lifts: list[tuple[int, int]] = []
