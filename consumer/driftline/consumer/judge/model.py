"""Judge of one model: its clock, its windows, their verdicts, and its alerts' lives.

A deterministic function of the model's messages in the log of panes, in offset order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import msgspec

from driftline.consumer.config import ModelConfig
from driftline.consumer.judge.acceptances import Acceptances
from driftline.consumer.judge.accepting import accept, accepted_alerts
from driftline.consumer.judge.lives.firing_times import FiringTimes
from driftline.consumer.judge.lives.life import WindowTimes
from driftline.consumer.judge.model_streams import ModelStreams, Shared, reference_streams
from driftline.consumer.judge.moving import MovingReference
from driftline.consumer.judge.performance.estimates import estimate_cells
from driftline.consumer.judge.performance.model import PerformanceJudge
from driftline.consumer.judge.records import AlertIdentity, RecordWriter
from driftline.consumer.judge.state import JudgeState
from driftline.consumer.judge.timeline import Timeline
from driftline.consumer.judge.windows.panes import TWO_CONFIGURATIONS
from driftline.consumer.judge.windows.passed_over import PassedOver
from driftline.consumer.judge.windows.releases import SeenReleases
from driftline.consumer.judge.windows.stream_window import StreamWindow
from driftline.consumer.judge.windows.track import DueSpan, Track
from driftline.consumer.log.protocol import Gap
from driftline.consumer.wire.clock import Clock, by_source, listed
from driftline.consumer.wire.messages import Acceptance, Horizon, Loss, Pane, PanesMessage
from driftline.consumer.wire.records import Alert, Verdict
from driftline.detectors.reference import Reference

# Effects of an alert remembered within a horizon of labels, to name the worst feature first.
_EFFECTS_KEPT = 32


class ModelJudge:
    """Judges the windows of one model.

    Args:
        name: the model.
        config: its configuration.
        references: what its windows are compared with.
        pane: length of the panes of its events, ms.
        state: as read from the log; feeding starts at ``state.rewind``.
        passed_over: where to count, by reason, events that are in no verdict.

    Attributes:
        performance: judges its labels; None where none are read.
    """

    def __init__(
        self,
        name: str,
        config: ModelConfig,
        references: Timeline,
        pane: int,
        state: JudgeState,
        passed_over: Counter[str],
    ) -> None:
        self.name = name
        self._state = state
        self._config = config
        self.position = state.position
        self.rewind = state.rewind  # where its reading began
        self.alert_ends = list(state.alert_ends)
        self.clock = Clock(config.predictions, by_source(state.sources))
        self.until: int | None = None  # nothing is judged beyond, ms
        self.outdated = False  # whether another version of the model goes on from its state
        self.mixed = 0  # windows whose panes were counted with two configurations
        self._passed_over = PassedOver(passed_over, self.clock.sources)
        self._every, self._pane = config.window.every, pane
        others = {} if state.releases is msgspec.UNSET else state.releases
        self._releases = SeenReleases(config.releases, state.versions, others)
        first = references.first
        self.track = Track(
            config.window,
            pane,
            (first.layout_id, first.id),
            first.size + estimate_cells(first.origin or first),
            state.next,
            state.empty_since,
            state.next_pane,
        )
        self._tracks = {False: self.track}  # by whether it is of the outcomes
        self.track.losses = list(state.losses)
        self.track.refused = list(state.refused)
        if state.kept_from is not msgspec.UNSET:
            self.track.kept_from = state.kept_from
        horizon = config.labels.horizon if config.labels is not None else 0
        firings = FiringTimes(max(horizon // _EFFECTS_KEPT, self._every))
        self._acceptances = Acceptances(state.accepted, references.at(self.track.judged), pane)
        self._references = references.map(self._acceptances.over)
        self._shared = Shared(name, config, pane, {}, firings, self.track, self._acceptances)
        self._lives = self._shared.lives
        self._moving: MovingReference | None = None
        if config.reference.moves:
            streams = tuple(reference_streams(config, first))
            self._moving = MovingReference(config, first, streams, pane, state)
            if self._moving.start is not None:
                normal = self._acceptances.over(self._moving.reference)
                self._references.add(self._moving.start, normal)
        reference = self._references.at(self.track.judged)
        self._streams = ModelStreams(self._shared, reference, state)
        self.track.reach = self._reach()
        # What the configuration no longer watches would fire for ever: nothing could resolve it.
        watched = (life for life in state.lives if self._streams.watches(life))
        self._lives |= {life.key: life for life in watched}
        firings.restore(
            f
            for f in state.firings
            if f.resolved is not None or (f.stream, f.feature, f.kind) in self._lives
        )
        self.performance: PerformanceJudge | None = None
        outcomes = self._shared.outcomes(first.origin or first)
        if config.labels is not None and outcomes is not None:
            self.performance = PerformanceJudge(
                self._shared, references.origins(), state.performance
            )
            self._tracks[True] = self.performance.track

    @property
    def reference(self) -> Reference:
        """What the features are compared with now."""
        return self._streams.reference

    def rebase(self, reference: Reference, start: int) -> int:
        """Compare what comes from the pane at `start` (ms) on with another reference.

        A window is compared with the one that holds at its newest pane. Evidence goes on where the
        same is normal as before, and begins anew elsewhere; alerts go on. Whoever calls it keeps
        the reference, and gives it to the constructor's `references` after a restart.

        Args:
            reference: of the same layout. Where it is derived (`Reference.origin`) from what
                performance is compared with, nothing changes for that.
            start: of the first pane, ms; where that is past, the next one is the first.

        Returns:
            The start of the first pane that may be compared with it, ms.

        Raises:
            ReferenceError: it is of another layout.
        """
        following = max(start, self.track.following or start)
        before = self._references.last
        self._references.add(following, reference)
        origin = reference.origin or reference
        if self.performance is not None and origin is not (before.origin or before):
            self.performance.rebase(origin, following)
        return following

    def _turn(self, pane: int) -> None:
        """Let the reference hold that does for a pane, which starts at `pane` (ms)."""
        reference = self._references.at(pane)
        self._references.forget(pane)
        before = self._streams
        if reference is not before.reference:
            self._streams = ModelStreams(self._shared, reference, self.state())
            self._streams.carry(before)
            self.track.look_back(self._reach())

    def _reach(self) -> int:
        """Return how far back of the last pane panes are needed, ms."""
        moving = 0 if self._moving is None else self._moving.reach(self._config)
        return max(self._streams.reach, moving)

    def _come(self, pane: int) -> Iterator[Alert]:
        """Let time come to a pane (its start, ms); yield the ends of what is accepted then."""
        if self._moving is not None and self._moving.turn(pane):
            self._acceptances.forget(self._moving.learnt_from)
            self._references.add(pane, self._acceptances.over(self._moving.reference))
        self._acceptances.rebase(self._references.at(pane))
        accepted = accept(self._streams, self._shared, pane)
        if accepted:
            known = self._references.at(pane)
            normal = (known.origin or known) if self._moving is None else self._moving.reference
            self._references.insert(pane, self._acceptances.over(normal))
        self._turn(pane)
        if self._moving is not None:
            for records in self._streams.writers:
                records.note = self._moving.note
        if accepted:
            yield from accepted_alerts(accepted, self._streams, self._shared, pane)

    def _follow(self, learnt: int, pane: int) -> None:
        """Let what is normal follow the alerts that are open now.

        Args:
            learnt: up to when panes were learnt, ms.
            pane: start of the first that is compared with it, ms.
        """
        moving = self._moving
        if moving is not None and moving.follow(learnt, pane, self._lives, self.track.panes):
            self._references.add(pane, self._acceptances.over(moving.reference))
            self._turn(pane)

    def feed(self, message: PanesMessage, offset: int) -> Sequence[Verdict | Alert]:
        """Take in a message, before `position` to fill windows alone; return what that tells."""
        out: Sequence[Verdict | Alert] = ()
        if isinstance(message, Horizon):
            track = self._tracks.get(message.outcomes)
            if track is not None and not track.close(message):
                return ()
        elif isinstance(message, Loss):
            missing, source = self.track.panes.missing, (message.source, message.partition)
            missing.forget(source, message.start, message.end)
        if isinstance(message, Pane):
            if not message.outcomes and offset >= self.position:
                self._passed_over.pane(message, self.track.window_start())
            if message.outcomes in self._tracks:
                self._tracks[message.outcomes].add(message, offset)
        elif offset < self.position:
            return ()
        elif isinstance(message, Loss):
            out = self._lose(message)
        elif isinstance(message, Acceptance):
            self._acceptances.read(message, self.track.following)
        elif isinstance(message, Horizon):
            out = self._advance(message)
        self.position = max(self.position, offset + 1)
        return out

    def tick(self, now: int) -> list[Alert]:
        """Look at the wall clock (ms): one partition may hold the model's clock too long."""
        return self._streams.operational.held(self.clock, now)

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
            self.track.lose(loss, end)
        if self.performance is not None:
            self.performance.lose(loss, end)
        return self._streams.operational.lost(loss, end)

    def needed_from(self, since: int | None = None) -> int:
        """Return the smallest offset that panes from a time (ms) on were read from; None: all."""
        offsets = (each.panes.rewind(since) for each in self._tracks.values())
        return min((at for at in offsets if at is not None), default=self.position)

    def state(self) -> JudgeState:
        """Return the state record as of now; encode it before feeding on."""
        state = JudgeState(
            topic_id=self._state.topic_id,
            partitions=self._state.partitions,
            position=self.position,
            rewind=self.needed_from(),
            sources=listed(self.clock.sources),
            next=self.track.next,
            empty_since=self.track.empty_since,
            lives=[life for _, life in sorted(self._lives.items())],
            versions=self._releases.versions,
            losses=list(self.track.losses),
            refused=list(self.track.refused),
            alert_ends=list(self.alert_ends),
            recent=list(self._streams.operational.recent),
            firings=self._shared.firings.state(),
            next_pane=self.track.next_pane,
            changes=[stream.changes.state() for stream in self._streams.features],
        )
        if self._releases.others:
            state.releases = self._releases.others
        state.accepted = self._acceptances.state()
        state.kept_from = msgspec.UNSET if self.track.kept_from is None else self.track.kept_from
        if self._moving is not None:
            self._moving.keep(state)
        self._streams.keep(state)
        if self.performance is not None:
            state.performance = self.performance.state()
        return state

    def writer(self, stream: str) -> RecordWriter:
        """Return what writes the records of a stream."""
        return next(each for each in self._streams.writers if each.stream == stream)

    def active(self) -> list[AlertIdentity]:
        """Return the alerts that fire now; of many features, the one on all and each."""
        firing = (life for life in self._lives.values() if life.firing)
        return [self.writer(life.stream).identify(life) for life in firing]

    def _advance(self, horizon: Horizon) -> list[Verdict | Alert]:
        out: list[Verdict | Alert] = []
        if not horizon.outcomes:
            self._passed_over.horizon(horizon)
            self.clock.advance(horizon)
            self._note_silence()
        elif self.performance is not None:
            self.performance.clock.advance(horizon)
        now = self.final()
        if now is not None:
            now = now if self.until is None else min(now, self.until)
            for stretch in self.track.due(now, lambda end: True):
                out += self._panes(stretch.end)
                out += self._come(stretch.end - self._pane)
                out += self._empty(stretch) if stretch.empty else self._window(stretch)
                self._follow(stretch.end, stretch.end - self._pane)
            out += self._panes(now)
        if self.performance is not None:
            out += self.performance.judge(self._features_judged)
        out += self._streams.operational.stale(self.clock)
        return out

    def _note_silence(self) -> None:
        """Let nothing be said of the number of events where the alert on a silence speaks."""
        silent = self.clock.stale() or (self.name, "", "stale") in self._lives
        progress = self.clock.progress()
        if self._streams.volume is not None and silent and progress is not None:
            self._streams.volume.silent(progress + 1)

    def final(self) -> int | None:
        """Return the time (ms) before which every pane of events is final.

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
            yield from self._come(start)
            end = start + self._pane
            if not panes.foreign(start, end) and not self.track.lost(start, end):
                for stream in self._streams.features:
                    yield from stream.pane(start, panes)
                yield from self._streams.features[0].handed(end, panes)
                if self._streams.joint is not None:
                    yield from self._streams.joint.pane(start, panes)
                self._follow(start, start)
                if self._moving is not None:
                    self._moving.add(start, panes)

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
        began = self._releases.look(panes, newest, end)
        window = StreamWindow(times, panes, reason, began)
        judged = [stream.judge(window) for stream in self._streams.features]
        for stream in self._streams.features:
            stream.renew(self._streams.causes.over)
        self._streams.causes.over.clear()
        judged += [
            estimate.judge(window, stream.changes.phi(start))
            for estimate, stream in zip(
                self._streams.estimates, self._streams.features, strict=False
            )
        ]
        judged += [each.judge(window) for each in self._streams.whole]
        for verdicts, _ in judged:
            yield from verdicts
        for _, alerts in judged:
            yield from alerts
        if self._config.budget is not None:
            yield from self._streams.new_fields.judge(window)
        events = panes.events(start, end, None)
        yield from self._streams.operational.window(times, events, whole=reason is None)

    def _empty(self, stretch: DueSpan) -> Iterator[Verdict | Alert]:
        """Yield one verdict per feature for a range of time without events."""
        for stream in self._streams.features:
            yield from stream.empty(stretch.start, stretch.end)
        for each in self._streams.whole:
            for outputs in each.empty(stretch.start, stretch.end):
                yield from outputs
