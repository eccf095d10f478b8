"""River's detectors on the streams of `streams.py`; run in an environment of its own.

Prints a JSON object: of each detector `quiet`, alarms per 10 million values of each quiet stream,
and `delays`, the median delay in events of each change (null: fewer than half alarmed).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from river import drift  # type: ignore[import-not-found]  # of its own environment
from streams import (  # type: ignore[import-not-found]  # beside it, run as a file
    CHANGES,
    PEER_AFTER,
    PEER_BEFORE,
    PEER_EVENTS,
    PEER_PANES,
    PEER_QUIET,
    PEER_REFERENCE,
    Changed,
    blocks,
    compared,
    compared_quiet,
)

DETECTORS: dict[str, Callable[[], Any]] = {
    "ADWIN": drift.ADWIN,
    "PageHinkley": drift.PageHinkley,
    "KSWIN": lambda: drift.KSWIN(seed=1),
}
# How much each sees: a value costs KSWIN more than a millisecond, and it looks back at 100 of them.
QUIET_PANES = {"ADWIN": 2_000, "PageHinkley": 200, "KSWIN": 200}
QUIET_FEATURES = {"ADWIN": 50, "PageHinkley": 50, "KSWIN": 1}
SEEN_BEFORE = {"KSWIN": 200}


def alarms(detector: Any, values: Iterator[float]) -> int:
    """Return how often it alarms; it begins anew by itself."""
    found = 0
    for value in values:
        detector.update(value)
        found += detector.drift_detected
    return found


def quiet(name: str, kind: str) -> float:
    """Return alarms per 10 million values."""
    stream, panes, features = compared_quiet(kind), QUIET_PANES[name], QUIET_FEATURES[name]
    stream.draw(PEER_REFERENCE)
    detectors = [DETECTORS[name]() for _ in range(features)]
    values_seen: int = panes * features * stream.events
    found, left = 0, panes * stream.events
    for block in blocks(stream, PEER_PANES):
        for detector, values in zip(detectors, block[:left].T, strict=False):
            found += alarms(detector, iter(values.tolist()))
        left = max(left - len(block), 0)
    return found * 10_000_000 / values_seen


def delay(name: str, seed: int, change: Changed) -> float | None:
    """Return the median delay in events; alarms before the change are not counted."""
    stream = compared(seed)
    before = stream.draw(PEER_BEFORE)
    after = change(stream.rng, stream.draw(PEER_AFTER))
    found = []
    seen = SEEN_BEFORE.get(name, PEER_BEFORE * PEER_EVENTS)
    for normal, changed in zip(before[-seen:].T, after.T, strict=True):
        detector = DETECTORS[name]()
        alarms(detector, iter(normal.tolist()))
        found.append(np.inf)
        for i, value in enumerate(changed.tolist(), 1):
            detector.update(value)
            if detector.drift_detected:
                found[-1] = i
                break
    median = float(np.median(found))
    return median if np.isfinite(median) else None


def main() -> None:
    found = {
        name: {
            "quiet": {kind: quiet(name, kind) for kind in PEER_QUIET},
            "delays": {
                change: delay(name, seed, changed)
                for seed, (change, changed) in enumerate(CHANGES.items())
            },
        }
        for name in DETECTORS
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
