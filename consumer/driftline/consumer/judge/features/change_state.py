"""What is kept of the evidence on a stream: arrays as bytes, little-endian."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from driftline.detectors.grid import IntArray
from driftline.detectors.sequential.evidence import EvidenceState, Gains
from driftline.detectors.sequential.group import CellState, GroupState
from driftline.detectors.sequential.stream import StreamState
from driftline.detectors.sequential.variation import PaneVariation
from driftline.errors import RecordError

_Kind = TypeVar("_Kind", bound=np.generic)

# Figures; events of a few panes; events since the reference, which a busy topic soon has more of
# than four bytes hold, and numbers of panes.
_REAL, _WHOLE, _LARGE, _EXACT = "<f4", "<i4", "<i8", "<f8"
FORMAT = 2
"""Of the bytes: what is kept in another one is not read."""
_VARIATION = ("panes", "events", "squares", "products", "last")


class StreamChanges(msgspec.Struct, array_like=True):
    """Evidence on one stream.

    Attributes:
        stream: its segment, empty for the whole model.
        key: of the reference, the panes and the features that it is about.
        groups: of features that are tested together, see `pack`.
        past: phi as it was, see `PastPhi`.
    """

    stream: str
    key: str
    groups: list[bytes] = []
    past: bytes = b""


def pack(state: StreamState) -> list[bytes]:
    """Return the state's groups as bytes."""
    return [
        b"".join(np.ascontiguousarray(array, dtype).tobytes() for array, dtype in _arrays(group))
        + group.number.to_bytes(8, "little", signed=True)
        + (b"" if group.season is None else _pack_cells(group.season))
        for group in state.groups
    ]


def unpack(groups: Sequence[bytes], like: StreamState) -> StreamState:
    """Read what `pack` wrote.

    Args:
        groups: of a stream.
        like: a state of the same shapes.

    Raises:
        RecordError: the bytes are of other shapes.
    """
    if len(groups) != len(like.groups):
        raise RecordError("the state of a stream has other features than its key says")
    return StreamState([_group(data, one) for data, one in zip(groups, like.groups, strict=True)])


def _group(data: bytes, like: GroupState) -> GroupState:
    at = 0

    def read(array: NDArray[_Kind], dtype: str) -> NDArray[_Kind]:
        nonlocal at
        size = array.size * np.dtype(dtype).itemsize
        if at + size > len(data):
            raise RecordError("the state of a stream is too short")
        found = np.frombuffer(data, dtype, array.size, at).reshape(array.shape)
        at += size
        return found.astype(array.dtype)

    def read_gains(gains: Gains) -> Gains:
        evidence, gained = read(gains.evidence, _REAL), read(gains.gained, _REAL)
        return Gains(evidence, gained, read(gains.began, _LARGE))

    own = like.evidence
    evidence = EvidenceState(
        added=read(own.added, _EXACT if like.fitted else _LARGE),
        learnt=read(own.learnt, _REAL),
        waiting=read(own.waiting, _waiting(like)),
        alternatives=read_gains(own.alternatives),
        learners=read_gains(own.learners),
        panes=read(own.panes, _WHOLE),
    )
    variation = PaneVariation(like.variation.panes.size)
    for name in _VARIATION:
        setattr(variation, name, read(getattr(like.variation, name), _REAL))
    opened, none = read(like.open, _WHOLE), read(like.none, _WHOLE)
    number = int.from_bytes(data[at : at + 8], "little", signed=True)
    season = None
    if like.season is not None:
        season = _unpack_cells(data[at + 8 :], like.season)
    return GroupState(evidence, variation, opened, none, number, season, like.fitted)


def _pack_cells(season: CellState) -> bytes:
    """Return counts in two bytes each, those that need more listed behind them.

    Behind them the open panes: of each cell its number, all events, and those of each bin.
    """
    counts = season.added.reshape(-1)
    large = np.flatnonzero(counts >> 16)
    parts = [
        (counts & 0xFFFF).astype("<u2"),
        np.array([large.size, len(season.open)], _WHOLE),
        large.astype(_WHOLE),
        counts[large].astype(_LARGE),
    ]
    for cell, (events, all_events) in sorted(season.open.items()):
        parts += [np.array([cell, all_events], _LARGE), events.astype(_WHOLE)]
    return b"".join(part.tobytes() for part in parts)


def _unpack_cells(data: bytes, like: CellState) -> CellState:
    at = 0

    def read(size: int, dtype: str) -> IntArray:
        nonlocal at
        begin, at = at, at + size * np.dtype(dtype).itemsize
        if at > len(data):
            raise RecordError("the state of a stream is too short")
        return np.frombuffer(data, dtype, size, begin).astype(np.int64)

    counts = read(like.added.size, "<u2")
    large, opened = read(2, _WHOLE).tolist()
    where = read(large, _WHOLE)
    counts[where] = read(large, _LARGE)
    season = CellState(np.reshape(counts, like.added.shape))
    for _ in range(opened):
        cell, events = read(2, _LARGE).tolist()
        season.open[cell] = read(like.added.shape[1], _WHOLE).astype(np.float64), float(events)
    return season


def _waiting(group: GroupState) -> str:
    return _WHOLE if group.season is None and not group.fitted else _REAL


def _arrays(group: GroupState) -> list[tuple[NDArray[np.generic], str]]:
    own = group.evidence
    gains: list[tuple[NDArray[np.generic], str]] = []
    for each in (own.alternatives, own.learners):
        gains += [(each.evidence, _REAL), (each.gained, _REAL), (each.began, _LARGE)]
    return [
        (own.added, _EXACT if group.fitted else _LARGE),
        (own.learnt, _REAL),
        (own.waiting, _waiting(group)),
        *gains,
        (own.panes, _WHOLE),
        *((getattr(group.variation, name), _REAL) for name in _VARIATION),
        (group.open, _WHOLE),
        (group.none, _WHOLE),
    ]
