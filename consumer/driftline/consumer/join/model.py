"""Join of one model in one partition of the log of joins: blocks in, panes and horizons out.

A deterministic function of the model's blocks there, in offset order. The rules of time and of
restart (docs/design.md) are kept here for this stage.

Rows are matched in order of time, so after a restart all rows from a time on, `since`, are read
again: of those before it nothing is left here. Reading begins at an offset before which there are
only such rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

import msgspec
import numpy as np
from msgspec.structs import replace

from driftline.consumer.join.codes import Codes
from driftline.consumer.join.future_rows import FutureRows
from driftline.consumer.join.matching import NEVER, Matching
from driftline.consumer.join.overflow import Overflow
from driftline.consumer.join.pane import OutcomeModel
from driftline.consumer.join.resume_points import ResumePoints, Source
from driftline.consumer.join.state import JoinState
from driftline.consumer.join.totals import JoinTotals
from driftline.consumer.join.waiting import EARLY, WAITING, Room
from driftline.consumer.log.protocol import Gap
from driftline.consumer.wire.clock import Clock, by_source, listed
from driftline.consumer.wire.join_rows import IdArray, JoinRows, unpack_rows
from driftline.consumer.wire.messages import Block, Horizon, Loss, Pane, Rows

Output = Pane | Horizon

# Ids that a state may name: 400 kB of labels that wait.
_MOST_IDS = 50_000


class ModelJoin:
    """Joins the predictions and labels of one model whose ids fall in one partition.

    Args:
        model: what is joined.
        topics: where its predictions and labels come from.
        room: how many rows may be here; of those that wait the oldest expire first.
        partition: number of the partition of the log of joins; `partitions`: how many it has.
        state: as read from the log; feeding starts at ``state.rewind``.
        totals: where to count the rows, by how each was used.

    Attributes:
        matching_type: how its rows are matched.
        position: everything before this offset has had its effect.
        until: the time from which on another version of the model holds, ms; None: there is none.
        begun: of an applied model, from which time on its life has rows, ms; None: it has but one.
    """

    matching_type: ClassVar[type[Matching]] = Matching

    def __init__(
        self,
        model: OutcomeModel,
        topics: Sequence[str],
        room: Room,
        partition: int,
        partitions: int,
        state: JoinState,
        totals: JoinTotals,
    ) -> None:
        self.model = model
        self._topics = topics
        self.totals = totals
        self.position = state.position
        self.rewind = state.rewind
        self._state = state
        self._partition, self._partitions = partition, partitions
        self._rebuilding = state.rewind < state.position
        sources = by_source(state.sources_at_rewind if self._rebuilding else state.sources)
        self._clock = Clock(topics, sources)
        self._codes = Codes(model.layout.classes, model.segments, model.layout.errors)
        closed = NEVER if state.closed is None else state.closed
        self._matching = self.matching_type(model, self._codes.names, closed)
        self._remember(state)
        self._resume_points = ResumePoints(
            state.rewind, {(t, p): until for t, p, until in state.positions}, sources
        )
        self._future = FutureRows(len(model.segments))
        self._room = room
        self._lifts = dict(state.lifts)
        self._overflow = Overflow(self._matching, self._apply, room.waiting, state.cut)
        self.until: int | None = None
        self.begun: int | None = None
        self._sent_horizon: int | None = None
        self._sent = False
        if not self._rebuilding:
            self._matching.totals = totals

    @property
    def models(self) -> tuple[str, ...]:
        """The models whose blocks it takes."""
        return (self.model.name,)

    def feed(self, block: Block, offset: int) -> Iterator[Output]:
        """Take in one block of the model; yield what becomes final.

        Before `position` rows fill the waiting ones and nothing else happens. Once it is outdated
        nothing does.
        """
        if self.outdated:
            return
        if self._rebuilding and offset >= self.position:
            self.catch_up()
        source = (block.horizon.source, block.horizon.partition)
        life = block.life or 0
        if self.begun is None or life == self.begun:
            if block.horizon.until > self._resume_points.positions.get(source, 0):
                self._take(block, source)
            self._clock.advance(block.horizon)
        elif life > self.begun:  # a source that speaks of the next life is through with this one
            self._clock.advance(replace(block.horizon, horizon=life, progress=None, idle=False))
        self._make_room(offset)
        self._resume_points.note(offset + 1, self._clock.sources)
        now = self._clock.now()
        if now is not None:
            self._pass(now)
        self.position = max(self.position, offset + 1)
        if not self._rebuilding:
            yield from self._final(now)

    @property
    def outdated(self) -> bool:
        """Whether another version of the model holds: it goes on from this one's state."""
        now = None if self.until is None or self._rebuilding else self._clock.now()
        return now is not None and self.until is not None and now >= self.until

    def catch_up(self) -> None:
        """End the reading of the past: what waits now is what waited then."""
        if not self._rebuilding:
            return
        state, matching = self._state, self._matching
        self._clock = Clock(self._topics, by_source(state.sources))
        now = self._clock.now()
        if now is not None:
            self._pass(now)
        if state.early is not None:
            early = matching.rows.in_state(EARLY)
            known = np.frombuffer(state.early, "<u8")
            matching.rows.remove(early[~np.isin(matching.rows.columns.ids[early], known)])
        matching.totals, matching.met = self.totals, None
        self._rebuilding = False

    def lost(self, gap: Gap) -> Loss | None:
        """Note that blocks were deleted unread; nothing is known of it before the first row."""
        if gap.begin >= self.position:  # else what is left of the past is still read again
            self.catch_up()
            self.position = gap.begin
        clock = self._clock
        if self._rebuilding:
            clock = Clock(self._topics, by_source(self._state.sources))
        closed, newest = self._matching.closed, clock.progress()
        if newest is None:
            return None
        start = newest if closed == NEVER else closed
        return Loss(
            "joins", self._partition, self.model.name, gap.wanted, gap.begin, start, newest + 1,
            outcomes=True,
        )  # fmt: skip

    def claim(self) -> Iterator[Output]:
        """Yield the first records of a new owner: older generations' idle marks are void now."""
        self._sent = False
        yield from self._final(self._clock.now())

    def state(self) -> JoinState | None:
        """Return the state record as of now; None while the past is still being read again."""
        if self._rebuilding:
            return None
        matching = self._matching
        self._resume_points.note(self.position, self._clock.sources, now=True)
        since = matching.first_time()
        if since is None:
            since = self._clock.now()
        if since is not None:
            since = matching.past_from(since)
        rewind, positions, sources_at_rewind = self._resume_points.before(
            NEVER if since is None else since
        )
        self._lifts = {offset: time for offset, time in self._lifts.items() if offset >= rewind}
        if since is not None:
            self._overflow.forget(since)
        early = matching.rows.columns.ids[matching.rows.in_state(EARLY)]
        met = matching.early_matches.since(NEVER if since is None else since)
        held, until = matching.reserved.across(NEVER if since is None else since)
        return JoinState(
            topic_id=self._state.topic_id,
            partitions=self._state.partitions,
            position=self.position,
            rewind=min(rewind, self.position),
            since=since,
            sources=listed(self._clock.sources),
            positions=sorted((*source, until) for source, until in positions.items()),
            sources_at_rewind=listed(sources_at_rewind),
            closed=None if matching.closed == NEVER else matching.closed,
            early=_named(early),
            met=None if met is None else _named(met),
            reserved_ids=held.astype("<u8").tobytes(),
            reserved_until=until.astype("<i8").tobytes(),
            cut=list(self._overflow.cuts),
            lifts=list(self._lifts.items()),
            life=msgspec.UNSET if self.begun is None else self.begun,
        )

    @property
    def waiting(self) -> int:
        """Predictions that wait for their label."""
        return self._matching.rows.count(WAITING)

    def _take(self, block: Block, source: Source) -> None:
        """Keep the rows of a block that are new until the clock has passed them."""
        newest = None
        if block.rows is not None:
            rows = self._new_rows(block, block.rows, self._resume_points.positions.get(source, 0))
            now = self._clock.now()
            if now is not None:
                # Its source was silent, and the clock did not wait: it has its effect now, because
                # what it would have been counted in may be final.
                rows.times = np.maximum(rows.times, now)
            newest = int(rows.times.max(initial=NEVER))
            if self._rebuilding and self._state.since is not None:
                rows = rows.select(rows.times >= self._state.since)
            self._future.add(source, rows)
        self._resume_points.take(source, block.horizon.until, newest)

    def _new_rows(self, block: Block, packed: Rows, positions: int) -> JoinRows:
        """Return the rows of a block that were not read before, in the codes of this join."""
        rows = unpack_rows(packed)
        return self._codes.translate(block, rows.select(rows.offsets >= positions))

    def _make_room(self, offset: int) -> None:
        """Lift the clock where too many rows wait for a source that is far behind.

        Which those are depends on the order of the blocks in the log, so a state keeps it.
        """
        time, before = self._lifts.get(offset), self._clock.now()
        if not self._rebuilding and self._future.held > self._room.ahead:
            time = self._future.time_leaving(self._room.ahead * 9 // 10)
        if time is not None and (before is None or before < time):
            self._lifts[offset] = time
            self._clock.lift(time)
            due = 0 if before is None else self._future.before(before)
            self._matching.totals.hurried += self._future.before(time) - due

    def _pass(self, now: int) -> None:
        """Match the rows that the clock has passed."""
        self._overflow.pass_on(self._future.due(now), now, again=self._rebuilding)
        self._matching.forget(now)

    def _apply(self, rows: JoinRows) -> None:
        if self._rebuilding and len(self._matching.reserved):
            rows = rows.select(~self._matching.reserved.holds(rows.ids, rows.times))
        self._matching.apply(rows)

    def _remember(self, state: JoinState) -> None:
        """Note what is known of rows that are not read again."""
        matching = self._matching
        if self._rebuilding and state.met is not None:
            matching.met = np.frombuffer(state.met, "<u8")
        if state.since is not None:
            ids, until = (np.frombuffer(*own) for own in (
                (state.reserved_ids, "<u8"), (state.reserved_until, "<i8"),
            ))  # fmt: skip
            before = np.full(len(ids), state.since - 1)
            matching.reserved.add(ids.astype(np.uint64), before, until.astype(np.int64))

    def _final(self, now: int | None) -> Iterator[Output]:
        """Yield the panes that are final at `now` (ms), then the horizon if it is a new one."""
        model, horizon = self.model, None
        if now is not None:
            # What comes then is counted by the next version; after a removal by nobody.
            now = now if self.until is None else min(now, self.until)
            horizon = (now - model.maturity) // model.every * model.every
            for pane in self._matching.close(horizon):
                yield from pane.messages(self._partition, self.position)
        if horizon != self._sent_horizon or not self._sent:
            self._sent_horizon, self._sent = horizon, True
            yield Horizon(
                "joins", self._partition, self._partitions, model.name, horizon,
                self._clock.progress(), self.position, 0, outcomes=True,
            )  # fmt: skip


def _named(ids: IdArray) -> bytes | None:
    """Return ids for the state; None if they are too many."""
    return np.sort(ids).astype("<u8").tobytes() if len(ids) <= _MOST_IDS else None
