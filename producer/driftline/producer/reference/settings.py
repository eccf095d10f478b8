"""What is to be built of a reference."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from driftline.detectors.build import DEFAULT_GRID
from driftline.detectors.reference import Reference
from driftline.detectors.registry import FeatureType
from driftline.producer.reference.derive import Derive, FieldType, derive_of


@dataclass(frozen=True)
class Together:
    """Which numbers are counted together.

    Attributes:
        most: how many, at most 50.
        weights: of features; those of the largest weight, 1 unless given, are chosen.
    """

    most: int
    weights: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class ReferenceSettings:
    """What to build.

    Attributes:
        model: the model's name; events that name another one are left out.
        grid: most grid values of a numeric feature; None keeps every distinct value.
        types: feature to type, where the inferred one is wrong; or field to what is derived of it:
            `vector` or `text`, or `Derive` with its numbers.
        segments: tags (`model_version` is one) that also get counts per value.
        positive_label: the class whose probability `prediction.score` is; by default "1" or "true"
            where the labels are 0 and 1 or false and true.
        ignore: globs of input features that are not built.
        timezone: whose hours and days features may follow, see `driftline.detectors.seasons`; None:
            they follow none.
        layout_of: a reference whose layout is counted in, so that grid, types, segments and
            positive label are its own; None: they are chosen.
    """

    model: str
    grid: int | None = DEFAULT_GRID
    types: Mapping[str, FieldType | Derive] = field(default_factory=dict)
    segments: Sequence[str] = ()
    positive_label: str | None = None
    ignore: Sequence[str] = ()
    timezone: str | None = None
    layout_of: Reference | None = None

    @property
    def tags(self) -> Sequence[str]:
        """The tags whose values are counted apart."""
        return self.segments if self.layout_of is None else tuple(self.layout_of.segments)

    @property
    def feature_types(self) -> Mapping[str, FeatureType]:
        """Feature to type, where it is given."""
        types = ((name, derive_of(each)) for name, each in self.types.items())
        return {name: each for name, each in types if not isinstance(each, Derive)}

    @property
    def derived(self) -> Mapping[str, Derive]:
        """Field to what is derived of it."""
        types = ((name, derive_of(each)) for name, each in self.types.items())
        return {name: each for name, each in types if isinstance(each, Derive)}

    def is_ignored(self, feature: str) -> bool:
        """Tell whether an input feature is not built."""
        return any(fnmatch.fnmatchcase(feature, glob) for glob in self.ignore)
