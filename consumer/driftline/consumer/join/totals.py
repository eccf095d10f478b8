"""Counts of predictions and labels in the join, by how each was used."""

from __future__ import annotations

import msgspec


class JoinTotals(msgspec.Struct):
    """Counts of the rows of one model.

    Attributes:
        predictions: that came, once each.
        joined: predictions that got their label.
        corrected: labels that changed the one before, its window not judged yet.
        repeated: labels equal to the one before.
        late: labels that came after the window of their prediction was judged.
        duplicates: predictions with an id that one before them has.
        expired: predictions whose label did not come within the horizon.
        unmatched: labels whose prediction did not come within the horizon.
        crowded_out: of `expired` and `unmatched`, those that made room because too many waited.
        hurried: rows that were matched before the slowest source had passed their time, because too
            many had been read.
    """

    predictions: int = 0
    joined: int = 0
    corrected: int = 0
    repeated: int = 0
    late: int = 0
    duplicates: int = 0
    expired: int = 0
    unmatched: int = 0
    crowded_out: int = 0
    hurried: int = 0
