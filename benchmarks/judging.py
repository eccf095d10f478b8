"""Time of judging one window of 3,000 features: the statistics, the records, and their bytes.

Run: python -m benchmarks.judging [--features N]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import replace

import msgspec
import numpy as np
from benchmarks.detectors import build, draw, repeat

from driftline.consumer.config import ModelConfig, ReferenceConfig
from driftline.consumer.judge.features.causes import Causes
from driftline.consumer.judge.features.rules import RuleBook
from driftline.consumer.judge.features.stream import StreamJudge
from driftline.consumer.judge.lives.life import Lives, WindowTimes
from driftline.consumer.judge.records import RecordWriter
from driftline.consumer.judge.windows.panes import PaneStore
from driftline.consumer.judge.windows.stream_window import StreamWindow
from driftline.consumer.wire.codec import pack_integers
from driftline.consumer.wire.messages import Pane, StreamCounts
from driftline.detectors import Layout, Reference, compare, count_columns
from driftline.detectors.reference import ReferenceCounts

FEATURES = 3_000
EVENTS = 1_000
HOUR = 3_600_000
ROUNDS = 15


def widen(features: int) -> Reference:
    """Return a reference of so many features; a few real ones are repeated under new names."""
    few = build(np.random.default_rng(1))
    baseline = repeat(few, features)
    layout = Layout(
        tuple(replace(f, name=f"{i:05}") for i, f in enumerate(baseline.layout.features))
    )
    return Reference(
        "benchmark",
        layout,
        ReferenceCounts((None,), baseline.counts[np.newaxis], few.stream_events),
        {},
    )


def window_of(reference: Reference, seed: int) -> StreamWindow:
    """Return a quiet window of one pane."""
    rng = np.random.default_rng(seed)
    counts = count_columns(reference.layout, draw(reference.layout, EVENTS, rng))
    where = np.flatnonzero(counts)
    stream = StreamCounts(
        None, EVENTS, {}, pack_integers(np.diff(where, prepend=0)), pack_integers(counts[where])
    )
    panes = PaneStore(HOUR, (reference.layout_id,), reference.layout.size)
    pane = Pane("t", 0, "benchmark", 0, HOUR, reference.id, 0, EVENTS, 0, counts.size, [stream])
    panes.add(pane, 0)
    return StreamWindow(WindowTimes(0, HOUR, 0), panes, None, {})


def milliseconds(work: Callable[[], object]) -> tuple[float, float]:
    """Return the least and the median CPU time of several runs."""
    times = []
    for _ in range(ROUNDS):
        begin = time.process_time()
        work()
        times.append(1000 * (time.process_time() - begin))
    return min(times), float(np.median(times))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--features", type=int, default=FEATURES)
    features = parser.parse_args().features
    reference = widen(features)
    config = ModelConfig(predictions=("t",), reference=ReferenceConfig(layout="-"))
    rules = RuleBook(config, reference.layout)
    lives: Lives = {}
    judge = StreamJudge(
        RecordWriter.of("benchmark", None, config, reference),
        config,
        reference,
        rules,
        lives,
        Causes("benchmark", config, reference, lives, {}),
    )
    window = window_of(reference, 2)
    counts = window.panes.counts(0, HOUR, None)
    verdicts, alerts = judge.judge(window)
    print(
        f"{features:,} features ({reference.layout.numeric:,} numeric),"
        f" a window of {EVENTS:,} events: {len(verdicts):,} verdicts, {len(alerts)} alerts"
    )
    encode = msgspec.json.Encoder().encode
    baseline = judge._baseline  # noqa: SLF001
    for name, work in (
        ("statistics", lambda: compare(baseline, counts, rules.alpha, rules.rate_alpha)),
        ("statistics, rules and records", lambda: judge.judge(window)),
        ("JSON of the records", lambda: [encode(verdict) for verdict in verdicts]),
    ):
        least, median = milliseconds(work)
        print(f"{name:30} {least:7.1f} ms, median {median:7.1f} ms")


if __name__ == "__main__":
    main()
