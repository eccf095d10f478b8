"""What a reference counted: of each stream how often each cell came, and what goes with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from driftline.detectors.count_rows import CountRows
from driftline.detectors.dispersion import Dispersion
from driftline.detectors.grid import IntArray
from driftline.detectors.joint.normal import JointNormal
from driftline.detectors.seasons import Seasons
from driftline.detectors.volume import Volume

if TYPE_CHECKING:
    from driftline.detectors.reference import Reference


@dataclass(frozen=True, eq=False)
class ReferenceCounts:
    """The counts of a reference's streams.

    Attributes:
        names: None for the whole model, then `tag=value` for every listed segment value and
            `tag=__other__` for every tag.
        counts: int64, shape (streams, layout.size); or the same in little memory, see
            `Reference.watched_by`.
        events: int64, shape (streams,): events of each stream.
        seasons: what is normal at each hour or day; None: the same at all.
        volume: how many events come; None: it is not known.
        origin: where some of the counts replace those of another reference, see
            `driftline.detectors.replaced_counts`, that one. It is no part of the content.
        versions: what versions of the model that have a reference of their own were built with, by
            their name; see `driftline.detectors.versions`.
        joint: what is normal of features together; None: that was not counted.
    """

    names: tuple[str | None, ...]
    counts: IntArray | CountRows
    events: IntArray
    seasons: Seasons | None = None
    volume: Volume | None = None
    origin: Reference | None = None
    versions: Mapping[str, VersionBaseline] = field(default_factory=dict)
    joint: JointNormal | None = None


@dataclass(frozen=True, eq=False)
class VersionBaseline:
    """What a version of the model has of its own, beside its stream.

    Attributes:
        id: of its reference.
        dispersion: of that; None: it is not known.
    """

    id: str
    dispersion: Dispersion | None
