"""The events of a batch as versions of their model read them that come after the present one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from driftline.consumer.sketch.decoded import Decoded, LaterRows, ModelRows
from driftline.detectors.grid import IntArray


def attach(
    decoded: Decoded, number: int, later: Decoded, names: Mapping[str, Sequence[str]]
) -> None:
    """Give events that were decoded what they are by a later version.

    Args:
        decoded: by the present version.
        number: of the later one after it, from 0.
        later: the same batch by the later one.
        names: of the later one's versions, by model.
    """
    for name, rows in decoded.models.items():
        if name in names:
            rows.later[number] = LaterRows(later.models.get(name), names[name])
    for name, error in later.failed.items():
        decoded.failed.setdefault(name, error)
        decoded.models.pop(name, None)


def read_as(rows: ModelRows, version: int, chosen: IntArray) -> tuple[ModelRows, IntArray]:
    """Return events as a version reads them, and their places there.

    An event that it cannot read is left out.
    """
    later = rows.later[version - 1].rows if version else rows
    if later is None:
        return rows, chosen[:0]
    if later is rows:
        return rows, chosen
    wanted = rows.index[chosen]
    places = np.minimum(np.searchsorted(later.index, wanted), len(later.index) - 1)
    return later, places[later.index[places] == wanted]
