"""Judge of one model: its clock, its windows, their verdicts, and its alerts' lives.

A deterministic function of the model's messages in the log of panes, in offset order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from driftline.consumer.config import ModelConfig
from driftline.consumer.judge.clock import Clock
from driftline.consumer.judge.ids import stream_name
from driftline.consumer.judge.lives import ON_THE_WHOLE_MODEL, WindowTimes
from driftline.consumer.judge.panes import PaneStore
from driftline.consumer.judge.records import Alert, Verdict
from driftline.consumer.judge.rules import RuleBook
from driftline.consumer.judge.state import JudgeState
from driftline.consumer.judge.streams import StreamJudge, Window
from driftline.consumer.judge.troubles import Troubles
from driftline.consumer.log.messages import Horizon, Loss, Pane, PanesMessage
from driftline.consumer.log.protocol import Gap
from driftline.detectors.reference import OTHER, Reference

# Versions remembered for the sentence `Began with version 3.2.`
_VERSIONS_KEPT = 200


class ModelJudge:
    """Judges the windows of one model.

    Args:
        name: the model.
        config: its configuration.
        reference: what its windows are compared with.
        state: as read from the log; feeding starts at ``state.rewind``.
    """

    def __init__(
        self, name: str, config: ModelConfig, reference: Reference, state: JudgeState
    ) -> None:
        self.name = name
        self._state = state
        self.position = state.position
        self.rewind = state.rewind  # where its reading began
        self.alert_ends = list(state.alert_ends)
        self.clock = Clock(
            config.predictions, {(topic, part): heard for topic, part, heard in state.heard}
        )
        self._length, self._every = config.window.length, config.window.every
        # Panes start at multiples of their length, also after the length was changed.
        self._next = None if state.next is None else -(-state.next // self._every) * self._every
        self._empty_since = state.empty_since
        self._versions = list(state.versions)
        self._losses = list(state.losses)
        self._panes = PaneStore(self._every, reference.id, reference.layout.size)
        streams = reference_streams(config, reference)
        rules = RuleBook(config, reference.layout, len(streams))
        names = {stream_name(name, stream) for stream in streams}
        watched = set(rules.watched_names)
        # What the configuration no longer watches would fire for ever: nothing could resolve it.
        self._lives = {
            life.key: life
            for life in state.lives
            if life.kind in ON_THE_WHOLE_MODEL or (life.stream in names and life.feature in watched)
        }
        self._streams = [
            StreamJudge(name, stream, config, reference, rules, self._lives) for stream in streams
        ]
        self._troubles = Troubles(name, config, reference, self._lives, state.recent)

    def feed(self, message: PanesMessage, offset: int) -> Sequence[Verdict | Alert]:
        """Take in one message of the model; return what it makes known, in order.

        Before `position` panes fill windows and nothing else happens.
        """
        if isinstance(message, Pane):
            earliest = None if self._next is None else self._next + self._every - self._length
            if earliest is None or message.start + message.length > earliest:
                self._panes.add(message, offset)
            out: Sequence[Verdict | Alert] = ()
        elif offset < self.position:
            return ()
        elif isinstance(message, Loss):
            out = self._lose(message)
        else:
            out = self._hear(message)
        self.position = max(self.position, offset + 1)
        return out

    def tick(self, now: int) -> list[Alert]:
        """Look at the wall clock (ms): one partition may hold the model's clock too long."""
        return self._troubles.held(self.clock, now)

    def lost(self, gap: Gap) -> Sequence[Alert]:
        """Take in that panes were deleted unread; nothing is known of it before the first pane."""
        if self._next is None:
            return ()
        loss = Loss(*gap.partition, self.name, gap.wanted, gap.begin, self._next, None)
        return self._lose(loss)

    def _lose(self, loss: Loss) -> Sequence[Alert]:
        """Note a loss; one without an end reaches to where the model's other partitions are."""
        end = loss.end
        if end is None:
            newest = max(self.clock.progress() or loss.start, loss.start)
            end = (newest // self._every + 1) * self._every
        self._losses.append((loss.start, end))
        return self._troubles.lost(loss, end)

    def state(self) -> JudgeState:
        """Return the state record as of now; encode it before feeding on."""
        rewind = self._panes.rewind()
        return JudgeState(
            topic_id=self._state.topic_id,
            partitions=self._state.partitions,
            position=self.position,
            rewind=self.position if rewind is None else rewind,
            heard=[(*key, heard) for key, heard in sorted(self.clock.heard.items())],
            next=self._next,
            empty_since=self._empty_since,
            lives=[life for _, life in sorted(self._lives.items())],
            versions=list(self._versions),
            losses=list(self._losses),
            alert_ends=list(self.alert_ends),
            recent=list(self._troubles.recent),
        )

    def active(self) -> list[tuple[str, str, str, int]]:
        """Return (stream, feature, kind, severity) of the alerts that fire now."""
        return [
            (life.stream, life.feature, life.kind, life.severity)
            for life in self._lives.values()
            if life.firing
        ]

    def _hear(self, word: Horizon) -> list[Verdict | Alert]:
        self.clock.hear(word)
        out: list[Verdict | Alert] = []
        now = self.clock.now()
        if now is not None:
            out += self._judge(now)
        out += self._troubles.stale(self.clock)
        return out

    def _judge(self, final: int) -> Iterator[Verdict | Alert]:
        """Judge every window whose panes all end at `final` (ms) or before."""
        every = self._every
        if self._next is None:
            starts = [s for s in self._panes.starts() if s + every <= final]
            if not starts:
                return
            self._next = -(-starts[0] // every) * every  # a pane of another length may start off it
        while self._next + every <= final:
            start, end = self._next + every - self._length, self._next + every
            foreign = self._panes.foreign(start, end)
            if foreign or self._panes.events(start, end, None) or self._lost(start, end):
                yield from self._end_of_stretch(self._next)
                yield from self._window(start, end)
                self._next += every
            else:
                self._empty_since = start if self._empty_since is None else self._empty_since
                later = [-(-s // every) * every for s in self._panes.starts() if end <= s]
                self._next = min([*later, *self._lost_starts(end), final // every * every])
            self._panes.drop_before(self._next + every - self._length)

    def _window(self, start: int, end: int) -> Iterator[Verdict | Alert]:
        newest = end - self._every
        times = WindowTimes(start, end, newest)
        reason = None
        if self._lost(start, end):
            reason = "events of this time were deleted before they were read"
        elif self._panes.foreign(start, end):
            reason = "reference changed"
        new_version = self._new_version(newest, end)
        judged = [
            stream.judge(Window(times, self._panes, reason, new_version))
            for stream in self._streams
        ]
        for verdicts, _ in judged:
            yield from verdicts
        for _, alerts in judged:
            yield from alerts
        events = self._panes.events(start, end, None)
        yield from self._troubles.window(times, events, whole=reason is None)
        self._losses = [(a, b) for a, b in self._losses if b > end - self._length + self._every]

    def _end_of_stretch(self, until: int) -> Iterator[Verdict]:
        """Yield one verdict per feature for a stretch without events that ends now."""
        if self._empty_since is not None:
            for stream in self._streams:
                yield from stream.empty(self._empty_since, until)
            self._empty_since = None

    def _new_version(self, newest: int, end: int) -> str | None:
        """Return the most frequent version that the newest pane is the first to show."""
        seen = self._panes.versions(newest, end, None)
        seen.pop(OTHER, None)
        new = sorted((v for v in seen if v not in self._versions), key=lambda v: (-seen[v], v))
        first_ever = not self._versions
        gone = [v for v in self._versions if v not in seen]
        self._versions = [*gone, *sorted(seen)][-_VERSIONS_KEPT:]
        return None if first_ever or not new else new[0]

    def _lost(self, start: int, end: int) -> bool:
        return any(a < end and b > start for a, b in self._losses)

    def _lost_starts(self, after: int) -> list[int]:
        return [a // self._every * self._every for a, _ in self._losses if a >= after]


def reference_streams(config: ModelConfig, reference: Reference) -> Sequence[str | None]:
    """Return the streams to count and judge: the model, and the values of its `segments` tags."""
    wanted: set[str | None] = {None}
    for tag in config.segments:
        wanted |= {f"{tag}={value}" for value in (*reference.segments[tag], OTHER)}
    return tuple(stream for stream in reference.streams if stream in wanted)
