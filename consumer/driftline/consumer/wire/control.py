"""What people say of alerts: records of `<prefix>.control`, compacted, keyed by alert_id.

The newest record of an alert holds all its marks, so a compacted topic loses nothing.
"""

from __future__ import annotations

from typing import Annotated, Literal, get_args

import msgspec

from driftline.consumer.wire.meaning import means

SCHEMA: Literal["driftline.control.v1"] = "driftline.control.v1"
Action = Literal["acknowledge", "snooze", "false_alarm"]
ACTIONS: tuple[Action, ...] = get_args(Action)


class Mark(msgspec.Struct, frozen=True, omit_defaults=True):
    """What somebody said. Times are those of the wall."""

    who: Annotated[str, means("Who said it.")]
    at: Annotated[str, means("When.", "RFC 3339")]
    why: Annotated[str | None, means("Why; left out where no reason was given.")] = None
    until: Annotated[
        str | None, means("Of a snooze: when it ends; left out where it is for good.", "RFC 3339")
    ] = None


class Marks(msgspec.Struct, frozen=True, omit_defaults=True):
    """All marks of one alert; one that was never made, or was taken back, is left out."""

    schema: Annotated[Literal["driftline.control.v1"], means("The version of this schema.")]
    alert_id: Annotated[str, means("The alert; the key of the record.")]
    acknowledge: Annotated[Mark | None, means("Somebody looks after it.")] = None
    snooze: Annotated[Mark | None, means("Nobody is to be told again before `until`.")] = None
    false_alarm: Annotated[Mark | None, means("It was none.")] = None

    def snoozed(self, now: str) -> bool:
        """Whether it is snoozed at `now`, RFC 3339 in UTC with `Z`.

        Example:
            >>> mark = Mark("ada", "2026-01-01T00:00:00Z", until="2026-01-02T00:00:00Z")
            >>> marks = Marks("driftline.control.v1", "56f29dcfdc4e44e8", snooze=mark)
            >>> marks.snoozed("2026-01-01T08:00:00Z"), marks.snoozed("2026-01-03T00:00:00Z")
            (True, False)
        """
        # As far as the seconds, which is how ends are written: as text `.5Z` is before `Z`.
        return self.snooze is not None and now[:19] < (self.snooze.until or "9999")[:19]

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
