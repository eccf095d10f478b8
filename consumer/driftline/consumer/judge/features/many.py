"""Several features of one cause: one alert. Many that change, or any that are missing together."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import numpy as np

from driftline.consumer.judge.features.missing import Missing
from driftline.consumer.judge.lives.life import (
    REPEAT,
    Life,
    Lives,
    WindowTimes,
    join_incident,
    written,
)
from driftline.consumer.wire.kinds import KINDS, Kind
from driftline.detectors.grid import IntArray

_LEAST = 10
_KIND: Kind = "feature_drift"
_MISSING: Kind = "data_quality"
# The chance that features of which nothing is common are missing equally often in every pane.
_CHANCE = 0.05


class ManyFeatures:
    """The alerts on several features of one stream that have one cause.

    One is on many that changed at once: at least 10, and more than half of those that are watched,
    within one pane; those that follow within a window's length belong to it. The others are each on
    features that are missing in the same events, two or more: equally often, pane for pane, since
    it began. Each feature has a life of its own, which is silent.

    Args:
        stream: its name.
        watched: names of the features that are.
        lives: the model's alert lives.
        every, length: of windows, ms.

    Attributes:
        key: of the alert on many that changed.
    """

    def __init__(
        self, stream: str, watched: Collection[str], lives: Lives, every: int, length: int
    ) -> None:
        self._stream, self._watched, self._lives = stream, frozenset(watched), lives
        self._every, self._length = every, length
        self.key: tuple[str, str, Kind] = (stream, "", _KIND)

    def join(self, new: Sequence[Life], also: Iterable[str], times: WindowTimes) -> Life | None:
        """Take in alerts that have just fired; return the one on all of them, if it now fires.

        Args:
            new: lives of features of the stream; those that it speaks of become silent.
            also: features of which evidence says that they changed, too.
            times: the window, or the panes, that made them fire.
        """
        if not new:
            return None
        life = self._lives.get(self.key)
        if life is not None:
            _take_in(life, [one for one in new if abs(one.since - life.since) <= self._length])
            life.features.sort()
            return None
        # Most of them know best when it began; the earliest of many is one that errs.
        begun = [one.since for one in new]
        since = max(sorted(set(begun)), key=begun.count)
        mine = self._mine()
        near = {one.feature for one in mine if one in new or abs(one.since - since) <= self._every}
        names = near | ({*also} - {one.feature for one in mine})
        if len(names) < _LEAST or 2 * len(names) <= len(self._watched):
            return None
        return self._fire(_KIND, new, since, sorted(names), times)

    def together(self, new: Sequence[Life], missing: Missing, times: WindowTimes) -> list[Life]:
        """Take in alerts on missing values that have just fired; return those on several.

        Args:
            new: lives of features of the stream; those that one of them speaks of become silent.
            missing: counts of missing values.
            times: the window that made them fire.
        """
        single, grown = [one for one in new if not one.silent], []
        for life in self._groups() if single else ():
            first = max(life.since, times.start)
            parts = {missing(one.feature, first, times.end).tobytes() for one in self._of(life)}
            own = {one.feature: missing(one.feature, first, times.end) for one in single}
            found = [
                one for one in single
                if not one.silent and own[one.feature].tobytes() in parts
                and _is_telling(own[one.feature])
            ]  # fmt: skip
            if found:
                _take_in(life, found)
                grown.append(written(life, times))
        alike: dict[tuple[int, bytes], list[Life]] = {}
        for one in single:
            counts = missing(one.feature, max(one.since, times.start), times.end)
            if not one.silent and _is_telling(counts):
                alike.setdefault((one.since, counts.tobytes()), []).append(one)
        fired = [
            self._fire(_MISSING, parts, since, sorted(one.feature for one in parts), times)
            for (since, _), parts in alike.items()
            if len(parts) > 1
        ]
        return [*grown, *fired]

    def follow(self, ended: Sequence[Life], times: WindowTimes) -> list[Life]:
        """Return the alerts that a window makes worse, resolves, or finds due again.

        `ended`: lives of the stream that the window resolved.
        """
        found = []
        for life in [*filter(None, [self._lives.get(self.key)]), *self._groups()]:
            parts = self._of(life)
            worst = max((one.severity for one in parts), default=0)
            if not parts:
                over = [one.quiet_since for one in ended if life.speaks_of(one)]
                quiet = [each for each in over if each is not None]
                life.quiet_since = max(quiet, default=times.newest)
                life.firing = False
                del self._lives[life.key]
            elif worst > life.severity:
                life.severity = worst
            elif times.end - life.written < REPEAT:
                continue
            found.append(written(life, times))
        return found

    def is_mine(self, life: Life) -> bool:
        """Return whether a life is of an alert on several features of the stream."""
        return life.stream == self._stream and bool(life.features)

    def speaks_of(self, name: str, since: int) -> bool:
        """Return whether the alert on many that fires says that one changed at `since` (ms)."""
        life = self._lives.get(self.key)
        return life is not None and (
            name in life.features or abs(since - life.since) <= self._length
        )

    def _fire(
        self, kind: Kind, new: Sequence[Life], since: int, names: list[str], times: WindowTimes
    ) -> Life:
        """Let the alert on several features fire, of which `new` did just now."""
        worst = max(new, key=lambda one: one.severity)
        life = Life(
            self._stream, "", kind, since=since, firing=True, severity=worst.severity,
            rule=worst.rule, version=worst.version, history={}, features=names,
        )  # fmt: skip
        texts = [one.segments for one in new]
        life.segments = max(sorted(set(texts)), key=texts.count)
        self._lives[life.key] = life
        join_incident(life, self._lives.values(), self._length)
        _take_in(life, new)
        return written(life, times)

    def _groups(self) -> list[Life]:
        """Return the alerts on features that are missing together, in the order of their keys."""
        found = (one for one in self._lives.values() if self.is_mine(one) and one.key != self.key)
        return sorted(found, key=lambda one: one.key)

    def _of(self, life: Life) -> list[Life]:
        """Return the silent lives that an alert speaks of, while they fire."""
        return [one for one in self._mine() if life.speaks_of(one)]

    def _mine(self) -> list[Life]:
        return [
            one for one in self._lives.values()
            if one.stream == self._stream and one.firing and one.feature in self._watched
            and KINDS[one.kind].about in ("distribution", "quality")
        ]  # fmt: skip


def _take_in(life: Life, new: Sequence[Life]) -> None:
    """Let an alert on several features speak of others, too, which become silent."""
    for one in new:
        one.silent, one.incident = True, life.incident
        if life.kind == _MISSING:
            one.told_by = life.key[2]
        if one.feature not in life.features:
            life.features = [*life.features, one.feature]


def _is_telling(counts: IntArray) -> bool:
    """Return whether counts that are equal, pane for pane, would hardly be so by chance.

    Two counts about n that have nothing in common are equal in one of sqrt(4 pi n) times (of two
    Poisson variables of one mean, which is where it is most likely).
    """
    chance = np.prod(1 / np.sqrt(np.maximum(4 * np.pi * counts, 1.0)))
    return bool(chance <= _CHANCE)
