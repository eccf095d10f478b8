"""Sketch of one input partition: events in, panes and horizons out.

A deterministic function of the partition's records in offset order: lateness is decided event by
event, so batch sizes, restarts and speed change nothing. The rules of time and of restart
(docs/design.md) are kept here for this stage.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import takewhile
from operator import attrgetter
from typing import cast

import msgspec

from driftline.consumer.log.protocol import Gap, Record, TopicPartition, UnreadBatch
from driftline.consumer.sketch.blocks import BlockWriter, PolledRows
from driftline.consumer.sketch.decode import Decoded, Decoder
from driftline.consumer.sketch.input_rows import InputRows, RecordRows, TableRows
from driftline.consumer.sketch.kept_panes import KeptPanes
from driftline.consumer.sketch.labels import place_labels
from driftline.consumer.sketch.later import Versions
from driftline.consumer.sketch.model import ModelSketch
from driftline.consumer.sketch.open_pane import SketchModel
from driftline.consumer.sketch.state import ModelPosition, ModelProgress, SketchState, Standings
from driftline.consumer.sketch.totals import DeadLetter, InputTotals, Output, model_of
from driftline.consumer.wire.messages import Block, Horizon, Loss


class PartitionSketch:
    """Counts the events of one input partition.

    Args:
        source: the partition.
        partitions: how many partitions its topic has.
        decoder: turns values into columns; None for a topic that holds labels only.
        models: the models whose events the topic holds.
        state: as read from the log; feeding starts at `next`.
        now: wall-clock time, ms; only idle and stale marks depend on it.
        totals: where to count what became of the records.
        writer: sends predictions and labels to the join; None where no model wants it.

    Attributes:
        kept: final panes that are to be added up with those of other partitions.
    """

    def __init__(
        self,
        source: TopicPartition,
        partitions: int,
        decoder: Decoder | None,
        models: Mapping[str, SketchModel | Versions],
        state: SketchState,
        now: int,
        totals: InputTotals,
        writer: BlockWriter | None = None,
    ) -> None:
        self.source, self.totals = source, totals
        self.position, self.generation = state.position, state.generation
        self.partitions = partitions
        self._state = state
        self._now = now
        self._needed = state.rewind if state.needed is None else state.needed
        self._decoder = decoder
        self._writer = writer or BlockWriter({}, None, 1, {}, now)
        new = ModelProgress(start=state.position, active_at=now)
        self.over: dict[str, ModelProgress] = {}  # removed models: they may be applied again
        self._models = {
            name: ModelSketch(source, each, msgspec.structs.replace(state.models.get(name, new)))
            for name, each in models.items()
        }
        # A model that failed in another run goes on from where it was left.
        behind = {name: at for name, at in state.behind.items() if name in self._names()}
        self.next = state.rewind if behind else self._needed  # offset to be fed next
        self._event_time: tuple[int, int | None] = (-1, None)  # as of `next`
        self._standings = Standings(behind, self._standing, self._drop)
        self.failures = self._standings.failures
        self.kept = KeptPanes(self._models, self._standings, lambda: self._horizon(held=self._held))
        self._held = False

    def feed(self, records: Sequence[Record], now: int) -> list[Output]:
        """Count `records`, from `next` on; return what is to be sent, in order."""
        self._standings.begin()
        out: list[Output] = []
        while records:
            first, part = records[0].offset, len(records)
            turns = [at for at in (self.position, *self._standings.behind.values()) if at > first]
            if turns:  # from there on more models count
                part = bisect_left(records, min(turns), key=attrgetter("offset"))
            whole = [*takewhile(lambda r: not isinstance(r.value, UnreadBatch), records[:part])]
            out += self._take(RecordRows(whole), now) if whole else self._refuse(records[0])
            records = records[len(whole) or 1 :]
        if not self._standings.behind:  # only models that failed need what lies before
            self.next = max(self.next, self._needed)
        return self._of_the_others(out)

    @property
    def columns(self) -> frozenset[str]:
        """Names of a table's columns that are read."""
        return self._writer.columns | (self._decoder.columns if self._decoder else set())

    def feed_table(self, rows: TableRows, now: int) -> list[Output]:
        """Count rows that are columns; see `feed`."""
        self._standings.begin()
        return self._of_the_others(self._take(rows, now))

    def lost(self, gap: Gap) -> None:
        """Note that retention deleted records before they were read; reading goes on after them."""
        self._lose({*self._standings.behind}, gap)
        if gap.begin > self._needed:  # else only models that are behind need what is gone
            rest = replace(gap, wanted=max(gap.wanted, self._needed))
            self._lose(self._names() - self._standings.behind.keys(), rest)
        self.next, self.position = gap.begin, max(self.position, gap.begin)

    def at_the_end(self) -> None:
        """Note that nothing is left to be read: the last records before `position` may be gone."""
        self.next = self.position = max(self.next, self.position)
        self._standings.behind.clear()

    def claim(self) -> list[Output]:
        """Return the first records of a new owner: older generations' idle marks are void now."""
        self._standings.begin()
        out: list[Output] = [each for m in self._models.values() for each in m.changes]
        out += self._horizons()
        rows, each, at = self._writer, self._standings.each, self._at
        out += each(rows.models, lambda name: rows.claim(name, self._horizon(at(name))))
        return self._of_the_others(out)

    def idle(self, now: int, idle_after: int) -> list[Output]:
        """Return the open panes as they stand, and an idle mark, of each model that is silent.

        To be called when the partition is read to its end, after `stale`, and sent with that: what
        fails here undoes both. A mark is repeated every `idle_after` (ms) while it is true.
        """
        each, rows, models = self._standings.each, self._writer, self._models
        silent = [name for name, model in models.items() if model.is_silent(now, idle_after)]
        at, of_rows = self._horizon(held=self._held), self._horizon()
        out: list[Output] = each(silent, lambda name: models[name].idle(at, now))
        out += each(rows.silent(now, idle_after), lambda name: rows.idle(name, of_rows, now))
        return self._of_the_others(out)

    def close(self, time: int, *, whole: bool = False) -> list[Output]:
        """Close the panes of a set of rows up to `time` (ms), before which no later row is.

        None that a log would still keep open, `grace` behind the newest event; `whole`: also those.
        """
        self._standings.begin()
        each, rows, models = self._standings.each, self._writer, self._models
        at, out = self._horizon(), list[Output]()
        out += each(models, lambda name: models[name].close(time, at, whole=whole))
        out += each(rows.models, lambda name: rows.close(name, time, at, whole=whole))
        return self._of_the_others(out)

    def hold(self, *, held: bool) -> list[Output]:
        """Return the horizons to be sent where an open transaction begins or ends to hold it."""
        changed, self._held = held != self._held, held
        return [*self._horizons()] if changed else []

    def stale(self, now: int) -> list[Output]:
        """Close the panes of models that are silent here for `stale_after` at `now` (ms)."""
        self._standings.begin()
        at, each, models = self._horizon(held=self._held), self._standings.each, self._models
        silent = [name for name, model in models.items() if model.is_stale(now)]
        return self._of_the_others(each(silent, lambda name: models[name].stale(at)))

    def cut(self) -> list[Output]:
        """Return every open pane as a part, and forget it: nothing is open then, so O = R.

        A later event of the pane begins a part with another `first`: judge adds them up. After a
        restart cut at the same offset, or further on. While the past is read again none is whole.
        """
        self._standings.begin()
        at, each, models = self.position, self._standings.each, self._models
        names = [] if self.next < at else list(models)
        return self._of_the_others(each(names, lambda name: models[name].cut(at)))

    def fail(self, name: str, error: Exception) -> None:
        """Let a model rest as it was before what was done last; all others go on without it."""
        self._standings.fail(name, error)

    def leave(self, name: str, error: Exception, *, counted: bool, labelled: bool) -> None:
        """Let a model rest that could not be made: it stays as it was recorded last.

        `counted`: whether its events, `labelled`: whether its labels are in the partition.
        """
        new = ModelProgress(start=self.position, active_at=self._now) if counted else None
        self._standings.resting[name] = ModelPosition.recorded(name, self._state, new, labelled)
        self._standings.fail(name, error)

    def state(self) -> SketchState | None:
        """Return the state record as of now; None while the past is still being read again."""
        if self.next < self.position:
            return None
        first = [at for model in self._models.values() if (at := model.first()) is not None]
        needed = min(first, default=self.position)
        known = {n: msgspec.structs.replace(m.progress) for n, m in self._models.items()}
        return self._standings.record(
            SketchState(
                topic_id=self._state.topic_id,
                partitions=self._state.partitions,
                body=self._state.body,
                position=self.position,
                rewind=needed,
                generation=self.generation,
                models=self.over | known,
                joins=self._writer.state(),
                needed=needed,
            )
        )

    def event_time(self) -> int | None:
        """Return the largest event time of any model here (ms), None before the first event."""
        if self._event_time[0] != self.next:  # only what is read moves it
            times = [model.progress.progress for model in self._models.values()]
            times += [each.progress for each in self._writer.progress.values()]
            self._event_time = self.next, max((t for t in times if t is not None), default=None)
        return self._event_time[1]

    @property
    def settled(self) -> bool:
        """Whether the present version of a model is over, or its life in the join."""
        return self._writer.settled or any(model.settled for model in self._models.values())

    def progress(self) -> Mapping[str, ModelProgress]:
        """Return the progress per model, to look at; of those that failed none."""
        return {name: model.progress for name, model in self._models.items()}

    def _take(self, polled: InputRows, now: int) -> list[Output]:
        """Count rows for the models that have come as far; for others count again what is open.

        Before `position` they have had their effect on all but the models that are behind.
        """
        offsets = polled.offsets
        first = int(offsets[0])
        again, due = first < self.position, bool(self._models or self._writer.models)
        if again:
            due = any(at <= first for at in self._standings.behind.values())
        out: list[Output] = []
        if again or due:
            decoded = self._decode(polled)
            for name, rows in decoded.models.items():
                if self._at(name) <= first:
                    continue
                with self._standings.safely(name):
                    self._models[name].recount(rows, offsets[rows.index], self._versions(name))
            if due:
                out += self._effects(polled, decoded, now)
        else:
            self.totals.skipped["model_failed"] += len(offsets)
        self._pass(first, int(offsets[-1]))
        return out

    def _refuse(self, record: Record) -> list[Output]:
        """Refuse a batch that cannot be unpacked; models that have come further had none of it."""
        batch, out = cast(UnreadBatch, record.value), list[Output]()
        if record.offset >= self.position:
            self.totals.read += 1
            self.totals.rejected[batch.reason] += 1
            out.append(DeadLetter(record, batch.reason, batch.detail))
        due = {name for name in self._names() if self._at(name) <= record.offset}
        self._lose(due, Gap(self.source, batch.first, batch.last + 1), refused=True)
        self._pass(record.offset, record.offset)
        return out

    def _lose(self, names: set[str], gap: Gap, *, refused: bool = False) -> None:
        """Note records that models never get: deleted or, `refused`, in a batch not unpacked."""
        for name in names & self._models.keys():
            self._models[name].lost(gap, refused=refused)
        for name in names.intersection(self._writer.models):
            # What lies before was sent to the join already.
            if gap.begin > (at := self._at(name)):
                rest = replace(gap, wanted=max(gap.wanted, at))
                self._writer.lost(name, rest, refused=refused)

    def _pass(self, first: int, last: int) -> None:
        """Note that records have had their effect, on the models that had come to the first."""
        self.next = last + 1
        self.position = max(self.position, self.next)
        self._standings.reach(first, self.next, self.position)

    def _effects(self, polled: InputRows, decoded: Decoded, now: int) -> Iterator[Output]:
        """Yield what rows do that have their effect now, on the models that have come there."""
        # What others have counted is not counted again.
        offsets = polled.offsets
        totals = InputTotals() if offsets[0] < self.position else self.totals
        totals.read += len(offsets)
        blocks = self._write_blocks(polled, decoded, now, totals)
        totals.skipped["tombstone"] += decoded.tombstones
        totals.skipped["unknown_model"] += decoded.unknown_model
        if decoded.unread:
            totals.skipped["model_failed"] += decoded.unread
        for bad in decoded.rejected:
            totals.rejected[bad.reason] += 1
            yield DeadLetter(polled.record(bad.index), bad.reason, bad.detail)
        for name, rows in decoded.models.items():
            if name in self.failures or self._at(name) > offsets[0]:
                totals.skipped["model_failed"] += len(rows.index)
                continue
            with self._standings.safely(name):
                at, names = offsets[rows.index], self._versions(name)
                horizon = self._horizon(held=self._held)
                timely, late, found = self._models[name].count(rows, at, names, horizon, now)
                yield from found
                totals.counted[name] += timely
                totals.late[name] += late
                totals.skipped["unknown_model"] += len(rows.index) - timely - late
        yield from blocks

    def _decode(self, polled: InputRows) -> Decoded:
        if self._decoder is None:
            return Decoded(tombstones=polled.tombstones())
        try:
            decoded = polled.decode(self._decoder)
        except Exception as error:  # of no model alone: all of them rest
            decoded = Decoded(unread=len(polled.offsets))
            decoded.failed.update(dict.fromkeys(self._models, error))
        for name, failure in decoded.failed.items():
            self.fail(name, failure)
        return decoded

    def _write_blocks(
        self, polled: InputRows, decoded: Decoded, now: int, totals: InputTotals
    ) -> list[Block | Loss]:
        """Return what the join needs of a batch; labels found take their place in `decoded`."""
        offsets = polled.offsets
        # Whether it is the label of a model that failed is seen when that one goes on.
        unclear = any(each.labelled for each in self._standings.resting.values())
        writer, safely = self._writer, self._standings.safely
        if not (writer.models or unclear):
            return []
        labels, wrong = writer.read_labels(polled, decoded.models, safely)
        events = self._decoder is not None
        unclear = any(each.labelled for each in self._standings.resting.values())
        found = place_labels(decoded, labels, wrong, len(offsets), events=events, unclear=unclear)
        for name, rows in labels.items():
            totals.labels[name] += len(rows.index)
            totals.refused[name] += rows.refused
        versions = {} if self._decoder is None else self._decoder.version_names
        batch = PolledRows(offsets, decoded.models, versions, labels)
        out: list[Block | Loss] = []
        for name in writer.models:
            if not (name in decoded.models or name in labels) or self._at(name) > offsets[0]:
                continue
            with safely(name):
                for reason, rows_left in writer.without(name, batch, found).items():
                    totals.without[name, reason] += rows_left
                out += writer.write(name, self._horizon(int(offsets[-1]) + 1), batch, now)
        return out

    def _drop(self, name: str) -> None:
        self._models.pop(name, None)
        self._writer.rest(name)
        if self._decoder is not None:
            self._decoder.rest(name)

    def _standing(self, name: str) -> ModelPosition:
        """Return how far a model has come, and what a state record has of it."""
        at, model = self._at(name), self._models.get(name)
        first = None if model is None else model.first()
        begun = self._state.rewind if name in self._standings.behind else self._needed
        joined = self._writer.progress.get(name)
        return ModelPosition(
            position=at,
            # What is still open is not known before it has been read again.
            rewind=begun if self.next < at else at if first is None else first,
            progress=None if model is None else msgspec.structs.replace(model.progress),
            joined=None if joined is None else msgspec.structs.replace(joined),
            labelled=name in self._writer.labelled,
        )

    def _of_the_others(self, outputs: Sequence[Output]) -> list[Output]:
        """Return what is to be sent: nothing of a model that failed half-way through."""
        return [each for each in outputs if model_of(each) not in self.failures]

    def _horizons(self) -> Iterator[Horizon]:
        """Yield how far each model has come."""
        for name, model in self._models.items():
            yield model.horizon(self._horizon(self._at(name), held=self._held))

    def _names(self) -> set[str]:
        """Return the models that are counted, or whose rows go to the join."""
        return {*self._models, *self._writer.models}

    def _at(self, name: str) -> int:
        """Return the offset before which everything has had its effect on a model."""
        return self._standings.behind.get(name, self.position)

    def _versions(self, name: str) -> Sequence[str]:
        return () if self._decoder is None else self._decoder.version_names[name]

    def _horizon(self, until: int | None = None, *, held: bool = False) -> Horizon:
        """Return a horizon at an offset; the model and its times are filled in by the caller."""
        at = self.position if until is None else until
        return Horizon(
            *self.source, self.partitions, "", None, None, at, self.generation, held=held
        )
