"""Which rows an alert is about: of which model and segment, from when until when."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self

from driftline.consumer.wire.axis import TIME
from driftline.consumer.wire.records import Alert
from driftline.producer.records.timestamp import format_time, parse_timestamp


@dataclass(frozen=True)
class Span:
    """Events of a stream in a stretch of time, or of a file's rows.

    Attributes:
        model: whose events they are.
        segment: `tag=value` of those in one segment; None: all.
        since: the first time, ms since 1970; `numbered`: how many rows are before the first.
        until: the time behind the last; `numbered`: the number of the last row.
        numbered: whether rows of a file are meant, by their numbers.
    """

    model: str
    segment: str | None
    since: int
    until: int
    numbered: bool = False

    @classmethod
    def of(cls, alert: Alert) -> Self:
        """Return the span of an alert: from where it began to the end of its newest window.

        Of one that has ended, to where it ended.
        """
        end = alert.window.span[1]
        if alert.status == "resolved":
            ended = alert.rows[1] if alert.rows is not None else parse_timestamp(alert.until)
            end = min(end, ended or end)
        return cls(alert.model, alert.segment, alert.begin, end, alert.rows is not None)

    def between(self, since: int | None, until: int | None) -> Span:
        """Return the span with other ends, where they are given."""
        return replace(
            self,
            since=self.since if since is None else since,
            until=self.until if until is None else until,
        )

    def holds(self, place: int) -> bool:
        """Tell whether a time, or how many rows are before one, is in it."""
        return self.since <= place < self.until

    @property
    def document(self) -> dict[str, Any]:
        """The span in JSON, as windows are: RFC 3339 times, or the first and the last row."""
        if self.numbered:
            return {"start": None, "end": None, "rows": (self.since + 1, self.until)}
        return {"start": format_time(self.since), "end": format_time(self.until), "rows": None}

    def __str__(self) -> str:
        """Return the span in words.

        >>> str(Span("m", None, 0, 3_600_000)), str(Span("m", None, 0, 100, numbered=True))
        ('1970-01-01 00:00 UTC to 1970-01-01 01:00 UTC', 'rows 1 to 100')
        """
        if self.numbered:
            return f"rows {self.since + 1:,} to {self.until:,}"
        return f"{TIME.moment(self.since)} to {TIME.moment(self.until)}"
