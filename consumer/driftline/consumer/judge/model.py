"""Judge of one model: its clock, its windows, their verdicts, and its alerts' lives.

A deterministic function of the model's messages in the log of panes, in offset order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from driftline.consumer.config import ModelConfig
from driftline.consumer.judge.features.causes import Causes
from driftline.consumer.judge.features.new_fields import NewFields
from driftline.consumer.judge.features.rules import RuleBook
from driftline.consumer.judge.features.stream import StreamJudge, StreamWindow
from driftline.consumer.judge.labels.flow import LabelFlow
from driftline.consumer.judge.lives.firing_times import FiringTimes
from driftline.consumer.judge.lives.life import Lives, WindowTimes
from driftline.consumer.judge.lives.operational import OperationalAlerts
from driftline.consumer.judge.performance.estimates import EstimateStream, estimate_cells
from driftline.consumer.judge.performance.model import PerformanceJudge
from driftline.consumer.judge.performance.rules import performance_tests, watched_metrics
from driftline.consumer.judge.performance.stream import MetricStream
from driftline.consumer.judge.records import AlertIdentity, RecordWriter
from driftline.consumer.judge.state import JudgeState
from driftline.consumer.judge.volume import VolumeJudge
from driftline.consumer.judge.windows.panes import TWO_CONFIGURATIONS, SeenVersions
from driftline.consumer.judge.windows.passed_over import PassedOver
from driftline.consumer.judge.windows.track import DueSpan, Track
from driftline.consumer.log.protocol import Gap
from driftline.consumer.wire.clock import Clock, by_source, listed
from driftline.consumer.wire.kinds import DRIFT, ON_THE_WHOLE_MODEL
from driftline.consumer.wire.messages import Horizon, Loss, Pane, PanesMessage
from driftline.consumer.wire.records import Alert, Verdict
from driftline.consumer.wire.subject import Subject
from driftline.detectors import few_values
from driftline.detectors.budget import stream_share
from driftline.detectors.outcomes import Outcomes
from driftline.detectors.reference import OTHER, Reference

# Effects of an alert remembered within a horizon of labels, to name the worst feature first.
_EFFECTS_KEPT = 32


class ModelJudge:
    """Judges the windows of one model.

    Args:
        name: the model.
        config: its configuration.
        reference: what its windows are compared with.
        pane: length of the panes of its events, ms.
        state: as read from the log; feeding starts at ``state.rewind``.
        outcomes: of the reference, where performance is watched: by labels, or by estimates.
        passed_over: where to count, by reason, events that are in no verdict.
    """

    def __init__(
        self,
        name: str,
        config: ModelConfig,
        reference: Reference,
        pane: int,
        state: JudgeState,
        outcomes: Outcomes | None,
        passed_over: Counter[str],
    ) -> None:
        self.name = name
        self._state = state
        self._config = config
        self.position = state.position
        self.rewind = state.rewind  # where its reading began
        self.alert_ends = list(state.alert_ends)
        self.clock = Clock(config.predictions, by_source(state.sources))
        self.mixed = 0  # windows whose panes were counted with two configurations
        self._passed_over = PassedOver(passed_over, self.clock.sources)
        self._every, self._pane = config.window.every, pane
        self._versions = SeenVersions(state.versions)
        self.track = Track(
            config.window,
            pane,
            (reference.layout_id, reference.id),
            reference.layout.size + estimate_cells(reference),
            state.next,
            state.empty_since,
            state.next_pane,
        )
        self.track.losses = list(state.losses)
        self.track.refused = list(state.refused)
        streams = reference_streams(config, reference)
        counts = reference.counts[[reference.position[stream] for stream in streams]]
        few = few_values(reference.layout, counts)
        more, parts = performance_tests(config, outcomes), len(streams) - 1
        rules = {
            whole: RuleBook(
                config, reference.layout, stream_share(parts, whole=whole), more, few, pane
            )
            for whole in ((True, False) if parts else (True,))
        }
        writers = [RecordWriter.of(name, stream, config, reference) for stream in streams]
        self._writers = {records.stream: records for records in writers}
        watched = {
            *map(Subject.feature, rules[True].watched_names),
            *watched_metrics(config, outcomes),
        }
        # What the configuration no longer watches would fire for ever: nothing could resolve it.
        self._lives: Lives = {}
        self._new_fields = NewFields(writers[0], config, reference, self._lives)
        self._volume: VolumeJudge | None = None
        if config.budget is not None and config.window.rows is None:
            self._volume = VolumeJudge(
                writers[0], config, reference, pane, rules[True].level, self._lives, self.track,
                state.volume,
            )  # fmt: skip
        self._lives |= {
            life.key: life
            for life in state.lives
            if (life.stream in self._writers and life.subject in watched)
            or (config.budget is not None and self._new_fields.is_mine(life))
            or (self._volume is not None and self._volume.judged and life.key == self._volume.key)
            or (life.stream in self._writers and life.kind in DRIFT and not life.feature)
            or (life.kind in ON_THE_WHOLE_MODEL and (life.kind != "labels" or config.labels))
        }
        known = [
            f
            for f in state.firings
            if f.resolved is not None or (f.stream, f.feature, f.kind) in self._lives
        ]
        horizon = config.labels.horizon if config.labels is not None else 0
        self._firings = FiringTimes(known, max(horizon // _EFFECTS_KEPT, self._every))
        looked_back_at = self._firings if config.labels is not None else None
        kept = {each.stream: each for each in state.changes}
        segments = segment_streams(config, reference)
        self._causes = Causes(name, config, reference, self._lives, segments)
        self._streams = [
            StreamJudge(
                records,
                config,
                reference,
                rules[records.segment is None],
                self._lives,
                self._causes,
                kept.get(records.segment or ""),
                looked_back_at,
            )
            for records in writers
        ]
        self.track.reach = max(stream.changes.reach() for stream in self._streams)
        self._estimates = [
            EstimateStream(records, config, reference, outcomes, self._lives)
            for records in writers
            if outcomes is not None
        ]
        self._operational = OperationalAlerts(writers[0], config, self._lives, state.recent)
        self.performance: PerformanceJudge | None = None
        if config.labels is not None and outcomes is not None:
            kept = {each.stream: each for each in state.performance.changes}
            varied = {each.stream: each for each in state.performance.variations}
            metrics = [
                MetricStream(
                    records,
                    config,
                    reference,
                    outcomes,
                    rules[records.segment is None],
                    kept.get(records.segment or ""),
                    varied.get(records.segment or ""),
                )
                for records in writers
            ]
            flow = LabelFlow(writers[0], config, self._lives, state.performance.history)
            self.performance = PerformanceJudge(
                config,
                (reference.layout_id, reference.id),
                metrics,
                flow,
                self._lives,
                self._firings,
                state.performance,
                segments,
            )

    def feed(self, message: PanesMessage, offset: int) -> Sequence[Verdict | Alert]:
        """Take in one message of the model; return what it makes known, in order.

        Before `position` panes fill windows and nothing else happens.
        """
        out: Sequence[Verdict | Alert] = ()
        if isinstance(message, Pane):
            if not message.outcomes:
                if offset >= self.position:
                    self._passed_over.pane(message, self.track.window_start())
                self.track.add(message, offset)
            elif self.performance is not None:
                self.performance.track.add(message, offset)
        elif offset < self.position:
            return ()
        elif isinstance(message, Loss):
            out = self._lose(message)
        else:
            out = self._advance(message)
        self.position = max(self.position, offset + 1)
        return out

    def tick(self, now: int) -> list[Alert]:
        """Look at the wall clock (ms): one partition may hold the model's clock too long."""
        return self._operational.held(self.clock, now)

    def lost(self, gap: Gap) -> Sequence[Alert]:
        """Take in that panes were deleted unread; nothing is known of it before the first pane."""
        if self.track.next is None:
            return ()
        loss = Loss(*gap.partition, self.name, gap.wanted, gap.begin, self.track.next, None)
        return self._lose(loss)

    def _lose(self, loss: Loss) -> Sequence[Alert]:
        """Note a loss; one without an end reaches to where the model's other partitions are."""
        end = loss.end
        if end is None:
            newest = max(self.clock.progress() or loss.start, loss.start)
            end = (newest // self._every + 1) * self._every
        if not loss.outcomes:
            self.track.losses.append((loss.start, end))
            if loss.refused:
                self.track.refused.append((loss.start, end))
        if self.performance is not None:
            self.performance.lose(loss, end)
        return self._operational.lost(loss, end)

    def state(self) -> JudgeState:
        """Return the state record as of now; encode it before feeding on."""
        stores = [self.track.panes]
        if self.performance is not None:
            stores.append(self.performance.track.panes)
        offsets = [offset for store in stores if (offset := store.rewind()) is not None]
        state = JudgeState(
            topic_id=self._state.topic_id,
            partitions=self._state.partitions,
            position=self.position,
            rewind=min(offsets, default=self.position),
            sources=listed(self.clock.sources),
            next=self.track.next,
            empty_since=self.track.empty_since,
            lives=[life for _, life in sorted(self._lives.items())],
            versions=list(self._versions.seen),
            losses=list(self.track.losses),
            refused=list(self.track.refused),
            alert_ends=list(self.alert_ends),
            recent=list(self._operational.recent),
            firings=self._firings.state(),
            next_pane=self.track.next_pane,
            changes=[stream.changes.state() for stream in self._streams],
        )
        if self._volume is not None:
            state.volume = self._volume.state()
        if self.performance is not None:
            state.performance = self.performance.state()
        return state

    def active(self) -> list[AlertIdentity]:
        """Return the alerts that fire now; of many features, the one on all and each."""
        lives = [life for life in self._lives.values() if life.firing]
        return [self._writers[life.stream].identify(life) for life in lives]

    def _advance(self, horizon: Horizon) -> list[Verdict | Alert]:
        out: list[Verdict | Alert] = []
        if not horizon.outcomes:
            self._passed_over.horizon(horizon)
            self.clock.advance(horizon)
            self._note_silence()
        elif self.performance is not None:
            self.performance.clock.advance(horizon)
        now = self._now()
        if now is not None:
            for stretch in self.track.due(now, lambda end: True):
                out += self._panes(stretch.end)
                out += self._empty(stretch) if stretch.empty else self._window(stretch)
            out += self._panes(now)
        if self.performance is not None:
            out += self.performance.judge(self._features_judged)
        out += self._operational.stale(self.clock)
        return out

    def _note_silence(self) -> None:
        """Let nothing be said of the number of events where the alert on a silence speaks."""
        silent = self.clock.stale() or (self.name, "", "stale") in self._lives
        progress = self.clock.progress()
        if self._volume is not None and silent and progress is not None:
            self._volume.silent(progress + 1)

    def _now(self) -> int | None:
        """Return the time before which every pane of events is final.

        Where every partition is silent, the labels tell how time goes on, until the pane of the
        last event is over. No further: events that come in batches have times before their batch.
        """
        now = self.clock.now()
        if self.performance is not None and self.clock.idle():
            told, newest = self.performance.clock.now(), self.clock.progress()
            if told is not None and newest is not None:
                over = min(told, (newest // self._every + 1) * self._every)
                now = over if now is None else max(now, over)
        return now

    def _features_judged(self, end: int) -> bool:
        """Return whether the features' windows that end at `end` (ms) or before are judged.

        An alert on performance names the features that changed before it.
        """
        return self.clock.idle() or (self.track.next is not None and self.track.next >= end)

    def _panes(self, until: int) -> Iterator[Alert]:
        """Add the panes that end at `until` (ms) or before to the evidence, in order."""
        panes = self.track.panes
        for start in self.track.panes_due(until):
            end = start + self._pane
            if not panes.foreign(start, end) and not self.track.lost(start, end):
                for stream in self._streams:
                    yield from stream.pane(start, panes)
                yield from self._streams[0].handed(end, panes)

    def _window(self, stretch: DueSpan) -> Iterator[Verdict | Alert]:
        start, end = stretch.start, stretch.end
        newest, panes = end - self._every, self.track.panes
        times = WindowTimes(start, end, newest)
        reason = panes.change(start, end)
        if self.track.lost(start, end):
            reason = "events of this time were deleted before they were read"
            if self.track.refusal(start, end):
                reason = "events of this time are in a batch that is a dead letter"
        elif reason == TWO_CONFIGURATIONS:
            self.mixed += 1
        new_version = self._versions.look(panes.versions(newest, end, None))
        window = StreamWindow(times, panes, reason, new_version)
        judged = [stream.judge(window) for stream in self._streams]
        for stream in self._streams:
            stream.renew(self._causes.over)
        self._causes.over.clear()
        judged += [
            estimate.judge(window, stream.changes.phi(start))
            for estimate, stream in zip(self._estimates, self._streams, strict=False)
        ]
        if self._volume is not None:
            judged.append(self._volume.judge(window))
        for verdicts, _ in judged:
            yield from verdicts
        for _, alerts in judged:
            yield from alerts
        if self._config.budget is not None:
            yield from self._new_fields.judge(window)
        events = panes.events(start, end, None)
        yield from self._operational.window(times, events, whole=reason is None)

    def _empty(self, stretch: DueSpan) -> Iterator[Verdict | Alert]:
        """Yield one verdict per feature for a range of time without events."""
        for stream in self._streams:
            yield from stream.empty(stretch.start, stretch.end)
        if self._volume is not None:
            for outputs in self._volume.empty(stretch.start, stretch.end):
                yield from outputs


def reference_streams(config: ModelConfig, reference: Reference) -> Sequence[str | None]:
    """Return the streams to count and judge: the model, and the values of its `segments` tags."""
    segments = segment_streams(config, reference).values()
    wanted = {None, *(segment for each in segments for segment in each)}
    return tuple(stream for stream in reference.streams if stream in wanted)


def segment_streams(config: ModelConfig, reference: Reference) -> dict[str, tuple[str, ...]]:
    """Return the streams of each of the `segments` tags."""
    known = set(reference.streams)
    return {
        tag: tuple(
            segment
            for value in (*reference.segments[tag], OTHER)
            if (segment := f"{tag}={value}") in known
        )
        for tag in config.segments
    }
