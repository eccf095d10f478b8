"""What is kept of the evidence on a stream: arrays as bytes, little-endian."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

import msgspec
import numpy as np
from numpy.typing import NDArray

from driftline.detectors.sequential.evidence import EvidenceState
from driftline.detectors.sequential.stream import GroupState, StreamState
from driftline.detectors.sequential.variation import PaneVariation
from driftline.errors import RecordError

_REAL, _WHOLE, _LARGE = "<f4", "<i4", "<i8"
# Of each array: whether it holds numbers of panes, events, or rounded figures.
_EVIDENCE = {
    "added": _WHOLE, "waiting": _WHOLE, "panes": _WHOLE, "began": _LARGE, "learners_began": _LARGE,
}  # fmt: skip
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
    found: list[NDArray[np.generic]] = []
    at = 0
    for array, dtype in _arrays(like):
        size = array.size * np.dtype(dtype).itemsize
        if at + size > len(data):
            raise RecordError("the state of a stream is too short")
        read = np.frombuffer(data, dtype, array.size, at).reshape(array.shape)
        found.append(read.astype(array.dtype))
        at += size
    names = [each.name for each in fields(EvidenceState)]
    evidence = EvidenceState(**dict(zip(names, found[: len(names)], strict=True)))  # type: ignore[arg-type]  # arrays of the shapes and kinds of `like`
    rest = found[len(names) :]
    variation = PaneVariation(like.variation.panes.size)
    for name, array in zip(_VARIATION, rest, strict=False):
        setattr(variation, name, array)
    opened, none = rest[len(_VARIATION) :]
    number = int.from_bytes(data[at : at + 8], "little", signed=True)
    return GroupState(evidence, variation, opened, none, number)  # type: ignore[arg-type]  # as above


def _arrays(group: GroupState) -> list[tuple[NDArray[np.generic], str]]:
    evidence = [
        (getattr(group.evidence, each.name), _EVIDENCE.get(each.name, _REAL))
        for each in fields(EvidenceState)
    ]
    variation = [(getattr(group.variation, name), _REAL) for name in _VARIATION]
    return [*evidence, *variation, (group.open, _WHOLE), (group.none, _WHOLE)]
