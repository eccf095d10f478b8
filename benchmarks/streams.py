"""Simulated streams of numbers, and what becomes of them: numpy and scipy alone.

The programs that watch them run in environments of their own; these are the same values for all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

FloatArray = NDArray[np.float64]

Changed = Callable[[np.random.Generator, FloatArray], FloatArray]
"""What becomes of values with mean 0 and variance 1."""


@dataclass
class Stream:
    """Values with mean 0 and variance 1, in the order of time, of some features.

    Attributes:
        features: how many.
        events: of a pane.
        correlation: of neighbouring values.
        effect: standard deviation of what the values of a pane share beside.
    """

    rng: np.random.Generator
    features: int
    events: int = 100
    correlation: float = 0.0
    effect: float = 0.0
    _last: FloatArray | None = field(default=None, init=False)

    def draw(self, panes: int) -> FloatArray:
        """Return the values of the next panes, shape (panes * events, features)."""
        shape = (panes * self.events, self.features)
        values = self.rng.standard_normal(shape, np.float32).astype(np.float64)
        if self.correlation:
            if self._last is None:
                self._last = self.rng.standard_normal((1, self.features))
            values *= np.sqrt(1.0 - self.correlation**2)
            start = self.correlation * self._last
            values, _ = lfilter([1.0], [1.0, -self.correlation], values, axis=0, zi=start)
            self._last = values[-1:].copy()
        if self.effect:
            shared = self.effect * self.rng.standard_normal((panes, self.features))
            values += np.repeat(shared, self.events, axis=0)
        return values


def shifted(by: float) -> Changed:
    """Return the change that moves the mean."""
    return lambda _, values: values + by


def scaled(by: float) -> Changed:
    """Return the change of the standard deviation."""
    return lambda _, values: values * by


def outliers(rng: np.random.Generator, values: FloatArray) -> FloatArray:
    """1 % of the values lie beyond 4."""
    beyond = 4.0 + rng.exponential(0.5, values.shape)
    found: FloatArray = np.where(rng.random(values.shape) < 0.01, beyond, values)
    return found


def heavy_tails(rng: np.random.Generator, values: FloatArray) -> FloatArray:
    """Student's t with 3 degrees of freedom, with the same variance."""
    found: FloatArray = rng.standard_t(3, values.shape) / np.sqrt(3.0)
    return found


CHANGES: dict[str, Changed] = {
    "shift of .2 sd": shifted(0.2),
    "shift of .5 sd": shifted(0.5),
    "scale .8": scaled(0.8),
    "1 % outliers": outliers,
    "t(3)": heavy_tails,
}
"""Changes whose delay is measured."""

PEER_FEATURES, PEER_EVENTS, PEER_BEFORE, PEER_AFTER = 60, 50, 100, 600
"""Of the changed streams on which detectors are compared: how many, events of a pane, and panes."""

PEER_QUIET: dict[str, tuple[float, float]] = {
    "independent": (0.0, 0.0),
    "AR(1) .2": (0.2, 0.0),
    "AR(1) .5": (0.5, 0.0),
    "pane effects of .1 sd": (0.0, 0.1),
}
"""Quiet streams on which detectors are compared: correlation, and effect of a pane of 100."""

PEER_REFERENCE, PEER_PANES = 100, 2_000
"""Panes of 100 events of the quiet streams: those that are the reference, and those after them."""

_AT_ONCE = 1 << 23  # values: what is drawn does not depend on who draws it


def compared(seed: int) -> Stream:
    """Return the changed streams on which detectors are compared."""
    return Stream(np.random.default_rng([90, seed]), PEER_FEATURES, PEER_EVENTS)


def reference_of_compared(seed: int) -> FloatArray:
    """Return 10,000 values of each of these streams, for detectors that want a reference."""
    return Stream(np.random.default_rng([92, seed]), PEER_FEATURES, PEER_EVENTS).draw(200)


def compared_quiet(name: str) -> Stream:
    """Return 50 quiet streams: their reference comes first, then their panes."""
    correlation, effect = PEER_QUIET[name]
    rng = np.random.default_rng([91, list(PEER_QUIET).index(name)])
    return Stream(rng, 50, 100, correlation, effect)


def blocks(stream: Stream, panes: int) -> Iterator[FloatArray]:
    """Yield the values of the next panes, some panes at a time."""
    rows = max(1, min(panes, _AT_ONCE // (stream.events * stream.features)))
    for begin in range(0, panes, rows):
        yield stream.draw(min(rows, panes - begin))
