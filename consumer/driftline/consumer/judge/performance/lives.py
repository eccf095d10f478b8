"""Moves the alerts of one stream's metrics on by a window."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from driftline.consumer.judge.lives.life import Life, WindowTimes, enter_incident, step
from driftline.consumer.judge.performance.rules import MetricReading
from driftline.consumer.wire.kinds import Kind

Lives = dict[tuple[str, str, str], Life]


def move(
    lives: Lives,
    stream: str,
    found: Sequence[MetricReading],
    times: WindowTimes,
    new_version: str | None,
    incidents: Iterable[int],
    length: int,
) -> list[tuple[Life, MetricReading]]:
    """Move the lives of a stream's metrics on; return those to be written, with their metric.

    Args:
        lives: of the model, by (stream, feature, kind).
        stream: whose metrics they are.
        found: the metrics of the window; those without a value are passed over.
        times: of the window.
        new_version: model version that its newest pane is the first to show.
        incidents: `since` (ms) of the incidents that are open.
        length: of a window, ms.
    """
    written = []
    for measured in found:
        if measured.reading is None or measured.figure.value != measured.figure.value:
            continue
        key: tuple[str, str, Kind] = (stream, measured.subject.field, "performance")
        life, write = step(lives.get(key), key, [measured.reading], times, new_version)
        if life is None:
            lives.pop(key, None)
            continue
        lives[key] = life
        if write:
            if life.revision == 1:
                enter_incident(life, incidents, length)
            written.append((life, measured))
        if not life.firing and life.revision:
            del lives[key]
    return written
