"""Limits that a user sets: on a detector, and on a performance metric."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from driftline.consumer.config.notation import KOfN, Located, Number, Section
from driftline.consumer.config.values import For

ONCE = For(1, 1)


class Limit(Section):
    """A plain threshold: `{warning: x, critical: x, for: k of n, on: value | p_value}`.

    `on: value` fires at or above a level, `on: p_value` at or below. `for` is `for_` in Python.
    """

    warning: Number | None = None
    critical: Number | None = None
    for_: Annotated[KOfN, Field(validation_alias="for", serialization_alias="for")] = ONCE
    on: Literal["value", "p_value"] = "value"

    @model_validator(mode="after")
    def _levels_fit(self) -> Self:
        if self.warning is None and self.critical is None:
            raise ValueError("set warning or critical")
        for name, level in (("warning", self.warning), ("critical", self.critical)):
            if level is not None and self.on == "p_value" and not 0 < level <= 1:
                raise Located(((name,), "a p-value is above 0 and at most 1"))
        if self.warning is not None and self.critical is not None:
            if self.on == "value" and self.critical < self.warning:
                raise Located((("critical",), "lies below warning, so warning could never show"))
            if self.on == "p_value" and self.critical > self.warning:
                raise Located((("critical",), "on p_value critical is the smaller level"))
        return self


class PerformanceLimit(Section):
    """A limit on a performance metric, in the metric's unit.

    `max_drop` and `critical_drop` are towards worse, against the reference; `min` and `max` are
    fixed. Each fires when the whole 95 % interval lies beyond it.
    """

    max_drop: Number | None = None
    critical_drop: Number | None = None
    min: Number | None = None
    max: Number | None = None
    for_: Annotated[KOfN, Field(validation_alias="for", serialization_alias="for")] = ONCE

    @model_validator(mode="after")
    def _levels_fit(self) -> Self:
        drops = (("max_drop", self.max_drop), ("critical_drop", self.critical_drop))
        if all(level is None for level in (*dict(drops).values(), self.min, self.max)):
            raise ValueError("set max_drop, critical_drop, min or max")
        for name, drop in drops:
            if drop is not None and drop < 0:
                raise Located(((name,), "a drop is towards worse: write it without a minus"))
        drop = 0.0 if self.max_drop is None else self.max_drop
        if self.critical_drop is not None and self.critical_drop < drop:
            raise Located((("critical_drop",), "lies below max_drop, which could never show"))
        if self.min is not None and self.max is not None and self.min > self.max:
            raise Located((("min",), "lies above max"))
        return self
