"""The table of detectors: what there is, and what each one is.

Whoever lists detectors or asks about one reads it here: thresholds and their schema, checks, rules,
verdicts, alerts, sentences, reports, the docs and the contract suite. This module needs neither
numpy nor scipy, so that reading a configuration is quick.

What computes a detector stands in the file of its name in `features/`, which has

* `figures(samples)`: its figures of every feature, a `Result`;
* `quiet_share(level, window)`: the share of quiet windows that reach a level, if it has a law.

Rates are computed together in `features/rates.py`, from the events that each counts as bad.

A new detector is its file and a line here; a package of yours adds one by an entry point of the
group `driftline.detectors` (docs/how-to/own-detector.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf, log
from types import MappingProxyType
from typing import Literal

from driftline.detectors.tables import Group, Table

FeatureType = Literal["numeric", "categorical", "boolean"]
BOOLEANS = ("false", "true")
"""Categories of a boolean feature."""

_ALL: tuple[FeatureType, ...] = ("numeric", "categorical", "boolean")
_NUMERIC: tuple[FeatureType, ...] = ("numeric",)
_CATEGORICAL: tuple[FeatureType, ...] = ("categorical",)
_CLASSES: tuple[FeatureType, ...] = ("categorical", "boolean")


@dataclass(frozen=True)
class Scale:
    """What the values of a detector or of a metric are.

    Attributes:
        unit: of the values.
        least, most: bounds of the values.
    """

    unit: str
    least: float
    most: float

    @property
    def is_share(self) -> bool:
        """Whether all values are from 0 to 1."""
        return (self.least, self.most) == (0.0, 1.0)


@dataclass(frozen=True)
class Rate:
    """What a detector counts that is a share of the events.

    Attributes:
        bad: the events that count, kinds of events in `Comparison`.
        state, verb: what a sentence says of the feature: `is missing`.
        of_values: whether they are among those with a usable value.
        added: bad events that the test adds to those of the reference. None of its events lies
            outside its own extremes; with one added, the exact bound of `rates` is the law of how
            many of a quiet window do (how many come before two of the reference's).
        once: whether it adds the categories that came once there, see `Baseline.once`.
    """

    bad: tuple[str, ...]
    state: str
    verb: str = "is"
    of_values: bool = False
    added: int = 0
    once: bool = False


@dataclass(frozen=True)
class Detector:
    """One detector.

    Attributes:
        name: in the configuration, verdicts, alerts and metrics; also of its file.
        when: the question that it answers.
        types: the types of the features that it has figures for.
        scale: what its values are; a larger one is always the worse one.
        law: where its p-value and its threshold come from; None: it has no p-value.
        use: `budget`: the budget tests it; `always`: it is computed and written, too; `named`: only
            where a threshold names it.
        rate: what it counts, if it is a share of the events and so about data quality.
        few_values: whether it also has figures for numeric features of few values.
        module: of a line that a package adds, where its functions are; else empty.
    """

    name: str
    when: str
    types: tuple[FeatureType, ...]
    scale: Scale
    law: str | None
    use: Literal["budget", "always", "named"] = "named"
    rate: Rate | None = None
    few_values: bool = False
    module: str = field(init=False, default="")

    @property
    def always(self) -> bool:
        """Whether it is computed and written although no threshold names it."""
        return self.use != "named"

    @property
    def budget(self) -> bool:
        """Whether the budget tests it."""
        return self.use == "budget"

    @property
    def direction(self) -> Literal["change", "rise"]:
        """What makes the value larger: any change, or, of a rate, a rise alone."""
        return "change" if self.rate is None else "rise"

    @property
    def own_module(self) -> str:
        """Where its functions are, if it is one of this package."""
        return f"driftline.detectors.features.{self.name if self.rate is None else 'rates'}"


_DISTANCE = Scale("distance", 0.0, 1.0)
_STATISTIC = Scale("statistic", 0.0, inf)
_NATS = Scale("nats", 0.0, log(2.0))
_CORRECTED = Scale("nats, bias-corrected", -inf, inf)
_OWN_UNIT = Scale("the feature's unit", 0.0, inf)
_SHARE = Scale("share of the events", 0.0, 1.0)

_RARE = "chi-square, exact bounds for rare classes"
_BOUND = "binomial bound and chi-square"

_MISSING = Rate(("missing", "absent"), "missing")
_INVALID = Rate(("invalid",), "invalid")
_UNSEEN = Rate(
    ("unseen",), "a value that the reference does not list", "has", of_values=True, once=True
)
_BEYOND = Rate(("out_of_range",), "outside the reference's range", of_values=True, added=1)

_TABLE = (
    Detector("ks", "did this number's distribution change?",
             _NUMERIC, _DISTANCE, "Kolmogorov", "budget"),
    Detector("psi", "how large is the change, on one scale for all features?",
             _ALL, _CORRECTED, "chi-square of PSI / v", "always"),
    Detector("chi_square", "did the shares of these categories change?",
             _CLASSES, _STATISTIC, _RARE, "budget", few_values=True),
    Detector("jensen_shannon", "how large is the change, but never above 0.693?",
             _ALL, _NATS, "chi-square of 8 JS / v", "always"),
    Detector("wasserstein", "how far did it move, in its own unit?",
             _NUMERIC, _OWN_UNIT, None, "always"),
    Detector("hellinger", "how large is the change, from 0 to 1?",
             _ALL, _DISTANCE, "chi-square of 8 H^2 / v"),
    Detector("total_variation", "what share of the events came to lie elsewhere?",
             _ALL, _DISTANCE, None),
    Detector("cramer_von_mises", "did all of its values shift a little?",
             _NUMERIC, _STATISTIC, "Cramer-von Mises"),
    Detector("anderson_darling", "did its values or their tails shift a little?",
             _NUMERIC, _STATISTIC, "Anderson-Darling"),
    Detector("kuiper", "did its spread or its tails change, or an hour of the day?",
             _NUMERIC, _DISTANCE, "Kuiper"),
    Detector("missing", "is it null, or not there at all?",
             _ALL, _SHARE, _BOUND, "budget", _MISSING),
    Detector("invalid", "is it of a wrong type, or not finite?",
             _ALL, _SHARE, _BOUND, "budget", _INVALID),
    Detector("unseen", "does it have values that the reference does not list?",
             _CATEGORICAL, _SHARE, _BOUND, "budget", _UNSEEN),
    Detector("out_of_range", "is it below or above all values of the reference?",
             _NUMERIC, _SHARE, _BOUND, "budget", _BEYOND),
)  # fmt: skip


def _functions(detector: Detector) -> tuple[str, ...]:
    return ("figures",) if detector.law is None else ("figures", "quiet_share")


_OTHERS = {"sequential", "new_field", "events", "budget", "joint"}
"""What stands where detectors' names do, and is none."""


def _refusal(detector: Detector) -> str:
    if detector.name in _OTHERS:
        return "has a name that alerts have for something else"
    if detector.rate is not None:
        return "cannot count events as bad: what is counted is the reference's to say"
    if not detector.types or not {*detector.types} <= {*_ALL}:
        return f"must have types, of {', '.join(_ALL)}"
    return ""


DETECTORS: Mapping[str, Detector] = Table(
    _TABLE,
    Group("driftline.detectors", "detector", Detector, "DETECTOR", _functions, _refusal),
)
"""The table: name to detector."""

RATES: Mapping[str, Rate] = MappingProxyType(
    {each.name: each.rate for each in _TABLE if each.rate is not None}
)
"""Those whose value is a share of the events; written in % in sentences."""

EFFECT = "psi"
"""The detector whose value is the size of every feature's change, the `effect`."""
