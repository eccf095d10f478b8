"""What the reference knows of a model's events, and which fields it does not list."""

from __future__ import annotations

import fnmatch
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Self

from driftline.detectors.counts import Layout
from driftline.producer.records.names import PREDICTION_FEATURES

if TYPE_CHECKING:
    from driftline.consumer.config import ModelConfig

NOT_FINITE_TEXTS: Final = frozenset({"NaN", "Infinity", "-Infinity"})
"""How events write numbers that JSON does not have (`Mapping.to_event`)."""


@dataclass(frozen=True)
class Listed:
    """What the reference knows of a model's events.

    Attributes:
        layout: its features, and the fields that it was built without.
        show_values: whether the texts of values may be noted.
        ignore: globs of fields that nobody watches.
        fields: whether fields that are not listed are looked for.

    >>> listed = Listed(Layout((), left_out=("trace_id",)), ignore=("debug_*",))
    >>> listed.new({"trace_id": "x", "debug_1": 1, "discount": 2, "basket": [3], "note": None})
    ('discount',)
    """

    layout: Layout
    show_values: bool = False
    ignore: tuple[str, ...] = ()
    fields: bool = True

    @classmethod
    def of(cls, config: ModelConfig, layout: Layout) -> Self:
        """Return what is known of the events of a model.

        A reference that does not tell what it left out, and one of predictions alone, know of no
        fields; and without a budget nobody asks.
        """
        fields = (
            config.budget is not None
            and layout.left_out is not None
            and bool(layout.position.keys() - {*PREDICTION_FEATURES})
        )
        return cls(layout, config.show_values, config.ignore, fields)

    @cached_property
    def known(self) -> frozenset[str]:
        """Names of the features and of the fields that the reference was built without."""
        return frozenset(
            {
                *self.layout.position,
                *(each.source for each in self.layout.derived),
                *(self.layout.left_out or ()),
            }
        )

    def is_new(self, name: str) -> bool:
        """Return whether a field is neither listed nor ignored."""
        return (
            self.fields
            and name not in self.known
            and not any(fnmatch.fnmatchcase(name, glob) for glob in self.ignore)
        )

    def new(self, fields: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the names of the new fields of an event that hold a value."""
        if not self.fields:
            return ()
        rest = fields.keys() - self.known
        return tuple(
            name
            for name in fields
            if name in rest and is_scalar(fields[name]) and self.is_new(name)
        )


def is_scalar(value: object) -> bool:
    """Whether a value could be a feature's: null, lists, objects and no finite number could not.

    >>> [is_scalar(value) for value in ("a", 0, True, math.inf, "NaN", [1])]
    [True, True, True, False, False, False]
    """
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) or (isinstance(value, str) and value not in NOT_FINITE_TEXTS)
