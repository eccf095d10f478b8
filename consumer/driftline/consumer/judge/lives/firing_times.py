"""Which alerts on features fired at a time: labels come late, and their alerts look back."""

from __future__ import annotations

import math
from collections.abc import Iterable

import msgspec

from driftline.consumer.judge.lives.life import Life
from driftline.consumer.judge.state import Firing

# Of alerts that are resolved this number is remembered.
_MOST_RESOLVED = 1_000


class FiringTimes:
    """Alerts on features, with their effect in the windows that may be looked back at.

    Args:
        every: ms of event time; of each such period one effect is kept. Labels may come weeks
            later, and what is kept goes into every state record.
    """

    def __init__(self, every: int) -> None:
        self._firings: list[Firing] = []
        self._every = every

    def restore(self, known: Iterable[Firing]) -> None:
        """Go on from what was kept."""
        self._firings = list(known)

    def note(self, life: Life, end: int, effect: float) -> None:
        """Note the effect of a life that fires, or has just been resolved, in a window.

        `end`: of the window, ms.
        """
        found = next(
            (f for f in self._firings
             if (f.stream, f.feature, f.kind) == life.key and f.resolved is None), None
        )  # fmt: skip
        effect = 0.0 if math.isnan(effect) else effect
        if not life.firing:
            if found is not None:
                found.resolved = end
            self._forget_oldest()
        elif found is None:
            incident = life.since if life.incident is None else life.incident
            self._firings.append(Firing(*life.key, incident, end, [(end, effect)]))
        elif end // self._every > found.windows[-1][0] // self._every:
            found.windows.append((end, effect))

    def at(self, end: int) -> list[Firing]:
        """Return the alerts that fired when the window that ends at `end` (ms) was judged."""
        return [
            f for f in self._firings
            if f.fired <= end and (f.resolved is None or f.resolved > end)
        ]  # fmt: skip

    def features(self, stream: str, end: int) -> list[str]:
        """Return the features of `stream` that fired then, worst first."""
        effects: dict[str, float] = {}
        for firing in self.at(end):
            if firing.stream == stream:
                # What an older version kept may begin later.
                known = [effect for at, effect in firing.windows if at <= end]
                last = known[-1] if known else firing.windows[0][1]
                effects[firing.feature] = max(effects.get(firing.feature, -math.inf), last)
        return sorted(effects, key=lambda name: (-effects[name], name))

    def forget(self, before: int) -> None:
        """Forget what nobody looks back at any more who judges windows from `before` (ms) on."""
        self._firings = [f for f in self._firings if f.resolved is None or f.resolved > before]
        for firing in self._firings:
            old = [number for number, (end, _) in enumerate(firing.windows) if end <= before]
            del firing.windows[: max(len(old) - 1, 0)]

    def state(self) -> list[Firing]:
        """Return what there is to remember."""
        return [msgspec.structs.replace(f, windows=list(f.windows)) for f in self._firings]

    def _forget_oldest(self) -> None:
        resolved = [f for f in self._firings if f.resolved is not None]
        if len(resolved) > _MOST_RESOLVED:
            self._firings.remove(resolved[0])
