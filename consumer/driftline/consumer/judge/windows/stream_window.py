"""A window of one stream, as its judges get it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from driftline.consumer.judge.lives.life import WindowTimes
from driftline.consumer.judge.windows.panes import PaneStore


@dataclass(frozen=True)
class StreamWindow:
    """A window to be judged.

    Attributes:
        times: when it is.
        panes: where its counts are.
        reason: why it cannot be judged, if that is known already.
        began: tag of releases to the value that its newest pane is the first to show.
    """

    times: WindowTimes
    panes: PaneStore
    reason: str | None
    began: Mapping[str, str]
