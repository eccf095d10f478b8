"""What is kept of how many events came."""

from __future__ import annotations

import msgspec


class VolumeState(msgspec.Struct):
    """What judge keeps of how many events came.

    Attributes:
        hours: length of a step; 0 before the first.
        begun: number of the first step that was read as a whole, since 1970.
        until: up to where events were counted, ms; None before the first.
        open: events of the step that is not over yet; -1 where they are not known as a whole.
        recent: of the last steps, as many as a window has, packed.
        events: of the last weeks, without times in which an alert fired, packed.
        silent: windows that begin before this time (ms) are not judged.
    """

    hours: int = 0
    begun: int = 0
    until: int | None = None
    open: int = -1
    recent: bytes = b""
    events: bytes = b""
    silent: int | None = None
