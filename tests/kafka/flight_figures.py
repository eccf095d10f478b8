"""What is known of the flights' labels, month by month: by the file, and by what was counted.

Months have no fixed length, so no window is one. But counts add up: those of the days of a month,
as they lie in the log of panes, are the month's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.metrics import roc_auc_score
from tests.kafka.flights import DAY, MODEL, Flight
from tests.kafka.published import Published
from tests.kafka.reader import Read

from driftline.consumer.join.cells import EXTRA_CELLS, labelled
from driftline.consumer.wire.codec import unpack_integers
from driftline.consumer.wire.messages import Pane, decode_panes
from driftline.detectors.outcomes import OutcomeLayout, measure
from driftline.producer.records.timestamp import format_time


@dataclass(frozen=True)
class Month:
    """How many predictions of a month got their label, and how well scores tell labels apart."""

    joined: int
    roc_auc: float


def months_of_file(flights: Sequence[Flight], horizon: int) -> dict[str, Month]:
    """Return what the file says, with labels that come within `horizon` (ms).

    A prediction waits for its first label as long as the horizon. Later labels correct it until
    the day of the prediction, and the horizon after it, are over.
    """
    pairs: dict[str, list[tuple[float, int]]] = defaultdict(list)
    for flight in flights:
        if not flight.labels or abs(flight.labels[0][0] - flight.departed) >= horizon:
            continue
        judged = (flight.departed // DAY + 1) * DAY + horizon
        last = [late for time, late in flight.labels if time < judged][-1]
        score = flight.event["prediction"]["score"]
        pairs[format_time(flight.departed)[:7]].append((score, last))
    return {month: _measured(some) for month, some in sorted(pairs.items())}


def _measured(pairs: Sequence[tuple[float, int]]) -> Month:
    scores, labels = (np.array(column) for column in zip(*pairs, strict=True))
    return Month(len(pairs), float(roc_auc_score(labels, scores)))


def months_in_panes(panes: Iterable[Read], layout: OutcomeLayout) -> dict[str, Month]:
    """Return what the records of the log of panes add up to."""
    newest: dict[tuple[int, int, int], Pane] = {}
    for record in panes:
        message = decode_panes(record.value or b"")
        if isinstance(message, Pane) and message.outcomes and message.model == MODEL:
            place = (message.partition, message.start, message.first)
            if place not in newest or message.until >= newest[place].until:
                newest[place] = message
    months: dict[str, np.ndarray[tuple[int], np.dtype[np.int64]]] = {}
    for pane in newest.values():
        month = format_time(pane.start)[:7]
        total = months.setdefault(month, np.zeros(layout.size + EXTRA_CELLS, np.int64))
        for stream in pane.streams:
            if stream.stream is None:
                cells = np.cumsum(unpack_integers(stream.indexes))
                total[cells] += unpack_integers(stream.counts)
    return {
        month: Month(
            labelled(total[layout.size :]), measure(layout, total[: layout.size])["roc_auc"].value
        )
        for month, total in sorted(months.items())
    }


def joined_by_verdicts(published: Published) -> int:
    """Return how many predictions got their label: windows of a day do not overlap."""
    return sum(
        verdict["counts"]["labelled"]
        for verdict in published.verdict_records()
        if verdict["feature"] == "performance.roc_auc" and verdict["counts"] is not None
    )
