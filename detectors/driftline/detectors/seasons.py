"""Seasons: what is normal at each hour of the day, hour of the week or day of the week.

A reference may hold, beside the counts of all its events, those of each cell of a cycle, of the
features that follow one. A cell that a few events tell of is judged by the others, too: what is
known of it are its own events, and those of the other cells together as if they were `kappa`.

    A_c = own_c + min(kappa, N) * share of the other cells, N: their events

Where kappa is large all cells are alike, and what is known is what all events tell.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Self

import numpy as np

from driftline.detectors.counts import Layout
from driftline.detectors.grid import IntArray
from driftline.detectors.packing import packed, unpacked

HOUR, DAY = 3_600_000, 86_400_000
_MONDAY = 3  # 1970 began with a Thursday


@dataclass(frozen=True)
class Cycle:
    """A way to cut time into cells that come again.

    Attributes:
        name: as the reference writes it.
        cells: how many there are.
        cell: length of one, ms.
        longest: length of the panes that it is for, ms, at most.
        words: when a cell comes again, as sentences have it, and when several do.
        title: what it is called; all: its cells.
    """

    name: str
    cells: int
    cell: int
    longest: int
    words: tuple[str, str]
    title: str
    all: str

    def cell_of(self, local: IntArray) -> IntArray:
        """Return the cell of each of some times.

        An event is of the cell of its time, a pane of the cell of its middle: a day of UTC is
        mostly Sunday in New York, though it begins there on Saturday.

        Args:
            local: what the clocks of the time zone show, ms since 1970.

        Example:
            >>> import numpy as np
            >>> thursday_noon = np.array([12 * HOUR])
            >>> [int(cycle.cell_of(thursday_noon)[0]) for cycle in CYCLES.values()]
            [12, 84, 3]
        """
        return self.occurrence_of(local) % self.cells

    def occurrence_of(self, local: IntArray) -> IntArray:
        """Return a number for each time that a cell comes; modulo `cells` the cell.

        Panes of one occurrence may share what is special about that time alone. So they are no
        witnesses of each other where it is asked what comes again.
        """
        occurrence: IntArray = (local + _MONDAY * DAY) // self.cell
        return occurrence


_TABLE = (
    Cycle(
        "hour_of_day", 24, HOUR, HOUR,
        ("at this hour", "at these hours"), "the hour of the day", "24 hours",
    ),
    Cycle(
        "hour_of_week", 168, HOUR, HOUR,
        ("at this hour of the week", "at these hours of the week"),
        "the hour of the week", "168 hours",
    ),
    Cycle(
        "day_of_week", 7, DAY, DAY,
        ("on this day of the week", "on these days of the week"), "the day of the week", "7 days",
    ),
)  # fmt: skip

CYCLES: Mapping[str, Cycle] = MappingProxyType({each.name: each for each in _TABLE})
"""The table: name to cycle."""


def cycles_for(pane: int) -> tuple[Cycle, ...]:
    """Return the cycles that panes of a length (ms) may follow.

    Example:
        >>> [cycle.name for cycle in cycles_for(DAY)], cycles_for(2 * DAY)
        (['day_of_week'], ())
    """
    return tuple(each for each in _TABLE if pane <= each.longest)


@dataclass(frozen=True, eq=False)
class FeatureSeason:
    """What is normal of one feature in each cell.

    Attributes:
        cycle: name of the cycle that it follows.
        kappa: as how many events all other cells count in one, positive.
        counts: events of the reference in each cell per bin, then those without a usable value,
            shape (cells, bins + 1). Bins are those of `sequential.pane_bins.PaneBins` of the
            stream; the cells together hold no more than the stream's counts.
    """

    cycle: str
    kappa: float
    counts: IntArray

    def __post_init__(self) -> None:
        if self.counts.shape[0] != CYCLES[self.cycle].cells:
            raise ValueError(f"a season has other cells than the cycle {self.cycle!r}")

    def equals(self, other: FeatureSeason | None) -> bool:
        """Return whether the same is normal in each cell."""
        return (
            other is not None
            and (self.cycle, self.kappa) == (other.cycle, other.kappa)
            and np.array_equal(self.counts, other.counts)
        )


@dataclass(frozen=True, eq=False)
class Seasons:
    """The seasons of a reference.

    Attributes:
        timezone: whose clocks tell the cell: an IANA name, or an offset such as `+02:00`.
        streams: of each stream of the reference, in their order, the season of each feature that
            has one, by its place in the layout.

    Example:
        >>> from driftline.detectors.counts import Feature
        >>> layout = Layout.of([Feature("plan", "categorical", np.empty(0), ("a", "b"))])
        >>> season = FeatureSeason("day_of_week", 300.0, np.ones((7, 4), np.int64))
        >>> document = Seasons("UTC", ({0: season},)).to_json(layout)
        >>> again = Seasons.from_json(document, layout)
        >>> again.streams[0][0].counts.shape, again.timezone
        ((7, 4), 'UTC')
    """

    timezone: str
    streams: tuple[Mapping[int, FeatureSeason], ...]

    @property
    def of_hours(self) -> bool:
        """Whether hours are compared each with its own normal, of any feature of the whole."""
        return any(CYCLES[each.cycle].cell == HOUR for each in self.streams[0].values())

    def to_json(self, layout: Layout) -> dict[str, Any]:
        """Return it as a reference's file has it."""
        return {
            "timezone": self.timezone,
            "streams": [
                {
                    layout.features[f].name: {
                        "cycle": season.cycle,
                        "kappa": season.kappa,
                        "bins": season.counts.shape[1],
                        "counts": packed(season.counts.reshape(-1)),
                    }
                    for f, season in stream.items()
                }
                for stream in self.streams
            ],
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any], layout: Layout) -> Self:
        """Read what `to_json` wrote.

        Raises:
            KeyError, TypeError, ValueError, IndexError: it is not of this form.
        """
        streams = []
        for stream in document["streams"]:
            seasons = {}
            for name, own in stream.items():
                shape = CYCLES[own["cycle"]].cells, int(own["bins"])
                counts = unpacked(own["counts"], shape[0] * shape[1]).reshape(shape)
                season = FeatureSeason(own["cycle"], float(own["kappa"]), counts)
                seasons[layout.position[name]] = season
            streams.append(seasons)
        return cls(document["timezone"], tuple(streams))
