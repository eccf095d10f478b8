"""Many features that change at once: one cause, one alert."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from driftline.consumer.judge.lives.life import (
    REPEAT,
    Life,
    Lives,
    WindowTimes,
    join_incident,
    written,
)
from driftline.consumer.wire.kinds import KINDS, Kind

_LEAST = 10
_KIND: Kind = "feature_drift"


class ManyFeatures:
    """The alert on many features of one stream that changed at once.

    At least 10, and more than half of those that are watched, within one pane. Each has a life of
    its own, which is silent; those that follow within a window's length do too.

    Args:
        stream: its name.
        watched: names of the features that are.
        lives: the model's alert lives.
        every, length: of windows, ms.
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
            for one in new:
                if abs(one.since - life.since) <= self._length:
                    one.silent, one.incident = True, life.incident
                    life.features = sorted({*life.features, one.feature})
            return None
        # Most of them know best when it began; the earliest of many is one that errs.
        begun = [one.since for one in new]
        since = max(sorted(set(begun)), key=begun.count)
        mine = self._mine()
        near = {one.feature for one in mine if one in new or abs(one.since - since) <= self._every}
        names = near | ({*also} - {one.feature for one in mine})
        if len(names) < _LEAST or 2 * len(names) <= len(self._watched):
            return None
        worst = max(new, key=lambda one: one.severity)
        life = Life(
            *self.key, since=since, firing=True, severity=worst.severity, rule=worst.rule,
            version=worst.version, history={}, features=sorted(names),
        )  # fmt: skip
        texts = [one.segments for one in new]
        life.segments = max(sorted(set(texts)), key=texts.count)
        self._lives[self.key] = life
        join_incident(life, self._lives.values(), self._length)
        for one in new:
            one.silent, one.incident = True, life.incident
        return written(life, times)

    def follow(self, ended: Sequence[Life], times: WindowTimes) -> Life | None:
        """Return the alert if a window makes it worse, resolves it, or finds it due again.

        `ended`: lives of the stream that the window resolved.
        """
        life = self._lives.get(self.key)
        if life is None:
            return None
        parts = [one for one in self._mine() if one.silent]
        if not parts:
            quiet = [one.quiet_since for one in ended if one.silent and one.quiet_since is not None]
            life.quiet_since = max(quiet, default=times.newest)
            life.firing = False
            del self._lives[self.key]
            return written(life, times)
        worst = max(one.severity for one in parts)
        if worst > life.severity:
            life.severity = worst
            return written(life, times)
        return written(life, times) if times.end - life.written >= REPEAT else None

    def speaks_of(self, name: str, since: int) -> bool:
        """Return whether the alert, while it fires, says that a feature changed at `since` (ms)."""
        life = self._lives.get(self.key)
        return life is not None and (
            name in life.features or abs(since - life.since) <= self._length
        )

    def _mine(self) -> list[Life]:
        return [
            one for one in self._lives.values()
            if one.stream == self._stream and one.firing and one.feature in self._watched
            and KINDS[one.kind].about in ("distribution", "quality")
        ]  # fmt: skip
