"""One cause, one alert: which of a model's streams speaks of a change, and for how many features.

The whole model is judged before its segments, in every pane and window. A segment fires only for
what the whole model's alert does not say; and where a change is in one segment alone, that one
fires, and the whole model does not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from driftline.consumer.config import ModelConfig
from driftline.consumer.judge.features.changes import Change
from driftline.consumer.judge.features.many import ManyFeatures
from driftline.consumer.judge.features.reach import NOWHERE, Reach, SegmentReach
from driftline.consumer.judge.features.rules import UNSEEN
from driftline.consumer.judge.lives.life import Life, Lives, Reading, WindowTimes, join_incident
from driftline.consumer.judge.windows.panes import PaneStore
from driftline.consumer.wire.kinds import Kind
from driftline.consumer.wire.subject import Subject, stream_name
from driftline.detectors.reference import Reference


class Causes:
    """What the alerts of one model say already.

    Args:
        model: its name.
        config: its configuration.
        reference: what is normal.
        lives: the model's alert lives.
        tags: the segments of each tag that are judged, as the reference names its streams.

    Attributes:
        over: places of features whose alert has ended in the present window.
    """

    def __init__(
        self,
        model: str,
        config: ModelConfig,
        reference: Reference,
        lives: Lives,
        tags: Mapping[str, Sequence[str]],
    ) -> None:
        self._model, self._window, self._lives = model, config.window, lives
        self._reach = SegmentReach(reference, tags) if tags else None
        self._tags = {segment: tag for tag, segments in tags.items() for segment in segments}
        features = [each.name for each in reference.layout.features]
        self._position = reference.layout.position
        watched = [name for name in features if not config.is_ignored(name)]
        window = config.window
        self._many = {
            segment: ManyFeatures(
                stream_name(model, segment), watched, lives, window.every, window.length
            )
            for segment in (None, *self._tags)
        }
        self._levels: dict[tuple[str | None, str, Kind], dict[str, int]] = {}
        self._changes: dict[tuple[str | None, str, Kind], tuple[Change, Reach]] = {}
        self.over: set[int] = set()

    def many(self, segment: str | None) -> ManyFeatures:
        """Return the alerts on several features of a stream."""
        return self._many[segment]

    def fires(self, segment: str | None, name: str, kind: Kind) -> bool:
        """Return whether an alert of a stream on a feature fires."""
        life = self._lives.get((stream_name(self._model, segment), name, kind))
        return life is not None and life.firing

    def firing(self, segment: str | None, name: str, kind: Kind) -> Life | None:
        """Return the alert on a feature that fires of a stream, else of the whole model."""
        for stream in (stream_name(self._model, segment), self._model):
            life = self._lives.get((stream, name, kind))
            if life is not None and life.firing:
                return life
        return None

    def fires_elsewhere(self, segment: str | None, name: str, kind: Kind) -> bool:
        """Return whether another stream's alert on a feature fires."""
        return any(
            self.fires(other, name, kind) for other in (None, *self._tags) if other != segment
        )

    def values_fire(self, segment: str | None, name: str) -> bool:
        """Return whether an alert on the values of a feature speaks of its change already."""
        life = self._lives.get((stream_name(self._model, segment), name, "data_quality"))
        return life is not None and life.firing and life.rule == UNSEEN

    def speaking(self) -> frozenset[str] | None:
        """Return the features of which something may be said already; None: of any."""
        if any(many.key in self._lives for many in self._many.values()):
            return None  # an alert on many features speaks of others that follow, too
        pending = (key[1] for key in (*self._changes, *self._levels))
        return frozenset((*(life.feature for life in self._lives.values()), *pending))

    def is_said(self, segment: str | None, name: str, kind: Kind, since: int) -> bool:
        """Return whether an alert of another stream says what one of a segment would say.

        That is the whole model's, or one of a segment of another tag, to which the same events
        belong. `since`: when it would begin, ms.
        """
        if segment is None:
            return False
        if self._many[None].speaks_of(name, since) or self._speaks(None, name, kind):
            return True
        if kind != "data_quality" and self.values_fire(None, name):
            return True
        return any(
            tag != self._tags[segment] and self._speaks(other, name, kind)
            for other, tag in self._tags.items()
        )

    def _speaks(self, segment: str | None, name: str, kind: Kind) -> bool:
        """Return whether a stream's alert on a feature fires, or is about to."""
        key = segment, name, kind
        return self.fires(*key) or key in self._changes or key in self._levels

    def reach(
        self,
        segment: str | None,
        subject: tuple[str, Kind, str | None],
        times: WindowTimes,
        panes: PaneStore,
        phi: float,
    ) -> tuple[Reach, str | None]:
        """Return how far a change of a stream reaches, and which stream speaks of it.

        Args:
            segment: of the stream in which it was seen.
            subject: the feature, the kind of the alert, and the rate that rose, None: its values.
            times: the panes in which it is.
            panes: where their counts are.
            phi: how many events tell as much as one independent one.

        Returns:
            The reach as an alert says it; and the stream that speaks, None for the whole model:
            of one segment alone that one, if it can; of all of a tag the whole model.
        """
        if self._reach is None:
            return NOWHERE, segment
        name, kind, rate = subject
        f = self._position[name]
        known = segment or next(
            (other for other in self._tags if self.fires(other, name, kind)), None
        )
        found = self._reach.of(f, rate, (times.start, times.end), panes, phi, known)
        only = found.only
        if segment is not None:
            if self._tags[segment] in found.everywhere:
                return found, None
            return (found if only == segment else NOWHERE), segment
        if only is None or not self._reach.knows(only, f):
            return (found if only is None else NOWHERE), None
        events = panes.events(times.end - self._window.length, times.end, only)
        if self.fires(only, name, kind) or events >= self._window.min_events:
            return found, only
        # Too few come for its windows to be judged: the whole model speaks of it.
        return found, None

    def hand_change(self, segment: str | None, name: str, change: Change, reach: Reach) -> None:
        """Let another stream tell, in this pane, of a change: the whole model or a segment."""
        key = segment, name, Subject.feature(name).drift
        if not self.fires(*key):
            self._changes.setdefault(key, (change, reach))

    def changes(self, segment: str | None) -> list[tuple[Change, Reach]]:
        """Return the changes of which a stream is to tell in this pane, once."""
        mine = [key for key in self._changes if key[0] == segment]
        return [self._changes.pop(key) for key in mine]

    def hand_levels(self, segment: str, name: str, kind: Kind, readings: Sequence[Reading]) -> None:
        """Let a segment's rules be in breach, in this window, as the whole model's are."""
        if not self.fires(segment, name, kind):
            levels = {each.rule: each.level for each in readings}
            self._levels[segment, name, kind] = levels

    def levels(self, segment: str | None, name: str, kind: Kind) -> dict[str, int]:
        """Return the levels by rule that a segment has from the whole model, once."""
        return self._levels.pop((segment, name, kind), {})

    def join(self, life: Life) -> None:
        """Let an alert that has just fired join the incident of those beside it.

        Where another stream's alert says the same, that one's, whenever it began.
        """
        join_incident(life, self._lives.values(), self._window.length)
        begun = [
            other.incident
            for other in self._lives.values()
            if other is not life
            and other.firing
            and other.incident is not None
            and (other.feature, other.kind) == (life.feature, life.kind)
        ]
        life.incident = min(begun, default=life.incident)


def without(readings: Sequence[Reading], rules: set[str] | None = None) -> list[Reading]:
    """Return readings of which those of some rules, or all, are in no breach."""
    return [
        replace(each, level=0) if rules is None or each.rule in rules else each for each in readings
    ]


def said_elsewhere(
    readings: Sequence[Reading], rules: set[str], life: Life | None
) -> list[Reading]:
    """Return readings of which another alert speaks of those of some rules.

    They are in no breach, and do not keep an alert alive that another rule let fire.
    """
    fired = life.rule if life is not None else ""
    return [
        replace(each, level=0, quiet=each.quiet or each.rule != fired)
        if each.rule in rules
        else each
        for each in readings
    ]


def at_least(readings: Sequence[Reading], levels: Mapping[str, int]) -> list[Reading]:
    """Return readings with the levels by rule, where those are higher."""
    return [replace(each, level=max(each.level, levels.get(each.rule, 0))) for each in readings]
