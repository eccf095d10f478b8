"""The steps in which events are counted, and how many days of them tell what is normal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from driftline.consumer.judge.lives.life import DAY
from driftline.detectors.volume import HOUR, LEAST_DAYS, STEPS, Volume

_LONGEST = 8 * DAY  # windows: the reference keeps seven of them
_OWN = 28  # days of the stream that tell what is normal, or more where windows are long
_FURTHER = 10  # days that are kept beside: windows look back further


@dataclass(frozen=True)
class VolumeSteps:
    """How the events of a model's windows are counted.

    Attributes:
        hours: length of a step.
        many: steps in a window.
        judged: whether the number of events is judged.
    """

    hours: int
    many: int
    judged: bool

    @classmethod
    def of(cls, length: int, pane: int) -> Self:
        """Return those of windows of a `length` and panes of another, ms.

        >>> VolumeSteps.of(5 * DAY, HOUR).least, VolumeSteps.of(HOUR, HOUR).least
        (35.0, 7.0)
        """
        hours = max(-(-pane // HOUR), 1)
        whole = hours in STEPS and (pane == hours * HOUR or HOUR % pane == 0)
        return cls(hours, max(-(-length // (hours * HOUR)), 1), whole and length <= _LONGEST)

    @property
    def least(self) -> float:
        """Days that must be known before it is known what is normal: seven, and seven windows."""
        return LEAST_DAYS * max(1.0, self._days)

    @property
    def own(self) -> int:
        """Days of the stream that tell what is normal: one window more than must be known."""
        return max(_OWN, -int(-(LEAST_DAYS + 1) * self._days // 1))

    @property
    def kept(self) -> int:
        """Days of the stream that are kept."""
        return self.own + _FURTHER

    @property
    def _days(self) -> float:
        return self.many * self.hours * HOUR / DAY

    def days(self, volume: Volume | None) -> float:
        """Return how many days of a reference tell what is normal; 0 where they are too few."""
        days = 0.0 if volume is None else volume.hourly.joined(self.hours).known()
        return days if days >= self.least else 0.0
