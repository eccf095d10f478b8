"""What judge keeps of one model in the log of states."""

from __future__ import annotations

import msgspec

from driftline.consumer.judge.lives import Life
from driftline.consumer.log.clock import Heard


class Firing(msgspec.Struct):
    """An alert on a feature as it was at any time: judging of performance looks back at it.

    Attributes:
        stream, feature, kind: whose life it is.
        incident: `since` of the incident's first alert, ms.
        fired: end of the window in which it fired, ms.
        windows: ends (ms) of windows since, each with the effect in it.
        resolved: end of the window that resolved it, None while it fires.
    """

    stream: str
    feature: str
    kind: str
    incident: int
    fired: int
    windows: list[tuple[int, float]]
    resolved: int | None = None


class LabelHistory(msgspec.Struct):
    """How labels came while nothing was wrong with them.

    Attributes:
        since: end of the first window looked at, ms since 1970; None before it.
        events: predictions of the last windows, newest last.
        parts: of event time, oldest first: number; the fewest labels in a window of it, for each
            prediction of the time that they are due for; and the longest time (ms) after their
            predictions within which half of a window's labels came, 0 without labels.
    """

    since: int | None = None
    events: list[int] = []
    parts: list[tuple[int, float, int]] = []


class PerformanceState(msgspec.Struct):
    """What judge keeps of the outcomes of one model.

    Attributes:
        heard: per partition of the log of joins, what was last heard of it.
        next: start of the pane with which the next window ends, None before the first pane.
        empty_since: start of a stretch without panes that still lasts.
        losses: stretches of event time (start, end) whose rows were lost.
        waiting: per stream, predictions without label from before the next window.
        history: how labels came in the last windows.
    """

    heard: list[tuple[str, int, Heard]] = []
    next: int | None = None
    empty_since: int | None = None
    losses: list[tuple[int, int]] = []
    waiting: dict[str, int] = {}
    history: LabelHistory = msgspec.field(default_factory=LabelHistory)


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
        firings: alerts on features that judging of performance may look back at.
        performance: the same of the outcomes, where labels are read.
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
    firings: list[Firing] = []
    performance: PerformanceState = msgspec.field(default_factory=PerformanceState)
