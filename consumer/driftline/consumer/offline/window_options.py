"""What a user asks of the windows of a file without a configuration."""

from __future__ import annotations

from dataclasses import dataclass

from driftline.consumer.config.values import Budget


@dataclass(frozen=True)
class WindowOptions:
    """What is wanted of the windows of a file without a configuration; None is guessed.

    Attributes:
        length, every: of the windows, ms.
        rows: of a window, where the file has no times, or they are not to be looked at.
        min_events: a window with fewer is not judged.
        budget: false alarms allowed.
        rolling: how much of the events before each window is normal, ms; None: a fixed reference.
        previous: how many windows before each are normal; None: as above.
    """

    length: int | None = None
    every: int | None = None
    rows: int | None = None
    min_events: int | None = None
    budget: Budget | None = None
    rolling: int | None = None
    previous: int | None = None


GUESSED = WindowOptions()
"""Nothing is wanted."""
