"""The stage on a partition of the log of panes: judges of models, and alerts already sent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar, Protocol

import msgspec

from driftline.consumer.log.protocol import Gap, Log, Record, TopicPartition
from driftline.consumer.service.stage import Batch, ByModel, Due, Ends, ModelPart, decoded
from driftline.consumer.service.states import judge_key
from driftline.consumer.sketch.failures import Failures
from driftline.consumer.wire.codec import is_record
from driftline.consumer.wire.messages import (
    Horizons,
    PanesMessage,
    decode_horizons,
    decode_panes,
)
from driftline.consumer.wire.records import Alert, Verdict


class Judge(ModelPart, Protocol):
    """What a partition feeds: the judge of a model, or of a comparison.

    Attributes:
        name: of the model or comparison, as records have it.
        alert_ends: end of each partition of the alerts topic, as remembered.
    """

    name: str
    alert_ends: list[int]

    def tick(self, now: int) -> list[Alert]:
        """Look at the wall clock (ms)."""

    def lost(self, gap: Gap) -> Sequence[Verdict | Alert]:
        """Take in that panes were deleted unread."""


class PanesPartition(ByModel[Judge]):
    """Feeds the judges of one partition; see `ByModel`.

    Args:
        judges: by the name of the model or comparison in the log.
        sent: what of each model's alerts is in the log already.
        begin: offset at which reading begins: the smallest that any judge needs.
        end: end of the partition now: what is in the log of alerts was made from what is before.
        failures: those that could not even begin.
        rounds: looks at the wall clock of which each judge takes part in one.
    """

    kind: ClassVar[str] = "judge"

    def __init__(
        self,
        judges: Mapping[str, Judge],
        sent: Mapping[str, SentAlerts],
        begin: int,
        end: int,
        failures: Failures | None = None,
        rounds: int = 1,
    ) -> None:
        super().__init__(judges, begin, failures)
        self._sent = sent
        self._end = end
        self._rounds, self._round = rounds, 0

    def claim(self) -> Sequence[Batch]:
        """Return nothing: no stage waits for the new owner of a judge."""
        return ()

    def lost(self, gap: Gap) -> Iterator[Batch]:
        """Tell the judges that panes were deleted before they were judged."""
        self.next = gap.begin
        for name in list(self.parts):
            if gap.begin > self._begins[name]:
                yield from self._made(name, lambda judge: judge.lost(gap))

    def tick(self, now: int) -> Iterator[Batch]:
        """Let every judge look at the wall clock (ms), or each in one round."""
        self._round = (self._round + 1) % self._rounds
        for name in list(self.parts)[self._round :: self._rounds]:
            yield from self._made(name, lambda judge: judge.tick(now))

    def due(self, ends: Ends, *, whole: bool) -> list[Due]:
        """Return the states to be recorded; an alert sent before them is not looked for again."""
        found = super().due(ends, whole=whole)
        for name in (due.model for due in found if due.model is not None):
            # Every alert found in the log has been made again by now.
            if self._sent[name].all_passed or self.next >= self._end:
                self.parts[name].alert_ends = ends("alerts")
        return found

    def names(self, message: PanesMessage) -> Sequence[str]:
        """Return the judge that a message is for."""
        return (message.model,)

    def take(self, names: Iterable[str], message: Any, offset: int) -> Iterator[Batch]:
        """Feed one message to the judge that it is for, or the horizons of many to theirs."""
        if not isinstance(message, Horizons):
            yield from super().take(names, message, offset)
            return
        for each in message.each():
            # A state is not worth recording for them alone: others come, and are for all models.
            if each.model in self.parts and offset >= self._begins[each.model]:
                yield from self._made(each.model, partial(_feed, message=each, offset=offset))

    def _read(self, record: Record) -> tuple[Sequence[str], PanesMessage | Horizons | None]:
        if record.key is None and record.value is not None and is_record(record.value):
            return (), decoded(record, decode_horizons)
        name = (record.key or b"").decode(errors="replace")
        wanted = name in self.parts and record.offset >= self._begins[name]
        if record.value is None or not wanted:
            return (), None
        return (name,), decoded(record, decode_panes)

    def _new(self, name: str, outputs: Iterable[Verdict | Alert]) -> list[Verdict | Alert]:
        made = list(outputs)
        if made:
            self._changed.add(name)
        return [e for e in made if isinstance(e, Verdict) or self._sent[name].is_new(e)]

    def _key(self, name: str) -> str:
        return judge_key(name)


def _feed(judge: Judge, message: PanesMessage, offset: int) -> Iterable[Verdict | Alert]:
    found: Iterable[Verdict | Alert] = judge.feed(message, offset)
    return found


class _Identity(msgspec.Struct):
    model: str
    alert_id: str
    revision: int


class SentAlerts:
    """What a model's judge finds behind the ends that its state remembers.

    The remembered ends are kept until every record found there has come again: a second restart
    in between must find them too.
    """

    def __init__(self) -> None:
        self._seen: set[tuple[str, int]] = set()
        self._left: set[tuple[str, int]] = set()

    def note(self, alert_id: str, revision: int) -> None:
        """Note a record that is in the log."""
        self._seen.add((alert_id, revision))
        self._left.add((alert_id, revision))

    def is_new(self, alert: Alert) -> bool:
        """Return whether `alert` is not in the log yet."""
        identity = (alert.alert_id, alert.revision)
        self._left.discard(identity)
        return identity not in self._seen

    @property
    def all_passed(self) -> bool:
        """Whether every record found has come again, so that newer ends may be remembered."""
        return not self._left


def sent_alerts(
    log: Log, topic: str, partitions: int, judges: Mapping[str, tuple[str, Sequence[int]]]
) -> dict[str, SentAlerts]:
    """Return what of each judge's alerts is in the log already; it is read once for all.

    Args:
        log: where it is.
        topic: the alerts topic.
        partitions: how many it has.
        judges: by name in the log, its name in alerts, and the end of each partition that its
            state remembers.
    """
    found = {name: SentAlerts() for name in judges}
    if not judges:
        return found
    ends = [ends for _, ends in judges.values()]
    begin = {
        TopicPartition(topic, number): min(_end(known, number) for known in ends)
        for number in range(partitions)
    }
    names: dict[str, list[str]] = {}
    for name, (model, _) in judges.items():
        names.setdefault(model, []).append(name)
    for record in log.read(begin):
        try:
            alert = msgspec.json.decode(record.value or b"", type=_Identity)
        except msgspec.DecodeError:
            continue  # not an alert of ours: a record of another program
        for name in names.get(alert.model, ()):
            if record.offset >= _end(judges[name][1], record.partition):
                found[name].note(alert.alert_id, alert.revision)
    return found


def _end(ends: Sequence[int], partition: int) -> int:
    return ends[partition] if partition < len(ends) else 0
