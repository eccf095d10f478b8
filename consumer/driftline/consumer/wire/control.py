"""What people say of alerts: records of `<prefix>.control`, compacted, keyed by alert_id.

The newest record of an alert holds all that is said of it, so a compacted topic loses nothing.
"""

from __future__ import annotations

from typing import Literal, get_args

import msgspec

Action = Literal["acknowledge", "snooze", "false_alarm"]
ACTIONS: tuple[Action, ...] = get_args(Action)


class Mark(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who said it, when, and why; `until`: when a snooze ends. Times are RFC 3339, of the wall."""

    who: str
    at: str
    why: str | None = None
    until: str | None = None


class Marks(msgspec.Struct, frozen=True, omit_defaults=True):
    """All that is said of one alert; what is not said, or was taken back, is None."""

    schema: Literal["driftline.control.v1"]
    alert_id: str
    acknowledge: Mark | None = None
    snooze: Mark | None = None
    false_alarm: Mark | None = None

    def snoozed(self, now: str) -> bool:
        """Whether it is snoozed at `now`, RFC 3339 in UTC with `Z`.

        Example:
            >>> mark = Mark("ada", "2026-01-01T00:00:00Z", until="2026-01-02T00:00:00Z")
            >>> marks = Marks("driftline.control.v1", "56f29dcfdc4e44e8", snooze=mark)
            >>> marks.snoozed("2026-01-01T08:00:00Z"), marks.snoozed("2026-01-03T00:00:00Z")
            (True, False)
        """
        return self.snooze is not None and now < (self.snooze.until or "9999")
