"""What judge keeps of one model in the log of states."""

from __future__ import annotations

import msgspec

from driftline.consumer.judge.clock import Heard
from driftline.consumer.judge.lives import Life


class JudgeState(msgspec.Struct, tag="judge"):
    """State of one model as of `position` in its partition of the log of panes.

    Attributes:
        topic_id: id of the log of panes; `partitions`: how many it has. Neither may change.
        position: everything before this offset has had its effect (R).
        rewind: smallest offset that a window still to be judged needs (O).
        heard: per input partition (topic, number), what was last heard of it.
        next: start of the pane with which the next window ends, None before the first pane.
        empty_since: start of a stretch without events that still lasts.
        lives: alerts that are pending or firing.
        versions: model versions seen in panes judged so far.
        losses: stretches of event time (start, end) whose events were lost.
        recent: events of the last windows judged, newest last.
        alert_ends: end of each partition of the alerts topic, as remembered.
    """

    position: int
    rewind: int
    topic_id: str = ""
    partitions: int = 0
    heard: list[tuple[str, int, Heard]] = []
    next: int | None = None
    empty_since: int | None = None
    lives: list[Life] = []
    versions: list[str] = []
    losses: list[tuple[int, int]] = []
    recent: list[int] = []
    alert_ends: list[int] = []
