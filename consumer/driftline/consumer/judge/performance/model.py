"""Judge of one model's performance by its labels: outcome panes in, verdicts and alerts out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from driftline.consumer.join.cells import EXPIRED, EXTRA_CELLS, labelled
from driftline.consumer.judge.features.reach import reach_of
from driftline.consumer.judge.labels.cohorts import Counted
from driftline.consumer.judge.lives.life import WindowTimes
from driftline.consumer.judge.model_streams import (
    PerformanceStreams,
    Shared,
    segment_streams,
)
from driftline.consumer.judge.performance.records import MetricWindow
from driftline.consumer.judge.performance.stream import MetricStream
from driftline.consumer.judge.state import PerformanceState
from driftline.consumer.judge.timeline import Timeline
from driftline.consumer.judge.windows.releases import SeenReleases
from driftline.consumer.judge.windows.track import DueSpan, Track
from driftline.consumer.wire.clock import Clock, by_source, listed
from driftline.consumer.wire.messages import Loss
from driftline.consumer.wire.records import Alert, Verdict
from driftline.detectors.grid import FloatArray
from driftline.detectors.reference import Reference
from driftline.detectors.tags import VERSION


@dataclass(frozen=True)
class Labelled:
    """What came in a window of one stream.

    Attributes:
        events: predictions.
        labelled, waiting, expired: those that got their label, that wait for it when the window
            ends, and whose label did not come in time.
    """

    events: int
    labelled: int
    waiting: int
    expired: int

    def record(self) -> dict[str, int]:
        """Return the counts as they stand in records."""
        return {"labelled": self.labelled, "waiting": self.waiting, "expired": self.expired}


class PerformanceJudge:
    """Judges the windows of labels of one model.

    Args:
        shared: what its streams share.
        references: what performance is compared with.
        state: as read from the log.

    Attributes:
        clock: how far each partition of the join has come.
        track: its windows, and the panes that they need.
        newest: what came in the last window, of the whole model.
        end: the time at which the model is removed, ms; None: it is not.
    """

    def __init__(self, shared: Shared, references: Timeline, state: PerformanceState) -> None:
        config, first = shared.config, references.first
        self._shared, self._config, self._references = shared, config, references
        self._tags = segment_streams(config, first)
        self._by_arrival = config.labels is not None and config.labels.by == "arrival"
        self._lives, self._firings = shared.lives, shared.firings
        self.clock = Clock(("joins",), by_source(state.sources))
        self._size = shared.known_outcomes(first).layout.size
        self.track = Track(
            config.window,
            config.window.every,
            (first.layout_id, first.id),
            self._size + EXTRA_CELLS,
            state.next,
            state.empty_since,
            state.next_pane,
        )
        self.track.losses = list(state.losses)
        self._now = PerformanceStreams.of(shared, references.at(self.track.judged), state)
        self.track.reach = self._now.reach
        self._waiting = dict(state.waiting)
        self._versions = SeenReleases({*config.releases} & {VERSION}, state.versions, {})
        self.newest: Labelled | None = None
        self.end: int | None = None

    @property
    def _streams(self) -> Sequence[MetricStream]:
        return self._now.metrics

    def rebase(self, reference: Reference, start: int) -> None:
        """Compare what comes from the pane at `start` (ms) on with another reference.

        What is past already, in the time of labels, is past.
        """
        judged = self.track.judged
        following = start if judged is None else max(start, judged + self._config.window.every)
        self._references.add(following, reference)

    def _turn(self, pane: int) -> None:
        """Let the reference hold that does for a pane, which starts at `pane` (ms)."""
        reference = self._references.at(pane)
        self._references.forget(pane)
        if reference is not self._now.reference:
            self._now = PerformanceStreams.of(self._shared, reference, self.state())

    def lose(self, loss: Loss, end: int) -> None:
        """Note a loss, which ends at `end` (ms).

        By prediction, lost labels may be those of predictions made a maturity before.
        """
        labels, back = self._config.labels, 0
        if loss.outcomes and labels is not None and labels.by == "prediction":
            back = labels.maturity
        self.track.losses.append((loss.start - back, end))

    def judge(self, may_judge: Callable[[int], bool]) -> Iterator[Verdict | Alert]:
        """Judge what is due; `may_judge`: whether a window that ends then (ms) may be judged."""
        final = self._final()
        if final is None:
            return
        for stretch in self.track.due(final, may_judge):
            yield from self._panes(stretch.end, may_judge)
            self._turn(stretch.end - self._config.window.every)
            if stretch.empty:
                for stream in self._streams:
                    yield from stream.empty(stretch)
            else:
                yield from self._window(stretch)
                self._leave(stretch.start)
        yield from self._panes(final, may_judge)

    @property
    def over(self) -> bool:
        """Whether all is judged that is joined before the model is removed."""
        end, now = self._end(), self.clock.now()
        return end is None or (now is not None and now >= end)

    def _end(self) -> int | None:
        """Return where the last pane ends that is joined before the model is removed, ms."""
        labels, every = self._config.labels, self._config.window.every
        if self.end is None or labels is None:
            return None
        return (self.end - (0 if self._by_arrival else labels.maturity)) // every * every

    def _final(self) -> int | None:
        """Return the time before which every pane of its life is final, ms."""
        now, end = self.clock.now(), self._end()
        return now if now is None or end is None else min(now, end)

    def _panes(self, until: int, may_judge: Callable[[int], bool]) -> Iterator[Alert]:
        """Add the panes that end at `until` (ms) or before to the evidence, in order."""
        panes, window = self.track.panes, self._config.window
        for start in self.track.panes_due(until, may_judge):
            end = start + window.every
            self._turn(start)
            if panes.foreign(start, end) or self.track.lost(start, end):
                continue
            # What is carried over waits at the start of the window that is judged next.
            first = start if self.track.next is None else self.track.next + window.every
            span = DueSpan(first - window.length, end)
            for stream in self._streams:
                yield from stream.pane(
                    start,
                    panes,
                    self._lives,
                    self._firings.features(stream.name, end),
                    self._incidents(end),
                    partial(self._waiting_in, span, stream.segment),
                    self._reach if stream.segment is None else nowhere,
                )

    def _waiting_in(self, span: DueSpan, segment: str | None) -> int:
        """Return how many predictions of a stream wait for their label at the end of a span."""
        return self._labelled(span, segment).waiting

    def _incidents(self, end: int) -> list[int]:
        """Return `since` (ms) of the incidents that an alert of a time may join."""
        open_ones = {
            life.incident for life in self._lives.values()
            if life.subject.is_realised and life.firing and life.incident is not None
        }  # fmt: skip
        return sorted(open_ones | {firing.incident for firing in self._firings.at(end)})

    def state(self) -> PerformanceState:
        """Return what is to be remembered."""
        return PerformanceState(
            sources=listed(self.clock.sources),
            next=self.track.next,
            empty_since=self.track.empty_since,
            losses=list(self.track.losses),
            waiting=dict(sorted(self._waiting.items())),
            history=self._now.flow.state(),
            versions=self._versions.versions,
            next_pane=self.track.next_pane,
            changes=[
                stream.changes.state() for stream in self._streams if stream.changes is not None
            ],
            variations=[stream.variation.state() for stream in self._streams],
        )

    def _window(self, stretch: DueSpan) -> Iterator[Verdict | Alert]:
        every = self._config.window.every
        times = WindowTimes(stretch.start, stretch.end, stretch.end - every)
        panes = self.track.panes
        reason = panes.change(stretch.start, stretch.end)
        if self.track.lost(stretch.start, stretch.end):
            reason = "labels of this time were deleted before they were read"
        alerts: list[Alert] = []
        began = self._versions.look(panes, times.newest, stretch.end)
        self._firings.forget(stretch.end)
        said = [stream.said(self._lives) for stream in self._streams]
        for stream in self._streams:
            found = self._labelled(stretch, stream.segment)
            counts = None
            if not panes.foreign(stretch.start, stretch.end):
                counts = panes.counts(stretch.start, stretch.end, stream.segment)
            window = MetricWindow(
                times,
                found.events,
                panes.versions(stretch.start, stretch.end, stream.segment),
                found.record(),
                self._firings.features(stream.name, stretch.end),
                began,
            )
            verdicts, written = stream.judge(
                window, None if counts is None else counts[: self._size], found.labelled, reason,
                self._lives, self._incidents(stretch.end),
                partial(stream.normal, stretch.start, stretch.end, panes),
                partial(self._reach if stream.segment is None else nowhere, stretch),
            )  # fmt: skip
            yield from verdicts
            alerts += written
            if stream.segment is None:
                self.newest = found
                if reason is None and counts is not None:
                    whole = Counted(found.events, counts[self._size :])
                    alerts += self._now.flow.look(times, whole, self._newest(times))
                else:
                    alerts += self._now.flow.miss(times, found.events)
        over: set[str] = set()
        for stream, before in zip(self._streams, said, strict=True):
            over |= before - stream.said(self._lives)
        for stream in self._streams:
            stream.renew(over, self._lives)
        yield from alerts

    def _reach(self, stretch: DueSpan) -> str:
        """Return in which segments more predictions are wrong than normally, in words."""
        if not self._streams[0].of_classes:
            return ""
        judges = {stream.segment: stream for stream in self._streams}

        def errors(segment: str) -> tuple[FloatArray, FloatArray]:
            counts = self.track.panes.counts(stretch.start, stretch.end, segment)
            return judges[segment].errors(counts[: self._size])

        return reach_of(self._tags, errors).text

    def _newest(self, times: WindowTimes) -> Counted:
        """Return what was counted of the whole model in the newest pane of a window."""
        start, end, panes = times.newest, times.end, self.track.panes
        extra = panes.counts(start, end, None)[self._size :]
        return Counted(panes.events(start, end, None), extra)

    def _labelled(self, stretch: DueSpan, segment: str | None) -> Labelled:
        """Return the labels that came in the panes of a range of time."""
        panes = self.track.panes
        events = panes.events(stretch.start, stretch.end, segment)
        if panes.foreign(stretch.start, stretch.end):
            return Labelled(events, 0, 0, 0)
        extra = panes.counts(stretch.start, stretch.end, segment)[self._size :]
        done, expired = labelled(extra), int(extra[EXPIRED])
        before = self._waiting.get(segment or "", 0) if self._by_arrival else 0
        return Labelled(events, done, max(before + events - done - expired, 0), expired)

    def _leave(self, start: int) -> None:
        """Carry over what waits of the window's first pane, which the next one does not hold."""
        first = DueSpan(start, start + self._config.window.every)
        for stream in self._streams:
            found = self._labelled(first, stream.segment)
            self._waiting[stream.segment or ""] = found.waiting


def nowhere(_: DueSpan) -> str:
    """Return that no segments are named, as a segment says of itself."""
    return ""
