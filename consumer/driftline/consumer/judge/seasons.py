"""The seasons of a stream, and the clocks of the time zone that they are told in."""

from __future__ import annotations

from functools import partial

from driftline.detectors.reference import Reference
from driftline.detectors.sequential.cell_shares import StreamSeasons
from driftline.producer.records.local_times import local_times
from driftline.producer.records.time_zone import find_zone


def stream_seasons(reference: Reference, segment: str | None) -> StreamSeasons | None:
    """Return the seasons of a stream; None where none of its features follows a cycle."""
    seasons = reference.seasons
    if seasons is None or not seasons.streams[reference.position[segment]]:
        return None
    clock = partial(local_times, find_zone(seasons.timezone))
    return StreamSeasons(seasons.streams[reference.position[segment]], clock)
