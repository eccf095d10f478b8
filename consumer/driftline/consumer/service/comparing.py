"""What a comparison needs of its two models, as the stages need it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from driftline.consumer.config import ComparisonConfig, Config, LabelsConfig, ModelConfig
from driftline.consumer.join.comparing import ComparisonJoin, ComparisonModel
from driftline.consumer.join.state import JoinState
from driftline.consumer.join.totals import JoinTotals
from driftline.consumer.join.waiting import Room
from driftline.consumer.judge.comparison.judge import ComparisonJudge, ComparisonState, subject_of
from driftline.consumer.wire.records import ReferenceName
from driftline.detectors.outcomes import OutcomeLayout
from driftline.detectors.outcomes.layout import MOST_CLASSES
from driftline.detectors.reference import Reference

_PREFIX = "compare:"  # no model's name holds a colon
# A second answer and its anchor (see ComparisonMatching) take the bytes of this number of tags.
_TAGS = 20


@dataclass(frozen=True)
class ComparisonPlan:
    """One comparison with its models.

    Attributes:
        name: of the comparison.
        config: the whole configuration.
        references: of the models, by name.
        layout_of: returns what is counted of a model's outcomes, by its name.
    """

    name: str
    config: Config
    references: Mapping[str, Reference]
    layout_of: Callable[[str], OutcomeLayout]

    @property
    def comparison(self) -> ComparisonConfig:
        """Its configuration."""
        return self.config.comparisons[self.name]

    @cached_property
    def model(self) -> ComparisonModel:
        """What the join needs to know; horizon and panes are the champion's."""
        config = self._champion
        return ComparisonModel(
            name=comparison_key(self.name),
            layout_id=subject_of(self.comparison, self._layout.kind),
            layout=self._layout,
            streams=(None,),
            segments={},
            every=config.window.every,
            labels=_labels(config),
            sides=self.comparison.sides,
        )

    @property
    def topics(self) -> tuple[str, ...]:
        """Where its rows come from, as the join names its sources: ``model/topic``."""
        found = []
        for name in self.model.models:
            config = self.config.models[name]
            topics = dict.fromkeys((*config.predictions, _labels(config).topic))
            found += [f"{name}/{topic}" for topic in topics]
        return tuple(found)

    def join(
        self, partition: int, partitions: int, state: JoinState, totals: JoinTotals
    ) -> ComparisonJoin:
        """Return the join of one partition of the log of joins, as of `state`."""
        limits = self.config.limits
        room = Room.within(
            limits.max_waiting // partitions, limits.max_waiting_bytes // partitions, _TAGS
        )
        return ComparisonJoin(self.model, self.topics, room, partition, partitions, state, totals)

    def judge(self, state: ComparisonState) -> ComparisonJudge:
        """Return the judge, as of `state`."""
        reference = self.references[self.comparison.champion.model]
        events = int(reference.stream_events[reference.position[None]])
        return ComparisonJudge(
            self.name, self.comparison, self._champion, ReferenceName(reference.id, events),
            self._layout.kind, state,
        )  # fmt: skip

    @property
    def _champion(self) -> ModelConfig:
        return self.config.models[self.comparison.champion.model]

    @cached_property
    def _layout(self) -> OutcomeLayout:
        """What labels may be: the classes of both sides."""
        champion, challenger = (self.layout_of(side.model) for side in self.comparison.sides)
        if champion.grid is not None:
            return champion
        classes = (*champion.classes, *challenger.classes)
        return OutcomeLayout.classification(classes, None, labelled=True, scores=np.empty(0))


def comparison_key(name: str) -> str:
    """Return the name that a comparison has in the logs, where models' names stand.

    >>> comparison_key("fraud-3.2")
    'compare:fraud-3.2'
    """
    return _PREFIX + name


def misfit(comparison: ComparisonConfig, layouts: Mapping[str, OutcomeLayout]) -> str | None:
    """Return why two models cannot be compared by their outcomes, None if they can.

    Args:
        comparison: its configuration.
        layouts: what is counted of the models' outcomes, by name.
    """
    champion, challenger = (layouts[side.model] for side in comparison.sides)
    if champion.kind != challenger.kind:
        return "one side is a classifier and the other a regression"
    if champion.kind == "regression":
        split = comparison.traffic == "split"
        return (
            "regressions are compared event by event, by who is nearer to the truth:"
            " both must predict every event, traffic: same"
            if split
            else None
        )
    for side, layout in zip(comparison.sides, (champion, challenger), strict=True):
        if not layout.labelled:
            return f"{side.model} has no prediction.label, so nobody knows when it is right"
    if len({*champion.classes, *challenger.classes}) > MOST_CLASSES:
        return f"both sides together have more than {MOST_CLASSES} classes"
    return None


def _labels(config: ModelConfig) -> LabelsConfig:
    if config.labels is None:
        raise ValueError("a model without labels cannot be compared")
    return config.labels
