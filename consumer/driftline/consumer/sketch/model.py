"""Sketch of one model in one input partition: its open panes, and how far it has come."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

import msgspec
import numpy as np
from msgspec import UNSET
from numpy.typing import NDArray

from driftline.consumer.log.protocol import Gap, TopicPartition
from driftline.consumer.sketch.decode import ModelRows
from driftline.consumer.sketch.later import Versions
from driftline.consumer.sketch.later_rows import read_as
from driftline.consumer.sketch.open_pane import OpenPane, SketchModel
from driftline.consumer.sketch.pane_counts import PaneSource
from driftline.consumer.sketch.state import ClosedPane, ModelProgress
from driftline.consumer.wire.messages import Horizon, Loss, ModelChange, Pane
from driftline.consumer.wire.samples import Hashes, event_hashes
from driftline.detectors.grid import IntArray

_NEVER = -(1 << 62)


class ModelSketch:
    """Counts the events of one model in one input partition.

    Attributes:
        progress: how far it has come.
        keeps: whether panes that are final are kept until they are released, so that they can be
            added up with those of other partitions; else they are sent at once.

    Args:
        source: the partition.
        model: what is counted, or its versions where others are still to come.
        progress: as read from the log; counting moves it on.
    """

    def __init__(
        self, source: TopicPartition, model: SketchModel | Versions, progress: ModelProgress
    ) -> None:
        self._source = source
        self._versions = model if isinstance(model, Versions) else Versions(model)
        self._model = self._versions.present
        self.progress = progress
        self.open: dict[int, OpenPane] = {}  # and those that are final and kept
        self.keeps = False
        self._gone: dict[int, Gap] = {}  # kept panes of which records were deleted, by start
        self._marked: int | None = None  # when its idle mark was sent last

    @property
    def closed(self) -> Mapping[int, ClosedPane]:
        """Panes that are final and kept, by start."""
        return self.progress.closed or {}

    def kept(self, start: int) -> tuple[OpenPane, PaneSource] | Pane | Loss:
        """Return a pane that is kept, and whose count it is; else what is sent in its place.

        Of one that an earlier configuration counted that is a pane of its layout without counts.
        """
        one, name = self.closed[start], self._model.name
        if (gap := self._gone.get(start)) is not None:
            return Loss(*self._source, name, gap.wanted, gap.begin, start, start + one.length)
        source = PaneSource(*self._source, one.first, one.until)
        if (pane := self.open.get(start)) is not None:
            return pane, source
        return Pane(
            *self._source, name, start, one.length, one.layout_id, one.first, one.until, 0, 0, []
        )

    def release(self, starts: Collection[int], horizon: Horizon) -> Horizon:
        """Forget panes that were sent; return how far the model has come, as of that."""
        for start in starts:
            self.open.pop(start, None)
        left = {start: until for start, until in self.closed.items() if start not in starts}
        self.progress.closed = left or UNSET
        return self.horizon(horizon)

    def first(self) -> int | None:
        """Return the smallest offset that anything still open was counted from."""
        return min((pane.first for pane in self.open.values()), default=None)

    def count(
        self,
        rows: ModelRows,
        offsets: IntArray,
        versions: Sequence[str],
        horizon: Horizon,
        now: int,
    ) -> tuple[int, int, list[Pane | Horizon | Loss]]:
        """Count rows; return how many were counted and late, and what is final, event by event.

        Args:
            rows: of the model, in the order of their offsets.
            offsets: of each row.
            versions: names that the rows' version codes stand for.
            horizon: the owner and the offset.
            now: wall-clock time, ms.
        """
        model, progress = self._model, self.progress
        progress.active_at, progress.stale, self._marked = now, False, None
        before = _NEVER if progress.horizon is None else progress.horizon
        newest = np.maximum.accumulate(rows.times)
        if progress.progress is not None:
            newest = np.maximum(newest, progress.progress)
        after = np.full(len(newest), before)
        if model.times.ordered:
            after = np.maximum(self._versions.closed(newest), before)
        closed = np.concatenate([[before], after[:-1]])  # the horizon each event finds
        starts, ends = self._versions.starts(rows.times)
        own = self._versions.counted(rows.times) & (offsets >= progress.start)
        timely = own & (ends > closed)
        out: list[Pane | Horizon | Loss] = [*self._loss(rows.times)]
        self._add(rows, offsets, versions, starts, timely)
        for i in np.flatnonzero(after > closed).tolist():
            progress.progress = int(newest[i])
            until = msgspec.structs.replace(horizon, until=int(offsets[i]) + 1)
            out += self._close(int(after[i]), until)
        progress.progress = int(newest[-1])
        return int(timely.sum()), int((own & ~timely).sum()), out

    def close(self, time: int, horizon: Horizon, *, whole: bool) -> Iterator[Pane | Horizon | Loss]:
        """Close panes of a set of rows; see `PartitionSketch.close`."""
        newest, model = self.progress.progress, self._model
        if newest is None:
            return
        last = model.times.step_end(newest) if whole else newest - model.times.grace
        after = min(time, last) // model.pane * model.pane
        if self.progress.horizon is None or after > self.progress.horizon:
            yield from self._close(after, horizon)

    def recount(self, rows: ModelRows, offsets: IntArray, versions: Sequence[str]) -> None:
        """Count again what is still open, without any other effect; see `count`."""
        starts, ends = self._versions.starts(rows.times)
        horizon = _NEVER if self.progress.horizon is None else self.progress.horizon
        keep = ends > horizon
        for start, one in self.closed.items():
            model = self._versions.model(int(self._versions.of(np.array([start]))[0]))
            if model is not None and (model.layout_id, model.pane) == (one.layout_id, one.length):
                keep |= (starts == start) & (offsets < one.until)
        keep &= offsets >= self.progress.start
        keep &= self._versions.counted(rows.times)
        self._add(rows, offsets, versions, starts, keep)

    def is_silent(self, now: int, idle_after: int) -> bool:
        """Return whether an idle mark is due: for `idle_after` (ms) neither it nor an event."""
        since = self.progress.active_at if self._marked is None else self._marked
        return now - since >= idle_after and not self.closed

    def is_stale(self, now: int) -> bool:
        """Return whether a silence of `stale_after` at `now` (ms) is still to be reported."""
        after, progress = self._model.times.stale_after, self.progress
        if after is None or now - progress.active_at < after or self.closed:
            return False
        return bool(self.open) or not progress.stale

    def idle(self, horizon: Horizon, now: int) -> Iterator[Pane | Horizon | Loss]:
        """Yield the open panes as they stand, and an idle mark."""
        self._marked = now
        yield from self._open_loss()
        for pane in self._panes():
            if pane.events > pane.sent:
                yield from self._messages(pane, horizon.until)
        ended = self._versions.ended
        if ended is not None and now >= ended + self._model.times.grace:
            yield from self.end(ended, horizon)
        # What it counts when it is applied again may be there already: time must not pass that.
        if ended is None or now < ended or not self._versions.again:
            yield self.horizon(horizon, idle=True)

    def cut(self, until: int) -> Iterator[Pane]:
        """Yield the open panes as counted up to offset `until`; see `PartitionSketch.cut`."""
        for pane in self._panes():
            closed = self.closed.get(pane.start)
            yield from self._messages(pane, until if closed is None else closed.until)
        self.open.clear()
        self.progress.closed = UNSET

    def end(self, time: int, horizon: Horizon) -> Iterator[Pane | Horizon]:
        """Close all panes of a model that is counted no more from a time (ms) on."""
        known = self.progress.horizon
        yield from self.cut(horizon.until)
        self.progress.horizon = time if known is None else max(time, known)
        yield self.horizon(horizon)

    @property
    def changes(self) -> Sequence[ModelChange]:
        """What the judge is to know of the versions."""
        return self._versions.changes

    @property
    def settled(self) -> bool:
        """Whether no event that is still to be counted belongs to the present version."""
        later, progress = self._versions.later, self.progress
        if not later or any(pane.model is self._model for pane in self.open.values()):
            return False
        return progress.horizon is not None and progress.horizon >= later[0].first

    def stale(self, horizon: Horizon) -> Iterator[Pane | Horizon | Loss]:
        """Close the panes of a model that is stale."""
        progress = self.progress
        progress.stale = True
        yield from self._open_loss()
        ends = [pane.model.times.step_end(pane.start) for pane in self._panes()]
        if progress.progress is not None:  # what it was counted in may have been cut
            newest = self._versions.model(int(self._versions.of(np.array([progress.progress]))[0]))
            ends += [newest.times.step_end(progress.progress)] if newest is not None else []
        if (ended := self._versions.ended) is not None:
            ends = [min(end, ended) for end in ends]
        ends += [] if progress.horizon is None else [progress.horizon]  # a version may have ended
        progress.horizon = max(ends, default=None)
        yield from self.cut(horizon.until)
        yield self.horizon(horizon)

    def lost(self, gap: Gap, *, refused: bool = False) -> None:
        """Note records that are never read; see `PartitionSketch.lost`."""
        self._gone |= {
            start: gap
            for start, one in self.closed.items()
            if one.first < gap.begin and one.until > gap.wanted
        }
        known = self.progress.lost or (gap.wanted, gap.begin)
        self.progress.lost = (min(known[0], gap.wanted), max(known[1], gap.begin))
        self.progress.refused, self.progress.reported = refused, False

    def horizon(self, horizon: Horizon, *, idle: bool = False) -> Horizon:
        """Return how far the model has come; `horizon`: of the owner and the offset."""
        progress = self.progress
        return msgspec.structs.replace(
            horizon, model=self._model.name, horizon=progress.sent, progress=progress.progress,
            idle=idle, stale=progress.stale,
        )  # fmt: skip

    def _add(
        self,
        rows: ModelRows,
        offsets: IntArray,
        versions: Sequence[str],
        starts: IntArray,
        keep: NDArray[np.bool_],
    ) -> None:
        """Put the rows to keep into their panes."""
        hashes = event_hashes(self._source.partition, offsets)
        for start in np.unique(starts[keep]).tolist():
            chosen = keep & (starts == start)
            if not self._versions.later:
                self._count(start, rows, chosen, offsets, hashes, versions)
                continue
            for number in np.unique(self._versions.of(rows.times[chosen])).tolist():
                here = np.flatnonzero(chosen & (self._versions.of(rows.times) == number))
                read, places = read_as(rows, number, here)
                names = rows.later[number - 1].names if number else versions
                mask = np.zeros(len(read.index), np.bool_)
                mask[places] = True
                if places.size:
                    self._count(start, read, mask, *_as_read(rows, read, offsets, hashes), names)

    def _count(
        self,
        start: int,
        rows: ModelRows,
        chosen: NDArray[np.bool_],
        offsets: IntArray,
        hashes: Hashes,
        versions: Sequence[str],
    ) -> None:
        """Put the chosen rows into the pane that begins at `start` (ms)."""
        pane = self.open.get(start)
        if pane is None:
            first = int(offsets[int(np.argmax(chosen))])
            time = rows.times[chosen][:1]
            model = self._versions.model(int(self._versions.of(time)[0]))
            pane = self.open[start] = OpenPane(model or self._model, start, first)
        places = np.flatnonzero(chosen)
        some: IntArray | slice = slice(None) if len(places) == len(chosen) else places
        pane.sample.add(pane.model.listed, rows, places, hashes)
        pane.add(
            rows.columns if isinstance(some, slice) else rows.columns.take(some),
            rows.versions[some],
            {tag: codes[some] for tag, codes in rows.segments.items()},
            versions,
            {tag: (codes[some], names) for tag, (codes, names) in rows.tags.releases.items()},
        )

    def _loss(self, times: IntArray) -> Iterator[Loss]:
        """Yield the loss before these events, with the range of event time that it may concern."""
        model, progress = self._model, self.progress
        if progress.lost is None:
            return
        first = int(times[0])
        low = first if progress.horizon is None else min(first, progress.horizon)
        high = first if progress.progress is None else max(first, progress.progress)
        yield Loss(
            *self._source, model.name, *progress.lost,
            low // model.pane * model.pane, (high // model.pane + 1) * model.pane,
            refused=progress.refused,
        )  # fmt: skip
        progress.lost, progress.reported = None, False

    def _open_loss(self) -> Iterator[Loss]:
        """Yield the loss of a model that is silent since; its end is not known."""
        progress, pane = self.progress, self._model.pane
        start = progress.progress if progress.horizon is None else progress.horizon
        if progress.lost is not None and not progress.reported and start is not None:
            progress.reported = True
            yield Loss(
                *self._source, self._model.name, *progress.lost, start // pane * pane, None,
                refused=progress.refused,
            )  # fmt: skip

    def _close(self, after: int, horizon: Horizon) -> Iterator[Pane | Horizon]:
        """Yield the panes that end at `after` (ms) or before, and how far the model has come.

        Where they are kept, that is told when they are released.
        """
        for pane in self._panes():
            if pane.end > after or pane.start in self.closed:
                continue
            if self.keeps:
                model = pane.model
                one = ClosedPane(pane.first, horizon.until, model.pane, model.layout_id)
                self.progress.closed = {**self.closed, pane.start: one}
                continue
            yield from self._messages(pane, horizon.until)
            del self.open[pane.start]
        self.progress.horizon = after
        if not self.closed:
            yield self.horizon(horizon)

    def _messages(self, pane: OpenPane, until: int) -> Iterable[Pane]:
        pane.sent = pane.events
        return pane.messages(*self._source, until)

    def _panes(self) -> list[OpenPane]:
        return sorted(self.open.values(), key=lambda pane: pane.start)


def _as_read(
    rows: ModelRows, read: ModelRows, offsets: IntArray, hashes: Hashes
) -> tuple[IntArray, Hashes]:
    """Return offsets and hashes in the order of the rows that another version reads."""
    if read is rows:
        return offsets, hashes
    places = np.minimum(np.searchsorted(rows.index, read.index), len(rows.index) - 1)
    return offsets[places], hashes[places]
