"""The judges of the models whose panes one partition of the log of panes holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from driftline.consumer.judge.comparison.judge import ComparisonState
from driftline.consumer.judge.state import JudgeState
from driftline.consumer.log.errors import LogError
from driftline.consumer.log.protocol import Gap, Record
from driftline.consumer.service.repeats import SentAlerts
from driftline.consumer.sketch.failures import Failures, Guard
from driftline.consumer.wire.messages import PanesMessage, decode_panes
from driftline.consumer.wire.records import Alert, Verdict
from driftline.errors import RecordError


class Judge(Protocol):
    """What a partition feeds: the judge of a model, or of a comparison.

    Attributes:
        name: of the model or comparison, as records have it.
        position: everything before this offset has had its effect.
        rewind: where its reading began.
        alert_ends: end of each partition of the alerts topic, as remembered.
    """

    name: str
    position: int
    rewind: int
    alert_ends: list[int]

    def feed(self, message: PanesMessage, offset: int) -> Sequence[Verdict | Alert]:
        """Take in one message; return what it makes known, in order."""

    def tick(self, now: int) -> list[Alert]:
        """Look at the wall clock (ms)."""

    def lost(self, gap: Gap) -> Sequence[Verdict | Alert]:
        """Take in that panes were deleted unread."""

    def active(self) -> list[tuple[str, str, str, int]]:
        """Return (stream, feature, kind, severity) of the alerts that fire now."""

    def state(self) -> JudgeState | ComparisonState:
        """Return the state record as of now; encode it before feeding on."""


Outputs = tuple[str, Sequence[Verdict | Alert]]
"""What one message makes known of a model or comparison, by its name: all of it, or nothing."""


class PanesPartition:
    """Feeds the judges of one partition.

    Args:
        judges: by the name of the model or comparison in the log.
        sent: what of each model's alerts is in the log already.
        begin: offset at which reading begins: the smallest that any judge needs.
        end: end of the partition now: what is in the log of alerts was made from what is before.
        failures: those that could not even begin.

    Attributes:
        failures: judges that raised an unexpected error; they are fed no more.
    """

    def __init__(
        self,
        judges: Mapping[str, Judge],
        sent: Mapping[str, SentAlerts],
        begin: int,
        end: int,
        failures: Failures | None = None,
    ) -> None:
        self._end = end
        self.judges = dict(judges)
        self.failures = Failures() if failures is None else failures
        self.sent = sent
        self.next = begin
        self._begins = {name: judge.rewind for name, judge in judges.items()}
        self._changed: set[str] = set()  # by more than others' records, since `due`

    def safely(self, name: str) -> Guard:
        """Let a judge fail alone: it stays in the log of states as it was recorded last."""
        return self.failures.guard(name, lambda failed, _: self.judges.pop(failed, None))

    def feed(self, records: Sequence[Record]) -> Iterator[Outputs]:
        """Judge what `records` make final; yield verdicts, and alerts that are not in the log."""
        for record in records:
            name = (record.key or b"").decode(errors="replace")
            judge = self.judges.get(name)
            begun = judge is not None and record.offset >= self._begins[name]
            if judge is not None and begun and record.value is not None:
                self._changed.add(name)
                message = _message(record)
                with self.safely(name):
                    out = self._new(name, judge.feed(message, record.offset))
                if name in self.judges and out:
                    yield name, out
            self.next = record.offset + 1
        for judge in self.judges.values():  # other models' records have had their effect too
            judge.position = max(judge.position, self.next)
        if self.failures:  # what lies before, only those that failed need
            begins = [self._begins[name] for name in self.judges]
            self.next = max(self.next, min(begins, default=self.next))

    def tick(self, now: int) -> Iterator[Outputs]:
        """Let every judge look at the wall clock (ms)."""
        for name, judge in list(self.judges.items()):
            with self.safely(name):
                out = self._new(name, judge.tick(now))
            if name in self.judges and out:
                yield name, out

    def due(self, whole: bool) -> list[str]:
        """Return the judges to be recorded: all, or those that have changed since the last time.

        Of a model that is silent nothing changes but up to where the log was read.
        """
        wanted = self.judges.keys() if whole else self._changed & self.judges.keys()
        names = [name for name in sorted(wanted) if self.next >= self.judges[name].position]
        self._changed.difference_update(names)
        return names

    def all_passed(self, name: str) -> bool:
        """Return whether every alert of a model found in the log has been made again by now."""
        return self.sent[name].all_passed or self.next >= self._end

    def lost(self, gap: Gap) -> Iterator[Outputs]:
        """Tell the judges that panes were deleted before they were judged."""
        self.next = gap.begin
        for name, judge in list(self.judges.items()):
            if gap.begin <= self._begins[name]:
                continue
            with self.safely(name):
                out = self._new(name, judge.lost(gap))
            if name in self.judges and out:
                yield name, out

    def _new(self, name: str, outputs: Sequence[Verdict | Alert]) -> list[Verdict | Alert]:
        if outputs:
            self._changed.add(name)
        return [
            output
            for output in outputs
            if isinstance(output, Verdict) or self.sent[name].is_new(output)
        ]


def _message(record: Record) -> PanesMessage:
    """Return what a record of the log of panes says.

    Raises:
        LogError: it cannot be read.
    """
    try:
        return decode_panes(record.value or b"")
    except RecordError as error:
        place = f"{record.topic}[{record.partition}] at offset {record.offset}"
        raise LogError(f"the record in {place} cannot be read: {error}") from error
