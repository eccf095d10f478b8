"""A reference that moves: what is normal is what the stream itself was before.

Rolling: the last stretch of event time, such as 28 days, in parts; with each part that is over it
is made anew. What came while an alert on a feature was open is left out, and as much more of what
came before is taken. Where an alert has been open for the whole stretch, what it tells has been so
for all of it: then its panes are normal, and it ends.

Previous: the windows just before, whatever they were.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import msgspec
import numpy as np

from driftline.consumer.config import ModelConfig
from driftline.consumer.judge.budget_rules import SEQUENTIAL
from driftline.consumer.judge.chunks import Chunks
from driftline.consumer.judge.lives.life import Lives
from driftline.consumer.judge.moving_state import MovingState
from driftline.consumer.judge.state import JudgeState
from driftline.consumer.judge.windows.panes import PaneStore
from driftline.consumer.wire.axis import axis_of
from driftline.detectors.grid import IntArray
from driftline.detectors.reference import Reference, content_hash
from driftline.detectors.replaced_counts import with_counts
from driftline.producer.records.durations import format_duration

PARTS = 28
"""In how many parts a rolling reference is kept, at most."""


class Stretches:
    """How long the past is that is normal, and in which parts it is kept.

    Args:
        config: of a model whose reference moves.

    Attributes:
        length: of a part, ms: a whole number of steps of windows.
        many: how many parts are normal.
        lag: how many parts lie between them and the present one, at least: none of these is of a
            window that is compared with them.

    Example:
        >>> day = {"predictions": "t", "window": {"length": "6h", "every": "1h"}}
        >>> model = ModelConfig(**day, reference={"rolling": "28d", "layout": "r"})
        >>> stretches = Stretches(model)
        >>> stretches.length // 3_600_000, stretches.many, stretches.lag
        (24, 28, 1)
        >>> stretches = Stretches(ModelConfig(**day, reference={"previous": "2 windows"}))
        >>> stretches.length // 3_600_000, stretches.many, stretches.lag
        (1, 12, 5)
    """

    def __init__(self, config: ModelConfig) -> None:
        window, wanted = config.window, config.reference
        every = window.every
        if wanted.previous is not None:
            self.length, self.many = every, wanted.previous * window.length // every
        else:
            steps = -(-(wanted.rolling or 0) // every)
            self.length = -(-steps // PARTS) * every
            self.many = -(-steps * every // self.length)
        self.lag = -(-(window.length - every) // self.length)

    @property
    def whole(self) -> int:
        """How long the past is that is normal, ms."""
        return self.many * self.length


class MovingReference:
    """What is normal for one model whose reference moves.

    Args:
        config: of the model.
        origin: the reference that says what is counted, and is normal at first.
        streams: those that are judged.
        pane: length of a pane, ms.
        state: as read from the log.

    Attributes:
        reference: what is normal now.
        start: of the first pane that is compared with it, ms; None: of the first of all.
    """

    def __init__(
        self,
        config: ModelConfig,
        origin: Reference,
        streams: tuple[str | None, ...],
        pane: int,
        state: JudgeState,
    ) -> None:
        self._origin, self._streams, self._pane = origin, streams, pane
        self._axis = axis_of(config.window)
        self._overlap = config.window.length - config.window.every
        self._stretches = stretches = Stretches(config)
        self._leaves_out = config.reference.rolling is not None
        layout = origin.layout
        seasons = () if origin.seasons is None else origin.seasons.streams
        self._still = {f for own in seasons for f in own}
        key = content_hash(
            {"reference": origin.id, "streams": [*streams], "length": stretches.length}
        )
        self._state = MovingState(key, 0, 0, 0)
        kept, chunks = state.moving, state.chunks
        self._begun = kept is not msgspec.UNSET and kept.key == key
        if kept is not msgspec.UNSET and self._begun:
            self._state = kept
        known = chunks if self._begun and chunks is not msgspec.UNSET else []
        self._chunks = Chunks(layout, len(streams), stretches.length, known)
        self.reference, self.start = origin, None if not self._begun else self._state.start
        if self._begun:
            self.reference = self._made(self._state.number)

    @property
    def learnt_from(self) -> int:
        """From when on (ms) the stream is what is normal now."""
        stretches = self._stretches
        return (self._state.number - stretches.lag - stretches.many) * stretches.length

    @property
    def note(self) -> str | None:
        """What to know of how windows are judged now; None: nothing."""
        if self.reference.origin is not None:
            return None
        whole = format_duration(self._stretches.whole)
        known = f"since {self._axis.moment(self._state.first)}" if self._begun else "not yet"
        return (
            f"normal is what the layout's file says: the stream is known {known}, not for {whole}"
        )

    def keep(self, state: JudgeState) -> None:
        """Write what has to be kept into the state of the judge."""
        if self._begun:
            state.moving, state.chunks = self._state, self._chunks.state()

    def reach(self, config: ModelConfig) -> int:
        """Return how far back of the last pane those are needed that an alert may leave out, ms."""
        limits = [*config.thresholds.values()]
        for feature in config.features.values():
            limits += feature.thresholds.values()
        looked = max((limit.for_.n for limit in limits), default=1)
        return config.window.length + looked * config.window.every

    def turn(self, pane: int) -> bool:
        """Let time come to a pane that starts at `pane` (ms); return whether normal is another."""
        number = pane // self._stretches.length
        if not self._begun or number <= self._state.number:
            return False
        last = (number - self._stretches.lag) * self._stretches.length
        for name, since in self._state.open.items():
            if since <= last - self._stretches.whole:
                # It has been so for all of the past that is normal.
                self._chunks.release(self._origin.layout.position[name], learn=True)
        self._state.number = number
        self._chunks.forget(number - self._stretches.lag, self._stretches.many)
        return self._make(number, pane)

    def add(self, start: int, panes: PaneStore) -> None:
        """Learn the final pane that starts at `start` (ms)."""
        if not self._begun:
            self._begun, self._state.first = True, start
            self._state.number = start // self._stretches.length
            self._state.start = start
        position = self._origin.layout.position
        held = np.array(sorted(position[name] for name in self._state.open), np.int64)
        end = start + self._pane
        flat = self._counts(panes, start, end)
        events = [panes.events(start, end, stream) for stream in self._streams]
        self._chunks.add(start // self._stretches.length, flat, events, held)

    def follow(self, learnt: int, pane: int, lives: Lives, panes: PaneStore) -> bool:
        """Take in which alerts are open; return whether what is normal is another.

        Args:
            learnt: up to when panes were learnt, ms.
            pane: start of the first that is compared with what is normal now, ms.
            lives: the model's alerts.
            panes: those at hand.
        """
        if not self._leaves_out or not self._begun:
            return False
        opened, before = self._opened(lives), self._state.open
        changed = False
        for name in before.keys() - opened.keys():
            self._chunks.release(self._origin.layout.position[name], learn=False)
        for name in sorted(opened.keys() - before.keys()):
            f = self._origin.layout.position[name]
            first = self._chunks.hold(f, opened[name], learnt, partial(self._counts, panes))
            changed |= first is not None and first < self._state.number - self._stretches.lag
        self._state.open = {name: before.get(name, since) for name, since in opened.items()}
        return changed and self._make(self._state.number, pane)

    def _make(self, number: int, pane: int) -> bool:
        found = self._made(number)
        if found is self.reference or found.id == self.reference.id:
            return False
        self.reference, self._state.start = found, pane
        self.start = pane
        return True

    def _made(self, number: int) -> Reference:
        """Return what is normal in a stretch."""
        stretches, origin = self._stretches, self._origin
        last = number - stretches.lag
        if (last - stretches.many) * stretches.length < self._state.first:
            return origin
        past = self._chunks.past(last, stretches.many)
        layout = origin.layout
        whole = past.counts[0]
        names = [
            (f, feature.name)
            for f, feature in enumerate(layout.features)
            if f not in self._still and whole[layout.starts[f] : layout.starts[f + 1]].any()
        ]
        if not names:
            return origin
        counts: dict[str | None, Mapping[str, IntArray]] = {
            stream: {name: flat[layout.starts[f] : layout.starts[f + 1]] for f, name in names}
            for stream, flat in zip(self._streams, past.counts, strict=True)
        }
        events = dict(zip(self._streams, past.events.tolist(), strict=True))
        return with_counts(origin, counts, events)

    def _opened(self, lives: Lives) -> dict[str, int]:
        """Return the features with an open alert of any stream, and since when, ms.

        Evidence says when a change began; of a window that alarms any part may be of it.
        """
        found: dict[str, int] = {}
        for life in lives.values():
            if life.firing:
                since = life.since - (0 if life.rule == SEQUENTIAL else self._overlap)
                for name in {life.feature, *life.features} & self._origin.layout.position.keys():
                    found[name] = min(since, found.get(name, since))
        return found

    def _counts(self, panes: PaneStore, start: int, end: int) -> list[IntArray]:
        size = self._origin.layout.size
        return [panes.counts(start, end, stream)[:size] for stream in self._streams]
