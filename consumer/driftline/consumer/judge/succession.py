"""The judge of an applied model: it judges by one version, until the first pane of the next one.

Which version that is depends on the log of panes alone: a change counts when it is read there, and
the first of a version holds. At its first pane, or at once where that is past, the judge stops, and
another one goes on from its state.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from driftline.consumer.judge.lives.life import WindowTimes
from driftline.consumer.judge.model import ModelJudge
from driftline.consumer.judge.records import Cause, JudgedWindow
from driftline.consumer.judge.sentence import Wording
from driftline.consumer.judge.state import JudgedVersion, JudgeState, PerformanceState
from driftline.consumer.log.protocol import Gap
from driftline.consumer.wire.clock import Listed
from driftline.consumer.wire.messages import ModelChange, Pane, PanesMessage
from driftline.consumer.wire.records import Alert, Verdict

_PAST_KEPT = 32  # versions
# Where the join of a removed model failed, or nobody runs it, its labels are not waited for longer.
_LABELS_AWAITED_MS = 10 * 60_000
_REMOVED = "removed, so it is watched no more"


def take(known: JudgedVersion, change: ModelChange) -> JudgedVersion:
    """Return what is known once a change was read.

    >>> known = take(JudgedVersion("a"), ModelChange("m", "b", "", "", 50))
    >>> known = take(known, ModelChange("m", "b", "", "", 70))
    >>> [(change.version, change.first) for change in known.ahead]
    [('b', 50)]
    """
    ids = {known.version, *known.past, *(each.version for each in known.ahead)}
    if change.version in ids:
        return known
    ahead = sorted([*known.ahead, change], key=lambda each: each.first)
    return msgspec.structs.replace(known, ahead=ahead)


def follow(known: JudgedVersion, evidence: str | None = None) -> JudgedVersion:
    """Return what is known once the next version holds.

    `evidence`: the version whose reference the evidence is of, which goes on; None: none does.
    """
    change, *ahead = known.ahead
    past = [*known.past, known.version][-_PAST_KEPT:]
    begun = change.first if known.removed else known.begun
    followed = JudgedVersion(change.version, past, ahead, change.removed, begun)
    if evidence is not None and not change.removed:
        followed.before = (evidence, change.first)
    return followed


class AppliedJudge(ModelJudge):
    """Judges one version of a model; its state says which, and what comes after it.

    Once it is outdated it takes nothing in.
    """

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        known = self._state.version
        self._known = JudgedVersion("") if known is msgspec.UNSET else known
        self._waits: int | None = None  # for labels alone, since then (wall clock, ms)
        self._look_ahead()

    def feed(self, message: PanesMessage, offset: int) -> Sequence[Verdict | Alert]:
        """Take in one message of the model; see `ModelJudge.feed`."""
        if self.outdated:
            return ()
        past = offset < self.position
        if isinstance(message, ModelChange):
            if not past:
                self._known = take(self._known, message)
                self._look_ahead()
                self.position = offset + 1
            out: list[Verdict | Alert] = []
        elif isinstance(message, Pane) and message.start < (self._known.begun or 0):
            self.position = max(self.position, offset + 1)
            return ()
        else:
            out = list(super().feed(message, offset))
        if not past and self._judged_all() and self._labels_over:
            out += self._hand_over(offset)
        return out

    def tick(self, now: int) -> list[Alert]:
        """Look at the wall clock (ms); see `ModelJudge.tick`."""
        if self.outdated:
            return []
        found = super().tick(now)
        self._waits = (self._waits or now) if self._judged_all() else None
        if self._waits is not None and now - self._waits >= _LABELS_AWAITED_MS:
            found += self._hand_over(self.position)
        return found

    def lost(self, gap: Gap) -> Sequence[Alert]:
        """Take in that panes were deleted unread; see `ModelJudge.lost`."""
        return () if self.outdated else super().lost(gap)

    def state(self) -> JudgeState:
        """Return the state record as of now; once it is outdated, that of its successor."""
        state = super().state()
        if not self.outdated and self._known.before and self._has_come(self._known.before[1]):
            self._known.before = msgspec.UNSET
        state.version = self._known
        if not self._known.removed:
            return state
        # Panes of its next life may be there before the last ones of this life are.
        return retired(state, self.needed_from(self.until) if self._known.ahead else state.position)

    def _has_come(self, first: int) -> bool:
        """Return whether all is compared with the reference that holds from a pane (ms) on."""
        tracks = [self.track, *([] if self.performance is None else [self.performance.track])]
        return all(each.judged is None or each.judged >= first for each in tracks)

    def _evidence(self) -> str | None:
        """Return the version whose reference the evidence is of; None: there is none yet."""
        before, judged = self._known.before, self.track.judged
        if judged is None:
            return None
        if before and judged < before[1] and self._references.first is not self._references.last:
            return before[0]
        return self._known.version

    def _look_ahead(self) -> None:
        ahead = self._known.ahead
        self.until = ahead[0].first if ahead else None
        if self.performance is not None:
            self.performance.end = self.until if ahead and ahead[0].removed else None

    def _judged_all(self) -> bool:
        """Return whether all events before the next version are judged."""
        final = self.final()
        return self.until is not None and final is not None and final >= self.until

    @property
    def _labels_over(self) -> bool:
        """Whether all labels are that come before the model is removed, where it is."""
        return self.performance is None or self.performance.over

    def _hand_over(self, offset: int) -> Iterator[Alert]:
        """Stop at a message: it is fed to the successor again, which judges what is left."""
        time = self.until or 0
        self._known = follow(self._known, self._evidence())
        self.outdated, self.position = True, offset
        if self._known.removed:
            yield from self._resolve(time)

    def _resolve(self, time: int) -> Iterator[Alert]:
        """Yield the end of each alert that fires: nothing would tell when it is over."""
        times = WindowTimes(time, time, time)
        for _, life in sorted(self._lives.items()):
            if life.firing and not life.silent:
                life.firing, life.revision = False, life.revision + 1
                cause = Cause(wording=Wording(f"{_REMOVED}.", _REMOVED))
                yield self.writer(life.stream).alert(life, JudgedWindow(times, 0, {}), cause)


class RetiredJudge:
    """Stands for the judge of a model that was removed, until it is applied again.

    Args:
        name: of the model.
        state: as read from the log.
    """

    def __init__(self, name: str, state: JudgeState) -> None:
        self.name = name
        self.position, self.rewind = state.position, state.position
        self.alert_ends = list(state.alert_ends)
        self._state = state
        self._known = JudgedVersion("") if state.version is msgspec.UNSET else state.version
        self._early = self.outdated = bool(self._known.ahead)  # it was applied again before
        if self.outdated:
            self._known = follow(self._known)

    def feed(self, message: PanesMessage, offset: int) -> Sequence[Verdict | Alert]:
        """Look whether the model is applied again; all else is left over from before."""
        if self.outdated or offset < self.position:
            return ()
        self.position = offset + 1
        if isinstance(message, ModelChange):
            self._known = take(self._known, message)
            if self._known.ahead:
                self._known = follow(self._known)
                self.outdated, self.position = True, offset
        return ()

    def tick(self, now: int) -> list[Alert]:
        """Nothing here depends on the wall clock."""
        return []

    def lost(self, gap: Gap) -> Sequence[Alert]:
        """Take in that panes were deleted unread: nothing waits for them."""
        return ()

    def state(self) -> JudgeState:
        """Return the state record as of now."""
        state = msgspec.structs.replace(self._state, position=self.position, version=self._known)
        state.alert_ends = list(self.alert_ends)
        return retired(state, state.rewind if self._early else state.position)


def retired(state: JudgeState, rewind: int) -> JudgeState:
    """Return what is kept of a model that was removed: where it was, not what was known of it.

    `rewind`: the smallest offset of what is needed of its next life.
    """

    # Who owns each partition is still so: what a worker that slept says of it counts for nothing.
    def past(sources: Listed) -> Listed:
        return [
            (topic, place, replace(one, stale=False, idle=False, held=False))
            for topic, place, one in sources
        ]

    return JudgeState(
        position=state.position,
        rewind=rewind,
        topic_id=state.topic_id,
        partitions=state.partitions,
        sources=past(state.sources),
        alert_ends=state.alert_ends,
        performance=PerformanceState(sources=past(state.performance.sources)),
        version=state.version,
    )
