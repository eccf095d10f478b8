"""UTC to local times: what the clocks of a time zone show."""

from __future__ import annotations

import numpy as np

from driftline.detectors.grid import IntArray
from driftline.producer.records.time_zone import YEAR, Zone, switches


def local_times(zone: Zone, instants: IntArray) -> IntArray:
    """Return what the clocks of a zone show at each of some instants; both in ms since 1970.

    Example:
        >>> from driftline.producer.records.time_zone import find_zone
        >>> summer, winter = 1_561_939_200_000, 1_577_836_800_000
        >>> found = local_times(find_zone("Europe/Berlin"), np.array([summer, winter]))
        >>> ((found - [summer, winter]) // 3_600_000).tolist()
        [2, 1]
    """
    years, place = np.unique(instants // YEAR, return_inverse=True)
    place = place.reshape(instants.shape)
    local = instants.copy()
    for i, year in enumerate(years.tolist()):
        own = place == i
        times, offsets = switches(zone.rules, year)
        at = np.searchsorted(np.array(times, np.int64), instants[own], "right")
        local[own] += np.array(offsets, np.int64)[at]
    return local
