"""The seasons of a stream, the clocks that tell them, and what is not watched for them."""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from driftline.detectors.reference import Reference
from driftline.detectors.seasons import CYCLES, DAY
from driftline.detectors.sequential.cell_shares import StreamSeasons
from driftline.detectors.versions import version_streams
from driftline.producer.records.local_times import local_times
from driftline.producer.records.time_zone import find_zone


def stream_seasons(reference: Reference, segment: str | None) -> StreamSeasons | None:
    """Return the seasons of a stream; None where none of its features follows a cycle."""
    seasons = reference.seasons
    if seasons is None or not seasons.streams[reference.position[segment]]:
        return None
    clock = partial(local_times, find_zone(seasons.timezone))
    return StreamSeasons(seasons.streams[reference.position[segment]], clock)


def quiet_for(cycle: str | None) -> int:
    """Return how long (ms) all is as normal before a change of what follows a cycle is over.

    What shifts by an hour differs at some hours and not at others, so it is a day, where hours are
    compared each with its own.
    """
    return DAY if cycle is not None and CYCLES[cycle].cell < DAY else 0


def unwatched(reference: Reference, segment: str | None) -> NDArray[np.bool_]:
    """Return the features of a stream on which no evidence is added up, shape (F,): windows alone.

    Where versions have references of their own, what is normal for the whole model, pane by pane,
    is known of its versions, but not at each hour; and nothing is known of the versions in the
    segments of other tags. Each version's own stream has all.
    """
    found = np.zeros(len(reference.layout.features), np.bool_)
    versions = version_streams(reference)
    if not versions or segment in versions:
        return found
    if segment is not None:
        return ~found
    for part in versions:
        seasons = stream_seasons(reference, part)
        found[[] if seasons is None else [*seasons.features]] = True
    return found
