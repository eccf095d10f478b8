"""Sketch of one input partition: events in, panes and horizons out.

A deterministic function of the partition's records in offset order: lateness is decided event by
event, so batch sizes, restarts and speed change nothing. The rules of time and of restart
(docs/design.md) are kept here for this stage.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from operator import attrgetter

import msgspec
import numpy as np
from numpy.typing import NDArray

from driftline.consumer.log.messages import Block, Horizon, Loss, Pane
from driftline.consumer.log.protocol import Gap, Record, TopicPartition
from driftline.consumer.sketch.blocks import Batch, BlockWriter
from driftline.consumer.sketch.decode import Decoded, Decoder, ModelRows, Rejected
from driftline.consumer.sketch.event_ids import NO_ID
from driftline.consumer.sketch.exact import NO_EVENT
from driftline.consumer.sketch.open_pane import OpenPane, SketchModel
from driftline.consumer.sketch.state import ModelProgress, SketchState
from driftline.consumer.sketch.tally import DeadLetter, Tally
from driftline.detectors.counts import Columns

_NEVER = -(1 << 62)


Output = Pane | Horizon | Loss | Block | DeadLetter


class PartitionSketch:
    """Counts the events of one input partition.

    Args:
        source: the partition.
        partitions: how many partitions its topic has.
        decoder: turns values into columns; None for a topic that holds labels only.
        models: the models whose events the topic holds.
        state: as read from the log; feeding starts at ``state.rewind``.
        now: wall-clock time, ms; only idle and stale marks depend on it.
        tally: where to count what became of the records.
        writer: sends predictions and labels to the join; None where no model wants it.
    """

    def __init__(
        self,
        source: TopicPartition,
        partitions: int,
        decoder: Decoder | None,
        models: Mapping[str, SketchModel],
        state: SketchState,
        now: int,
        tally: Tally,
        writer: BlockWriter | None = None,
    ) -> None:
        self.source = source
        self.tally = tally
        self.next = state.rewind  # offset of the next record to be fed
        self.position = state.position
        self.generation = state.generation
        self.partitions = partitions
        self._state = state
        self._decoder = decoder
        self._writer = writer
        self._models = models
        self._progress = {
            name: msgspec.structs.replace(state.models[name])
            if name in state.models
            else ModelProgress(start=state.position, heard=now)
            for name in models
        }
        self._open: dict[str, dict[int, OpenPane]] = {name: {} for name in models}
        self._marked: dict[str, int] = {}  # when a model's idle mark was sent last
        self._held = False

    def feed(self, records: Sequence[Record], now: int) -> list[Output]:
        """Count `records`, which follow those fed before; return what is to be sent, in order."""
        out: list[Output] = []
        if self.next < self.position and records and records[0].offset < self.position:
            split = sum(1 for r in records if r.offset < self.position)
            self._rebuild(records[:split])
            records = records[split:]
        if not records:
            return out
        decoded = self._decode(records)
        offsets = np.fromiter(map(attrgetter("offset"), records), np.int64, len(records))
        self.tally.read += len(records)
        blocks = self._write_blocks(records, decoded, offsets, now)
        self.tally.skipped["tombstone"] += decoded.tombstones
        self.tally.skipped["unknown_model"] += decoded.unknown_model
        out += self._reject(records, decoded.rejected)
        for name, rows in decoded.models.items():
            progress = self._progress[name]
            progress.heard, progress.stale = now, False
            self._marked.pop(name, None)
            out += self._count(self._models[name], rows, offsets[rows.index])
        out += blocks
        self.next = self.position = int(offsets[-1]) + 1
        return out

    def lost(self, gap: Gap) -> None:
        """Note that retention deleted records before they were read; reading goes on after them."""
        for progress in self._progress.values():
            known = progress.lost or (gap.wanted, gap.begin)
            progress.lost = (min(known[0], gap.wanted), max(known[1], gap.begin))
            progress.told = False
        if self._writer is not None and gap.begin > self.position:
            # What lies before was sent to the join already.
            self._writer.lost(replace(gap, wanted=max(gap.wanted, self.position)))
        self.next = gap.begin
        self.position = max(self.position, gap.begin)

    def at_the_end(self) -> None:
        """Note that nothing is left to be read: the last records before `position` may be gone."""
        self.next = self.position = max(self.next, self.position)

    def claim(self) -> list[Output]:
        """Return the first words of a new owner: older generations' idle marks are void now."""
        out: list[Output] = [self._horizon(name, self.position) for name in self._models]
        if self._writer is not None:
            out += self._writer.claim(self._word())
        return out

    def idle(self, now: int, idle_after: int) -> list[Output]:
        """Return the open panes as they stand, and an idle mark, of each model that is silent.

        To be called when the partition is read to its end. A mark is repeated every `idle_after`
        (ms) while it is true.
        """
        out: list[Output] = []
        for name, progress in self._progress.items():
            if now - self._marked.get(name, progress.heard) < idle_after:
                continue
            self._marked[name] = now
            out += self._open_loss(name)
            for pane in self._sorted_panes(name):
                if pane.events > pane.sent:
                    out += self._messages(pane, self.position)
            out.append(self._horizon(name, self.position, idle=True))
        if self._writer is not None:
            out += self._writer.idle(self._word(), now, idle_after)
        return out

    def hold(self, *, held: bool) -> list[Output]:
        """Return what is to be said where an open transaction begins or ends to hold the rest."""
        if held == self._held:
            return []
        self._held = held
        return [self._horizon(name, self.position) for name in self._models]

    def stale(self, now: int) -> list[Output]:
        """Close the panes of models that are silent here for `stale_after` at `now` (ms)."""
        out: list[Output] = []
        for name, model in self._models.items():
            progress = self._progress[name]
            if model.stale_after is None or now - progress.heard < model.stale_after:
                continue
            panes = self._sorted_panes(name)
            if panes or not progress.stale:
                progress.stale = True
                out += self._open_loss(name)
                for pane in panes:
                    out += self._messages(pane, self.position)
                    progress.horizon = max(progress.horizon or _NEVER, pane.end)
                self._open[name].clear()
                out.append(self._horizon(name, self.position))
        return out

    def state(self) -> SketchState | None:
        """Return the state record as of now; None while the past is still being read again."""
        if self.next < self.position:
            return None
        first = [p.first for panes in self._open.values() for p in panes.values()]
        return SketchState(
            topic_id=self._state.topic_id,
            partitions=self._state.partitions,
            position=self.position,
            rewind=min(first, default=self.position),
            generation=self.generation,
            models={name: msgspec.structs.replace(p) for name, p in self._progress.items()},
            joins={} if self._writer is None else self._writer.state(),
        )

    def event_time(self) -> int | None:
        """Return the largest event time of any model here (ms), None before the first event."""
        joined = {} if self._writer is None else self._writer.progress
        times = [p.progress for p in self._progress.values()]
        times += [p.progress for p in joined.values()]
        return max((time for time in times if time is not None), default=None)

    def progress(self) -> Mapping[str, ModelProgress]:
        """Return the progress per model, to look at."""
        return self._progress

    def _rebuild(self, records: Sequence[Record]) -> None:
        """Count again what is still open before `position`, without any other effect."""
        if not records:
            return
        decoded = self._decode(records)
        offsets = np.fromiter(map(attrgetter("offset"), records), np.int64, len(records))
        for name, rows in decoded.models.items():
            progress = self._progress[name]
            model = self._models[name]
            at = offsets[rows.index]
            starts = rows.times // model.every * model.every
            horizon = _NEVER if progress.horizon is None else progress.horizon
            keep = (at >= progress.start) & (starts + model.every > horizon)
            self._add(model, rows, at, starts, keep)
        self.next = int(offsets[-1]) + 1

    def _decode(self, records: Sequence[Record]) -> Decoded:
        values = [r.value for r in records]
        if self._decoder is None:
            return Decoded(tombstones=values.count(None))
        return self._decoder.decode(values, [r.timestamp for r in records])

    def _write_blocks(
        self, records: Sequence[Record], decoded: Decoded, offsets: NDArray[np.int64], now: int
    ) -> list[Block | Loss]:
        """Return what the join needs of a batch; labels found take their place in `decoded`."""
        if self._writer is None:
            return []
        labels, wrong = self._writer.read_labels(records, decoded.models)
        found = np.zeros(len(records), bool)
        for rows in labels.values():
            found[rows.index] = True
        # A label alone is no event; an event of no use is one also where its label is of use.
        rejected = {
            bad.index: bad
            for bad in decoded.rejected
            if not (found[bad.index] and bad.detail == NO_EVENT)
        }
        rejected.update({bad.index: bad for bad in wrong if not found[bad.index]})
        decoded.rejected = [rejected[place] for place in sorted(rejected)]
        if self._decoder is None:
            left = len(records) - int(found.sum()) - len(rejected) - decoded.tombstones
            decoded.unknown_model += left
        for name, rows in labels.items():
            self.tally.labels[name] += len(rows.index)
            self.tally.refused[name] += rows.refused
        for name, events in decoded.models.items():
            if events.ids is not None:
                alone = (events.ids == NO_ID) & ~found[events.index]  # no label of their own either
                lacking = ~self._writer.usable(name, events) & ~alone
                self.tally.without[name, "id"] += int(alone.sum())
                self.tally.without[name, "answer"] += int(lacking.sum())
        versions = {} if self._decoder is None else self._decoder.version_names
        batch = Batch(offsets, decoded.models, versions, labels)
        return list(self._writer.write(self._word(int(offsets[-1]) + 1), batch, now))

    def _count(
        self, model: SketchModel, rows: ModelRows, offsets: NDArray[np.int64]
    ) -> Iterable[Output]:
        """Count the rows of one model and yield what becomes final, event by event."""
        progress = self._progress[model.name]
        before = _NEVER if progress.horizon is None else progress.horizon
        newest = np.maximum.accumulate(rows.times)
        if progress.progress is not None:
            newest = np.maximum(newest, progress.progress)
        after = np.maximum((newest - model.grace) // model.every * model.every, before)
        closed = np.concatenate([[before], after[:-1]])  # the horizon each event finds
        starts = rows.times // model.every * model.every
        timely = starts + model.every > closed
        out: list[Output] = [*self._loss(model, rows.times)]
        self._add(model, rows, offsets, starts, timely)
        self.tally.counted[model.name] += int(timely.sum())
        self.tally.late[model.name] += int(len(timely) - timely.sum())
        for i in np.flatnonzero(after > closed).tolist():
            until = int(offsets[i]) + 1
            for pane in self._sorted_panes(model.name):
                if pane.end <= after[i]:
                    out += self._messages(pane, until)
                    del self._open[model.name][pane.start]
            progress.horizon, progress.progress = int(after[i]), int(newest[i])
            out.append(self._horizon(model.name, until))
        progress.progress = int(newest[-1])
        return out

    def _add(
        self,
        model: SketchModel,
        rows: ModelRows,
        offsets: NDArray[np.int64],
        starts: NDArray[np.int64],
        keep: NDArray[np.bool_],
    ) -> None:
        """Put the rows to keep into their panes."""
        panes = self._open[model.name]
        for start in np.unique(starts[keep]).tolist():
            chosen = keep & (starts == start)
            pane = panes.get(start)
            if pane is None:
                first = int(offsets[int(np.argmax(chosen))])
                pane = panes[start] = OpenPane(model, start, first)
            some: NDArray[np.bool_] | slice = slice(None) if chosen.all() else chosen
            pane.add(
                Columns(numeric=rows.columns.numeric[some], codes=rows.columns.codes[some]),
                rows.versions[some],
                {tag: codes[some] for tag, codes in rows.segments.items()},
                self._decoder.version_names[model.name] if self._decoder is not None else (),
            )

    def _loss(self, model: SketchModel, times: NDArray[np.int64]) -> list[Loss]:
        """Return the loss before these events, with the stretch of event time it may touch."""
        progress = self._progress[model.name]
        if progress.lost is None:
            return []
        first = int(times[0])
        low = first if progress.horizon is None else min(first, progress.horizon)
        high = first if progress.progress is None else max(first, progress.progress)
        loss = Loss(
            self.source.topic, self.source.partition, model.name, *progress.lost,
            low // model.every * model.every, (high // model.every + 1) * model.every,
        )  # fmt: skip
        progress.lost, progress.told = None, False
        return [loss]

    def _open_loss(self, name: str) -> list[Loss]:
        """Return the loss of a model that is silent since; nobody knows when it ends."""
        progress = self._progress[name]
        start = progress.progress if progress.horizon is None else progress.horizon
        if progress.lost is None or progress.told or start is None:
            return []
        progress.told = True
        every = self._models[name].every
        return [Loss(*self.source, name, *progress.lost, start // every * every, None)]

    def _reject(
        self, records: Sequence[Record], rejected: Sequence[Rejected]
    ) -> Iterable[DeadLetter]:
        for r in rejected:
            self.tally.rejected[r.reason] += 1
            yield DeadLetter(records[r.index], r.reason, r.detail)

    def _messages(self, pane: OpenPane, until: int) -> Iterable[Pane]:
        pane.sent = pane.events
        return pane.messages(self.source.topic, self.source.partition, until)

    def _horizon(self, name: str, until: int, *, idle: bool = False) -> Horizon:
        progress = self._progress[name]
        return Horizon(
            self.source.topic, self.source.partition, self.partitions, name,
            progress.horizon, progress.progress, until, self.generation,
            idle=idle, stale=progress.stale, held=self._held,
        )  # fmt: skip

    def _word(self, until: int | None = None) -> Horizon:
        """Return who speaks to the join, and from where; of which model the writer says."""
        at = self.position if until is None else until
        return Horizon(*self.source, self.partitions, "", None, None, at, self.generation)

    def _sorted_panes(self, name: str) -> list[OpenPane]:
        return sorted(self._open[name].values(), key=lambda pane: pane.start)
