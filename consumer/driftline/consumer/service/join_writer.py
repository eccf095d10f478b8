"""What sends the predictions and labels of a topic to the join."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from driftline.consumer.sketch.blocks import BlockWriter
from driftline.consumer.sketch.failures import Failures
from driftline.consumer.sketch.join_progress import JoinModel, JoinProgress
from driftline.consumer.sketch.labels import LabelReader
from driftline.consumer.sketch.outcome_columns import Answers

if TYPE_CHECKING:
    from driftline.consumer.service.plan import Plan


def open_writer(
    plan: Plan,
    topic: str,
    targets: int,
    progress: Mapping[str, JoinProgress],
    now: int,
    failures: Failures | None,
    ends: Mapping[str, int | None],
) -> BlockWriter | None:
    """Return what sends the predictions and labels of `topic` to the join; see `Plan.writer`."""
    models: dict[str, JoinModel] = {}
    classes: dict[str, tuple[str, ...]] = {}
    found = Failures()
    for name, labels in plan.labelled.items():
        if topic in (*plan.config.models[name].predictions, labels.topic):
            with found.guard(name):
                models[name] = replace(_join_model(plan, name), end=ends.get(name))
                if topic == labels.topic:
                    classes[name] = plan.outcome_layout(name).classes
    reader = None
    if classes:
        try:
            reader = _label_reader(plan, topic, classes)
        except Exception as error:  # of no model alone
            found |= dict.fromkeys(classes, error)
    found.add_to(failures)
    writer = BlockWriter(models, reader, targets, progress, now)
    for name in failures or ():
        writer.rest(name)
    return writer if writer.models or writer.state() else None


def _join_model(plan: Plan, name: str) -> JoinModel:
    layout, outcomes = plan.outlines[name].layout, plan.outcomes(name)
    answers = Answers(layout, plan.outcome_layout(name).classes)
    errors = None if outcomes is None else outcomes.event_errors(layout)
    grace = plan.config.models[name].window.grace
    return JoinModel(name, answers, plan.segments(name), grace, errors, plan.ordered)


def _label_reader(plan: Plan, topic: str, classes: Mapping[str, tuple[str, ...]]) -> LabelReader:
    limits, among_events = plan.config.limits, bool(plan.models_of(topic))
    return LabelReader(
        classes, plan.mapping_of(topic), among_events, limits.max_ahead, limits.max_event_bytes
    )
