"""River's detectors on the streams of `streams.py`; run in an environment of its own.

Prints a JSON object: of each detector the false alarms per 10 million values of quiet streams, and
the median delay in events of each change (null: fewer than half of the streams alarmed).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
from river import drift  # type: ignore[import-not-found]  # of its own environment
from streams import (  # type: ignore[import-not-found]  # beside it, run as a file
    CHANGES,
    PEER_AFTER,
    PEER_BEFORE,
    Changed,
    compared,
)

QUIET = {
    "ADWIN": 10_000_000,
    "PageHinkley": 1_000_000,
    "KSWIN": 20_000,
}  # a value costs KSWIN more than a millisecond
DELAYS = ("ADWIN", "PageHinkley")
DETECTORS: dict[str, Callable[[], Any]] = {
    "ADWIN": drift.ADWIN,
    "PageHinkley": drift.PageHinkley,
    "KSWIN": lambda: drift.KSWIN(seed=1),
}


def false_alarms(name: str) -> float:
    """Return alarms per 10 million values; detectors begin anew by themselves."""
    values = np.random.default_rng(91).standard_normal(QUIET[name])
    detector, alarms = DETECTORS[name](), 0
    for value in values.tolist():
        detector.update(value)
        alarms += detector.drift_detected
    return alarms * 10_000_000 / QUIET[name]


def delay(name: str, seed: int, change: Changed) -> float | None:
    """Return the median delay in events; alarms before the change are not counted."""
    stream = compared(seed)
    before = stream.draw(PEER_BEFORE)
    after = change(stream.rng, stream.draw(PEER_AFTER))
    found = []
    for quiet, changed in zip(before.T, after.T, strict=True):
        detector = DETECTORS[name]()
        for value in quiet.tolist():
            detector.update(value)
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
            "false alarms": false_alarms(name),
            "delays": {
                change: delay(name, seed, changed)
                for seed, (change, changed) in enumerate(CHANGES.items())
                if name in DELAYS
            },
        }
        for name in DETECTORS
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
