"""`models.<name>`: what is watched of one model, and how strictly."""

from __future__ import annotations

import fnmatch
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PrivateAttr,
    ValidationInfo,
    field_validator,
    model_validator,
)

from driftline.consumer.config.addresses import Address
from driftline.consumer.config.joint import JointConfig
from driftline.consumer.config.limit import Limit, PerformanceLimit
from driftline.consumer.config.notation import (
    BudgetOrOff,
    ClassName,
    Count,
    Duration,
    DurationOrOff,
    DurationOrRows,
    Located,
    Number,
    PositiveDuration,
    Section,
    Share,
    Texts,
    Topic,
    Topics,
)
from driftline.consumer.config.reference import Reference
from driftline.consumer.config.seasons import UTC, SeasonsConfig, SeasonsOrOff
from driftline.consumer.config.table_names import DetectorName, Metric
from driftline.consumer.config.urls import web_address
from driftline.consumer.config.values import Budget, format_number
from driftline.detectors.outcomes.metrics import METRICS
from driftline.detectors.pane_lengths import LEAST_PANES, MOST_PANES, part_of, part_of_rows
from driftline.detectors.registry import DETECTORS, FeatureType
from driftline.detectors.tags import VERSION
from driftline.producer.errors import InputError
from driftline.producer.records.names import tag_problem
from driftline.producer.reference.derive import Derive, FieldType, derive_of

if TYPE_CHECKING:
    from driftline.detectors.dispersion import Dispersion

DAY = 86_400_000
MOST_RELEASES = 8
"""Tags that may say what was released."""
LONGEST_VERSION = 64
"""Bytes of a version's name: longer ones share one."""
BUDGET_OF_ROWS = Budget(1.0, 100, windows=True)
"""Of a model whose windows have no times, unless it has its own."""


class WindowConfig(Section):
    """Windows of `length` every `every`, counted in panes of `pane`. Durations in ms.

    `pane`: a whole part of `every`; see `pane_for` where it is not given. `grace`: how long a pane
    waits for events that are late. `min_events`: a window with fewer is not judged. `rows`: of a
    backtest over a file without times; then `length` is this number, and `every` and `pane` count
    rows too.
    """

    rows: Count | None = None
    length: PositiveDuration = 3_600_000
    every: DurationOrRows = Field(
        default_factory=lambda section: section.get("rows") or section["length"],
        description="length, unless given",
    )
    pane: DurationOrRows | None = Field(
        default=None,
        description="the part of every that holds about 100 events by the reference, unless given",
    )
    grace: Duration = 60_000
    min_events: Count = 500

    @field_validator("every")
    @classmethod
    def _length_is_whole(cls, every: int, info: ValidationInfo) -> int:
        length = info.data.get("rows") or info.data.get("length", every)
        if length % every:
            raise ValueError("length must be a whole number of every")
        return every

    @field_validator("pane")
    @classmethod
    def _every_is_whole(cls, pane: int | None, info: ValidationInfo) -> int | None:
        if pane is not None and info.data.get("every", pane) % pane:
            raise ValueError("every must be a whole number of pane")
        return pane

    @model_validator(mode="after")
    def _along_rows(self) -> Self:
        """Take the number of rows for the length, and what fits it for what is not given."""
        if self.rows is None:
            return self
        given = self.model_fields_set & {"length", "grace"}
        if given:
            raise Located(*((("rows",), f"give rows or {name}, not both") for name in given))
        # A window of rows is over with its last one, not with the one after it.
        values = {"length": self.rows, "grace": -1, "min_events": max(self.rows // 2, 1)}
        if "min_events" in self.model_fields_set or self.rows >= 2 * self.min_events:
            del values["min_events"]
        for name, value in values.items():
            object.__setattr__(self, name, value)
        return self

    def pane_for(self, dispersion: Dispersion | None) -> int:
        """Return the length of a pane, ms or rows.

        Unless it is given, a pane is the part of `every` whose number of events is nearest to 100,
        by their ratio, at the rate of the reference. It is never under a minute, and not longer
        than gives the reference 30 panes. A window has 1,000 panes at most. Where the reference has
        no rate, it is `every`.

        Args:
            dispersion: of the reference.

        Example:
            >>> WindowConfig(pane="5m").pane_for(None), WindowConfig().pane_for(None)
            (300000, 3600000)
        """
        if self.pane is not None:
            return self.pane
        if self.rows is not None:
            return part_of_rows(self.every, self.length / MOST_PANES, self.every)
        if dispersion is None or not dispersion.events.size:
            return self.every
        rate = float(dispersion.events.max()) / dispersion.pane
        most = dispersion.pane * dispersion.panes / LEAST_PANES
        return part_of(self.every, rate, self.length / MOST_PANES, most)


def _topic_alone(value: Any) -> Any:
    return {"topic": value} if isinstance(value, str) else value


class LabelsConfig(Section):
    """Where the ground truth comes from, and how long (ms) a prediction waits for it.

    `by`: windows hold the labels that arrive in them, or the predictions that were made in them.
    `maturity`: by prediction, a window is judged so long after its end.
    """

    topic: Topic
    horizon: PositiveDuration = 7 * DAY
    by: Literal["arrival", "prediction"] = "arrival"
    maturity: PositiveDuration = Field(
        default_factory=lambda section: section["horizon"],
        description="horizon, unless given",
    )

    @field_validator("maturity")
    @classmethod
    def _maturity_is_within_horizon(cls, maturity: int, info: ValidationInfo) -> int:
        if maturity > info.data.get("horizon", maturity):
            raise ValueError("lies behind the horizon, when no prediction waits any more")
        return maturity

    @model_validator(mode="after")
    def _maturity_has_an_effect(self) -> Self:
        if self.by == "arrival" and "maturity" in self.model_fields_set:
            text = "windows by arrival are judged at their end: leave it out, or set by: prediction"
            raise Located((("maturity",), text))
        return self


def _no_share(what: str, level: float) -> str:
    advice = f"write {format_number(level)}%" if 1 < level <= 100 else "0.05 is 5%"
    return f"{what} is 0 to 1, {advice}"


def _thresholds(thresholds: dict[DetectorName, Limit]) -> dict[DetectorName, Limit]:
    problems: list[tuple[tuple[str, ...], str]] = []
    for detector, limit in thresholds.items():
        if limit.on == "p_value":
            if DETECTORS[detector].law is None:
                problems.append(((detector, "on"), f"{detector} has no p-value, use on: value"))
            continue
        for name, level in (("warning", limit.warning), ("critical", limit.critical)):
            if level is not None and DETECTORS[detector].scale.is_share and not 0 <= level <= 1:
                problems.append(((detector, name), _no_share(detector, level)))
    if problems:
        raise Located(*problems)
    return thresholds


Thresholds = Annotated[dict[DetectorName, Limit], AfterValidator(_thresholds)]
"""Detector to limit."""


def _performance(limits: dict[Metric, PerformanceLimit]) -> dict[Metric, PerformanceLimit]:
    problems: list[tuple[tuple[str, ...], str]] = []
    for metric, limit in limits.items():
        for name in ("max_drop", "critical_drop", "min", "max"):
            level = getattr(limit, name)
            share = METRICS[metric].scale.is_share
            if share and level is not None and not 0 <= level <= 1:
                problems.append(((metric, name), _no_share(metric, level)))
    if problems:
        raise Located(*problems)
    return limits


class FeatureConfig(Section):
    """What differs for one feature; `weight` is its share of the budget, 1 for the others.

    A field whose type is `vector` or `text` is no feature, but some are derived of it.
    """

    thresholds: Thresholds = Field(default_factory=dict)
    weight: Number = 1.0
    type: FieldType | None = None
    centroids: Count | None = None
    words: Count | None = None

    @model_validator(mode="after")
    def _fits_its_type(self) -> Self:
        given = self.model_fields_set
        problems = [
            ((name,), f"belongs to type: {kind}")
            for name, kind in (("centroids", "vector"), ("words", "text"))
            if name in given and self.type != kind
        ]
        if self.derives:
            text = f"a {self.type} is no feature: write it below one that is derived of it"
            problems += [((name,), text) for name in ("thresholds", "weight") if name in given]
        if problems:
            raise Located(*problems)
        try:
            _ = self.built_as
        except InputError as error:
            raise ValueError(str(error)) from None
        return self

    @property
    def derives(self) -> bool:
        """Whether features are derived of the field, which is none itself."""
        return self.type is not None and isinstance(derive_of(self.type), Derive)

    @property
    def built_as(self) -> FeatureType | Derive | None:
        """The type that a reference is built with; None: the inferred one."""
        found = None if self.type is None else derive_of(self.type)
        if not isinstance(found, Derive):
            return found
        return replace(
            found, centroids=self.centroids or found.centroids, words=self.words or found.words
        )

    @field_validator("weight")
    @classmethod
    def _weight_is_positive(cls, weight: float) -> float:
        if weight <= 0:
            raise ValueError("must be above 0; to leave a feature out, use ignore")
        return weight


def _version(name: str) -> str:
    if not name or len(name.encode()) > LONGEST_VERSION:
        raise ValueError(f"a version is named by 1 to {LONGEST_VERSION} bytes")
    return name


VersionName = Annotated[str, AfterValidator(_version)]
"""A version of a model, as its events have it."""


def _url(value: str) -> str:
    return web_address(value, "https://wiki.example/runbook")


def _each_once(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))


def _releases(tags: tuple[str, ...]) -> tuple[str, ...]:
    for why in filter(None, map(tag_problem, tags)):
        raise ValueError(why)
    if len(tags) > MOST_RELEASES:
        raise ValueError(f"at most {MOST_RELEASES} tags")
    return _each_once(tags)


class ModelConfig(Section):
    """One model. Durations in ms; `budget`, `seasons`, `stale_after` are None when they are off."""

    predictions: Topics
    labels: Annotated[
        LabelsConfig | None,
        BeforeValidator(_topic_alone),
    ] = None
    reference: Reference
    references: dict[VersionName, Address] = Field(default_factory=dict)
    window: WindowConfig = Field(default_factory=WindowConfig)
    seasons: SeasonsOrOff = Field(default_factory=SeasonsConfig)
    budget: BudgetOrOff = Budget(1.0, 30 * DAY)
    min_effect: Number = 0.02
    min_rise: Share = 0.02
    critical_effect: Number = 0.25
    thresholds: Thresholds = Field(default_factory=dict)
    features: dict[str, FeatureConfig] = Field(default_factory=dict)
    ignore: Texts = ()
    segments: Annotated[Texts, AfterValidator(_each_once)] = ()
    releases: Annotated[Texts, AfterValidator(_releases)] = (VERSION,)
    performance: Annotated[dict[Metric, PerformanceLimit], AfterValidator(_performance)] = Field(
        default_factory=dict
    )
    positive_label: ClassName | None = None
    joint: JointConfig | None = None
    stale_after: DurationOrOff = DAY
    show_values: bool = False
    owner: str | None = None
    runbook: Annotated[str, AfterValidator(_url)] | None = None
    _page: str | None = PrivateAttr(default=None)  # of the whole configuration, like the zone

    @field_validator("min_effect", "critical_effect")
    @classmethod
    def _effect_is_positive(cls, effect: float) -> float:
        if effect < 0:
            raise ValueError("must be at least 0")
        return effect

    @model_validator(mode="after")
    def _budget_counts_windows(self) -> Self:
        if self.window.rows is None:
            return self
        if "budget" not in self.model_fields_set:
            object.__setattr__(self, "budget", BUDGET_OF_ROWS)
        elif self.budget is not None and not self.budget.windows:
            raise Located((("budget",), f"windows of rows have no times: write {BUDGET_OF_ROWS}"))
        return self

    @model_validator(mode="after")
    def _past_fits(self) -> Self:
        rolling = self.reference.rolling
        if self.references and self.reference.moves:
            text = "versions that have references of their own are compared with files: leave this"
            raise Located((("references",), f"{text} out, or rolling and previous"))
        if rolling is None:
            return self
        if self.window.rows is not None:
            text = "windows of rows have no times: write previous, with a number of windows"
            raise Located((("reference", "rolling"), text))
        if rolling < self.window.length:
            raise Located((("reference", "rolling"), "must be at least as long as a window"))
        return self

    def in_zone(self, zone: str) -> ModelConfig:
        """Return the model with a time zone of its seasons, where it names none."""
        if self.seasons is None or self.seasons.timezone is not None:
            return self
        return self.model_copy(update={"seasons": SeasonsConfig(timezone=zone)})

    def on_page(self, url: str) -> ModelConfig:
        """Return the model with `ui.url`, which links in its alerts begin with."""
        model = self.model_copy()
        model._page = url  # noqa: SLF001 (of a copy of its own)
        return model

    @property
    def page(self) -> str | None:
        """Where the page is that shows its alerts; None: nowhere."""
        return self._page

    @property
    def zone(self) -> str | None:
        """The time zone whose hours and days features may follow; None: they follow none."""
        return None if self.seasons is None else self.seasons.timezone or UTC

    @property
    def tags(self) -> tuple[str, ...]:
        """The tags of which each listed value is a stream of its own."""
        return _each_once((*self.segments, *([VERSION] if self.references else [])))

    def thresholds_for(self, feature: str) -> dict[DetectorName, Limit]:
        """Return the limits that hold for a feature: its own, else the model's, per detector."""
        own = self.features.get(feature)
        return {**self.thresholds, **(own.thresholds if own else {})}

    def weight_for(self, feature: str) -> float:
        """Return the weight of a feature in the budget; 1 unless configured."""
        own = self.features.get(feature)
        return own.weight if own else 1.0

    def is_ignored(self, feature: str) -> bool:
        """Tell whether a feature is not monitored: one of the `ignore` globs matches it."""
        return any(fnmatch.fnmatchcase(feature, glob) for glob in self.ignore)
