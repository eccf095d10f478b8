"""Join of one model in one partition of the log of joins: blocks in, panes and horizons out.

A deterministic function of the model's blocks there, in offset order. The rules of time and of
restart (docs/design.md) are kept here for this stage.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
import numpy as np

from driftline.consumer.join.marks import Marks
from driftline.consumer.join.matching import NEVER, Matching, learn
from driftline.consumer.join.pane import OutcomeModel
from driftline.consumer.join.state import JoinState, JoinTally
from driftline.consumer.join.waiting import EARLY, WAITING
from driftline.consumer.log.clock import Clock, Heard
from driftline.consumer.log.join_rows import JoinRows, unpack_rows
from driftline.consumer.log.messages import Block, Horizon, Loss, Pane, Rows
from driftline.consumer.log.protocol import Gap
from driftline.detectors.grid import IntArray

Output = Pane | Horizon

# Ids that a state may name: 400 kB each of those that wait, and of those that met.
_MOST_IDS = 50_000
# Crowding is looked at when the clock passes a multiple of this, so that batches change nothing.
_LOOK = 60_000
_CUTS_KEPT = 64


class ModelJoin:
    """Joins the predictions and labels of one model whose ids fall in one partition.

    Args:
        model: what is joined.
        topics: where its predictions and labels come from.
        most: rows that may wait here; the oldest expire first.
        partition: number of the partition of the log of joins; `partitions`: how many it has.
        state: as read from the log; feeding starts at ``state.rewind``.
        tally: where to count what becomes of the rows.

    Attributes:
        position: everything before this offset has had its effect.
    """

    def __init__(
        self,
        model: OutcomeModel,
        topics: Sequence[str],
        most: int,
        partition: int,
        partitions: int,
        state: JoinState,
        tally: JoinTally,
    ) -> None:
        self.model = model
        self._topics, self._most = topics, most
        self.tally = tally
        self.position = state.position
        self.rewind = state.rewind
        self._state = state
        self._partition, self._partitions = partition, partitions
        self._rebuilding = state.rewind < state.position
        self._clock = Clock(topics, {} if self._rebuilding else _heard(state))
        closed = NEVER if state.closed is None else state.closed
        self._matching = Matching(model, closed)
        self._marks = Marks(state.rewind, {(t, p): until for t, p, until in state.taken})
        self._waiting: list[tuple[JoinRows, IntArray, IntArray]] = []  # rows, places, offsets
        self._sources: list[tuple[str, int]] = []
        self._versions: dict[str, int] = {}
        self._cut = list(state.cut)
        self._to_cut = list(state.cut)
        self._look = NEVER  # end of the last minute of rows applied: where crowding is looked at
        self._told: int | None = None
        self._said = False
        if not self._rebuilding:
            self._matching.tally = tally

    def feed(self, block: Block, offset: int) -> Iterator[Output]:
        """Take in one block of the model; yield what becomes final.

        Before `position` rows fill the waiting ones and nothing else happens.
        """
        if self._rebuilding and offset >= self.position:
            self.catch_up()
        source = (block.word.source, block.word.partition)
        taken = self._marks.taken.get(source, 0)
        if block.word.until > taken:
            if block.rows is not None:
                self._take(block, block.rows, source, taken, offset)
            self._marks.take(source, block.word.until)
        self._marks.note(offset + 1)
        self._clock.hear(block.word)
        now = self._clock.now()
        if now is not None:
            self._pass(now)
        self.position = max(self.position, offset + 1)
        if not self._rebuilding:
            yield from self._final(now)

    def catch_up(self) -> None:
        """End the reading of the past: what waits now is what waited then."""
        if not self._rebuilding:
            return
        state, matching = self._state, self._matching
        self._clock = Clock(self._topics, _heard(state))
        now = self._clock.now()
        if now is not None:
            self._pass(now)
        early = matching.rows.in_state(EARLY)
        known = np.frombuffer(state.early, "<u8")
        matching.rows.remove(early[~np.isin(matching.rows.columns.ids[early], known)])
        matching.tally = self.tally
        self._rebuilding = False

    def lost(self, gap: Gap) -> Loss | None:
        """Note that blocks were deleted unread; nothing is known of it before the first row."""
        self.catch_up()
        self.position = max(self.position, gap.begin)
        closed, newest = self._matching.closed, self._clock.progress()
        if newest is None:
            return None
        start = newest if closed == NEVER else closed
        return Loss(
            "joins", self._partition, self.model.name, gap.wanted, gap.begin, start, newest + 1,
            outcomes=True,
        )  # fmt: skip

    def claim(self) -> Iterator[Output]:
        """Yield the first words of a new owner."""
        self._said = False
        yield from self._final(self._clock.now())

    def state(self) -> JoinState | None:
        """Return the state record as of now; None while the past is still being read again."""
        if self._rebuilding:
            return None
        matching = self._matching
        self._marks.note(self.position, now=True)
        offsets = [int(at.min()) for _, _, at in self._waiting if at.size]
        first = matching.first_offset()
        offsets += [] if first is None else [first]
        rewind, taken = self._marks.before(min(offsets, default=self.position))
        early = matching.rows.in_state(EARLY)
        met = matching.anchors.met()
        return JoinState(
            topic_id=self._state.topic_id,
            partitions=self._state.partitions,
            position=self.position,
            rewind=min(rewind, self.position),
            heard=[
                (*key, msgspec.structs.replace(heard))
                for key, heard in sorted(self._clock.heard.items())
            ],
            taken=sorted((*source, until) for source, until in taken.items()),
            closed=None if matching.closed == NEVER else matching.closed,
            early=np.sort(matching.rows.columns.ids[early]).astype("<u8").tobytes(),
            met=np.sort(met).astype("<u8").tobytes() if len(met) <= _MOST_IDS else None,
            cut=list(self._cut),
        )

    @property
    def waiting(self) -> int:
        """Predictions that wait for their label."""
        return len(self._matching.rows.in_state(WAITING))

    def _take(
        self, block: Block, packed: Rows, source: tuple[str, int], taken: int, offset: int
    ) -> None:
        """Keep the rows of a block that are new until the clock has passed them."""
        rows = unpack_rows(packed, len(self.model.segments))
        if source not in self._sources:
            self._sources.append(source)
        rows = self._translate(block, rows.select(rows.offsets >= taken))
        n = len(rows)
        if n:
            places = np.full(n, self._sources.index(source))
            self._waiting.append((rows, places, np.full(n, offset)))

    def _translate(self, block: Block, rows: JoinRows) -> JoinRows:
        """Turn a block's own codes into those of this join, whose reference may be another."""
        names = self._matching.names
        rows.versions = learn(names, self._versions, block.versions)[rows.versions]
        classes = self.model.layout.classes
        if classes:
            place = [classes.index(c) if c in classes else len(classes) for c in block.classes]
            lookup = np.array([*place, len(classes)])
            rows.predicted = np.where(rows.labels, 0, lookup[rows.predicted])
            actual = lookup[np.where(rows.labels, rows.values, 0).astype(np.int64)]
            rows.values = np.where(rows.labels, actual, rows.values)
            rows = rows.select(~rows.labels | (rows.values < len(classes)))
        for number, (tag, own) in enumerate(self.model.segments.items()):
            listed = block.segments.get(tag, [])
            place = [own.index(v) if v in own else len(own) for v in listed]
            rows.segments[number] = np.array([*place, len(own)])[rows.segments[number]]
        return rows

    def _pass(self, now: int) -> None:
        """Let the rows that the clock has passed take effect."""
        rows, offsets = self._due(now)
        if self._rebuilding:
            start = self._cut_again(rows, offsets, now)
        else:
            start = self._cut_where_crowded(rows, offsets, now)
        self._apply(rows, offsets, slice(start, None))
        if len(rows):
            self._look = (int(rows.times[-1]) // _LOOK + 1) * _LOOK
        self._matching.forget(now)

    def _apply(self, rows: JoinRows, offsets: IntArray, some: slice) -> None:
        met = None
        if self._rebuilding and self._state.met is not None:
            met = np.frombuffer(self._state.met, "<u8")
        self._matching.apply(rows.select(some), offsets[some], met)

    def _due(self, now: int) -> tuple[JoinRows, IntArray]:
        """Take out the rows that the clock has passed, in the order in which they take effect."""
        none = np.zeros(0, np.int64)
        parts, left = [(JoinRows.none(len(self.model.segments)), none, none)], []
        for part in self._waiting:
            rows, places, offsets = part
            due = rows.times < now
            if due.all():
                parts.append(part)
            elif due.any():
                parts.append((rows.select(due), places[due], offsets[due]))
                left.append((rows.select(~due), places[~due], offsets[~due]))
            else:
                left.append(part)
        self._waiting = left
        rows = JoinRows.concatenate([rows for rows, _, _ in parts])
        places = np.concatenate([places for _, places, _ in parts])
        offsets = np.concatenate([offsets for _, _, offsets in parts])
        # Sources by name: in which order they were first heard must not matter.
        ranked = sorted(self._sources)
        rank = np.array([ranked.index(source) for source in self._sources], np.int64)
        order = np.lexsort((rows.labels, rows.offsets, rank[places], rows.times))
        return rows.select(order), offsets[order]

    def _cut_where_crowded(self, rows: JoinRows, offsets: IntArray, now: int) -> int:
        """Apply rows, minute by minute, while too many may wait; return how many were applied."""
        start = 0
        while len(self._matching.rows) + len(rows) - start > self._most:
            over = start == len(rows) or rows.times[start] >= self._look
            if over and self._look <= now:
                self._cut_down(self._look)
            if start == len(rows):
                break
            self._look = (int(rows.times[start]) // _LOOK + 1) * _LOOK
            end = int(np.searchsorted(rows.times, self._look))
            self._apply(rows, offsets, slice(start, end))
            start = end
        return start

    def _cut_down(self, at: int) -> None:
        """Let the oldest expire if too many wait at a time (ms)."""
        rows = self._matching.rows
        waits = np.concatenate([rows.in_state(state) for state in (WAITING, EARLY)])
        times = rows.columns.times[waits[rows.columns.until[waits] > at]]
        if len(times) > self._most:
            many = len(times) - self._most * 9 // 10
            up_to = int(np.partition(times, many - 1)[many - 1])
            self._matching.crowd_out(at, up_to)
            self._cut = [*self._cut, (at, up_to)][-_CUTS_KEPT:]

    def _cut_again(self, rows: JoinRows, offsets: IntArray, now: int) -> int:
        """Apply rows up to where the oldest expired before, and let them expire there again."""
        start = 0
        while self._to_cut and self._to_cut[0][0] <= now:
            at, up_to = self._to_cut.pop(0)
            end = int(np.searchsorted(rows.times, at))
            self._apply(rows, offsets, slice(start, end))
            self._matching.crowd_out(at, up_to)
            start = end
        return start

    def _final(self, now: int | None) -> Iterator[Output]:
        """Yield the panes that are final at `now` (ms), then the horizon if it is a new one."""
        model, horizon = self.model, None
        if now is not None:
            horizon = (now - model.maturity) // model.every * model.every
            for pane in self._matching.close(horizon):
                yield from pane.messages(self._partition, self.position)
        if horizon != self._told or not self._said:
            self._told, self._said = horizon, True
            yield Horizon(
                "joins", self._partition, self._partitions, model.name, horizon,
                self._clock.progress(), self.position, 0, outcomes=True,
            )  # fmt: skip


def _heard(state: JoinState) -> dict[tuple[str, int], Heard]:
    return {(topic, p): msgspec.structs.replace(heard) for topic, p, heard in state.heard}
