"""What a threshold costs: how often a quiet window reaches a level by chance."""

from __future__ import annotations

from dataclasses import dataclass

from driftline.detectors.registry import DETECTORS
from driftline.detectors.tables import code_of


@dataclass(frozen=True)
class QuietWindow:
    """A window of one feature in which nothing changed.

    Attributes:
        events: of the window.
        reference_events: of the reference.
        bins: bins or categories that hold an event.
        rate: of a rate, the share of bad events in the reference.
        phi: how many times as much as independent events they vary.
    """

    events: int
    reference_events: int
    bins: int
    rate: float = 0.0
    phi: float = 1.0

    @property
    def variance(self) -> float:
        """The factor v = phi (1/n + 1/m) of every law."""
        return self.phi * (1.0 / self.events + 1.0 / self.reference_events)


def quiet_share(detector: str, level: float, window: QuietWindow) -> float | None:
    """Share of quiet windows in which a detector's value is `level` or more; None without a law.

    Example:
        >>> window = QuietWindow(100, 50_000, bins=10)
        >>> quiet_share("psi", 0.1, window), quiet_share("wasserstein", 0.1, window)
        (0.0253..., None)
    """
    line = DETECTORS[detector]
    if line.law is None:
        return None
    return float(code_of(line, line.own_module).quiet_share(level, window))
