"""Evidently or NannyML on the streams of `streams.py`; run in an environment of its own.

    window_peers.py evidently | nannyml

Both compare windows of 1,000 events with a reference of 10,000, by their own defaults. Prints a
JSON object as `river_peers.py` does; a delay is that of the first window after the change in which
a stream alarms.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from streams import (  # type: ignore[import-not-found]  # beside it, run as a file
    CHANGES,
    PEER_AFTER,
    PEER_BEFORE,
    PEER_EVENTS,
    PEER_PANES,
    PEER_QUIET,
    PEER_REFERENCE,
    Changed,
    FloatArray,
    blocks,
    compared,
    compared_quiet,
    reference_of_compared,
)

WINDOW = 1_000
QUIET_WINDOWS = {"evidently": 5, "nannyml": 20}
STREAMS = {"evidently": 20, "nannyml": 60}
"""How much each sees: a window of one stream costs Evidently a sixth of a second."""

Alarms = NDArray[np.bool_]
"""Of each window and stream."""

Peer = Callable[[pd.DataFrame, pd.DataFrame], Alarms]
"""What it says of windows, by a reference."""


def evidently(reference: pd.DataFrame, frame: pd.DataFrame) -> Alarms:
    from evidently import Report  # type: ignore[import-not-found]  # of its own environment
    from evidently.metrics import ValueDrift  # type: ignore[import-not-found]  # the same

    report = Report([ValueDrift(column=name) for name in frame.columns], include_tests=True)
    found = []
    for begin in range(0, len(frame), WINDOW):
        result = report.run(frame.iloc[begin : begin + WINDOW], reference)
        found.append([test["status"] == "FAIL" for test in result.dict()["tests"]])
    return np.array(found)


def nannyml(reference: pd.DataFrame, frame: pd.DataFrame) -> Alarms:
    import nannyml as nml  # type: ignore[import-not-found]  # of its own environment

    names = list(frame.columns)
    drift = nml.UnivariateDriftCalculator(column_names=names, chunk_size=WINDOW)
    found = drift.fit(reference).calculate(frame).to_df()
    analysis = found[found[("chunk", "chunk", "period")] == "analysis"]
    return np.column_stack([
        analysis[name].xs("alert", axis=1, level=-1).any(axis=1).to_numpy(bool) for name in names
    ])  # fmt: skip


PEERS: dict[str, Peer] = {"evidently": evidently, "nannyml": nannyml}


def frame(values: FloatArray) -> pd.DataFrame:
    return pd.DataFrame(values, columns=[f"f{i:02}" for i in range(values.shape[1])])


def quiet(name: str, kind: str) -> float:
    """Return alarms per 10 million values."""
    stream = compared_quiet(kind)
    reference = frame(stream.draw(PEER_REFERENCE))
    values = next(blocks(stream, PEER_PANES))[: QUIET_WINDOWS[name] * WINDOW]
    return int(PEERS[name](reference, frame(values)).sum()) * 10_000_000 / int(values.size)


def delay(name: str, seed: int, change: Changed) -> float | None:
    """Return the median delay in events."""
    stream = compared(seed)
    stream.draw(PEER_BEFORE)
    after = change(stream.rng, stream.draw(PEER_AFTER))
    some = STREAMS[name]
    reference = frame(reference_of_compared(seed)[:, :some])
    alarmed = np.zeros(some, bool)
    found = np.full(some, np.inf)
    for begin in range(0, PEER_AFTER * PEER_EVENTS, 2 * WINDOW):
        windows = PEERS[name](reference, frame(after[begin : begin + 2 * WINDOW, :some]))
        for i, now in enumerate(windows, 1):
            found[now & ~alarmed] = begin + i * WINDOW
            alarmed |= now
        if alarmed.sum() > alarmed.size / 2:
            break
    median = float(np.median(found))
    return median if np.isfinite(median) else None


def main(name: str) -> None:
    found = {
        "quiet": {kind: quiet(name, kind) for kind in PEER_QUIET},
        "delays": {
            change: delay(name, seed, changed)
            for seed, (change, changed) in enumerate(CHANGES.items())
        },
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1])
