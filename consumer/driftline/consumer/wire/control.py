"""What people say of alerts: records of `<prefix>.control`, compacted, keyed by alert_id.

The newest record of an alert holds all that is said of it, so a compacted topic loses nothing.
"""

from __future__ import annotations

from typing import Literal, get_args

import msgspec

SCHEMA: Literal["driftline.control.v1"] = "driftline.control.v1"
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

    def with_mark(self, action: Action, mark: Mark | None) -> Marks:
        """Return the same with one action said, or with None taken back.

        Example:
            >>> marks = Marks(SCHEMA, "56f29dcfdc4e44e8").with_mark(
            ...     "acknowledge", Mark("ada", "2026-01-01T00:00:00Z", "a release")
            ... )
            >>> marks.acknowledge.why, marks.with_mark("acknowledge", None).acknowledge
            ('a release', None)
        """
        return msgspec.structs.replace(self, **{action: mark})


def read_marks(key: bytes | None, value: bytes | None) -> Marks:
    """Return what a record says of its alert; a deleted one says nothing.

    Raises:
        msgspec.DecodeError: it is no such record.

    Example:
        >>> read_marks(b"56f29dcfdc4e44e8", None).false_alarm is None
        True
    """
    if value is None:
        return Marks(SCHEMA, (key or b"").decode(errors="replace"))
    return msgspec.json.decode(value, type=Marks)
