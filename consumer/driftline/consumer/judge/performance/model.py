"""Judge of one model's performance by its labels: outcome panes in, verdicts and alerts out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from driftline.consumer.config import ModelConfig
from driftline.consumer.join.cells import EXPIRED, EXTRA_CELLS, labelled
from driftline.consumer.judge.features.reach import reach_of
from driftline.consumer.judge.labels.cohorts import Counted
from driftline.consumer.judge.labels.flow import LabelFlow
from driftline.consumer.judge.lives.firing_times import FiringTimes
from driftline.consumer.judge.lives.life import Lives, WindowTimes
from driftline.consumer.judge.performance.records import MetricWindow
from driftline.consumer.judge.performance.stream import MetricStream
from driftline.consumer.judge.state import PerformanceState
from driftline.consumer.judge.windows.panes import SeenVersions
from driftline.consumer.judge.windows.track import DueSpan, Track
from driftline.consumer.wire.clock import Clock, by_source, listed
from driftline.consumer.wire.messages import Loss
from driftline.consumer.wire.records import Alert, Verdict
from driftline.detectors.grid import FloatArray


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
        config: the model's configuration.
        layouts: ids of the layout that its panes are counted in, see `PaneStore`.
        streams: the judges of its streams, of the whole model first.
        flow: watches how its labels come.
        lives: the model's alert lives, which judging moves on.
        firings: which alerts on features fired when.
        state: as read from the log.
        tags: the segments of each tag.

    Attributes:
        clock: how far each partition of the join has come.
        track: its windows, and the panes that they need.
        newest: what came in the last window, of the whole model.
    """

    def __init__(
        self,
        config: ModelConfig,
        layouts: Sequence[str],
        streams: Sequence[MetricStream],
        flow: LabelFlow,
        lives: Lives,
        firings: FiringTimes,
        state: PerformanceState,
        tags: Mapping[str, Sequence[str]],
    ) -> None:
        self._config, self._streams, self._flow = config, streams, flow
        self._tags = tags
        self._by_arrival = config.labels is not None and config.labels.by == "arrival"
        self._lives, self._firings = lives, firings
        self.clock = Clock(("joins",), by_source(state.sources))
        self.track = Track(
            config.window,
            config.window.every,
            layouts,
            streams[0].size + EXTRA_CELLS,
            state.next,
            state.empty_since,
            state.next_pane,
        )
        watched = [stream.changes for stream in streams if stream.changes is not None]
        self.track.reach = max((changes.reach() for changes in watched), default=0)
        self.track.losses = list(state.losses)
        self._size = streams[0].size
        self._waiting = dict(state.waiting)
        self._versions = SeenVersions(state.versions)
        self.newest: Labelled | None = None

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
        final = self.clock.now()
        if final is None:
            return
        for stretch in self.track.due(final, may_judge):
            yield from self._panes(stretch.end, may_judge)
            if stretch.empty:
                for stream in self._streams:
                    yield from stream.empty(stretch)
            else:
                yield from self._window(stretch)
                self._leave(stretch.start)
        yield from self._panes(final, may_judge)

    def _panes(self, until: int, may_judge: Callable[[int], bool]) -> Iterator[Alert]:
        """Add the panes that end at `until` (ms) or before to the evidence, in order."""
        panes, window = self.track.panes, self._config.window
        for start in self.track.panes_due(until, may_judge):
            end = start + window.every
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
            history=self._flow.state(),
            versions=list(self._versions.seen),
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
        new_version = self._versions.look(panes.versions(times.newest, stretch.end, None))
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
                new_version,
            )
            verdicts, written = stream.judge(
                window, None if counts is None else counts[: self._size], found.labelled, reason,
                self._lives, self._incidents(stretch.end),
                partial(self._reach if stream.segment is None else nowhere, stretch),
            )  # fmt: skip
            yield from verdicts
            alerts += written
            if stream.segment is None:
                self.newest = found
                if reason is None and counts is not None:
                    whole = Counted(found.events, counts[self._size :])
                    alerts += self._flow.look(times, whole, self._newest(times))
                else:
                    alerts += self._flow.miss(times, found.events)
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
