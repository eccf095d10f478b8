"""A worker's plan while models are applied: what was applied since it was last looked at."""

from __future__ import annotations

import logging
from dataclasses import replace

from driftline.consumer.config.names import SKETCH
from driftline.consumer.log.protocol import Log, TopicInfo, TopicPartition
from driftline.consumer.service.applied import AppliedModels
from driftline.consumer.service.opening import inputs_read
from driftline.consumer.service.plan import Plan

LOOK_MS = 1_000
"""How often the log of models is looked at."""

logger = logging.getLogger(__name__)


def concerns(before: Plan, after: Plan, partition: TopicPartition) -> bool:
    """Return whether the stage of a partition runs otherwise under another plan."""
    changed = {
        name
        for name in {*before.models, *after.models}
        if before.versions.get(name) != after.versions.get(name)
        or (name in before.config.models) != (name in after.config.models)
    }
    if before.config.comparisons != after.config.comparisons:
        changed |= {*before.comparisons, *after.comparisons}
    sources = before.config.sources, after.config.sources
    if partition.topic in (before.inputs | after.inputs):
        topic = partition.topic
        return sources[0].get(topic) != sources[1].get(topic) or any(
            topic in topics_of(plan, name) for plan in (before, after) for name in changed
        )
    if partition.topic == after.output("panes"):
        # A judge hears of another version in the log of panes.
        return (
            before.models != after.models or before.comparisons.keys() != after.comparisons.keys()
        )
    return any(name in plan.joined for plan in (before, after) for name in changed)


def topics_of(plan: Plan, name: str) -> frozenset[str]:
    """Return the topics that any version of a model reads."""
    return frozenset[str]().union(*(version.topics for version in plan.versions.get(name, ())))


class FollowedPlan:
    """What is watched, as of the last look.

    Args:
        plan: of the deployment's own configuration.
        log: the log outside the group.

    Attributes:
        plan: what is watched now.
        topics: what the broker says of its input topics.
    """

    def __init__(self, plan: Plan, log: Log) -> None:
        self.plan = plan
        self.topics: dict[str, TopicInfo] = {}
        self._log = log
        self._applied = AppliedModels(log, plan.output("models"))
        self._looked: int | None = None
        self._waiting = False
        self._settling = False

    def look(self, now: int, *, at_once: bool = False) -> bool:
        """Look what was applied; return whether the plan is another one.

        Args:
            now: wall-clock time, ms.
            at_once: do not wait until a look is due.

        Raises:
            LogError: a record is damaged, or of a newer version.
        """
        if self._looked is not None and now - self._looked < LOOK_MS and not at_once:
            return False
        self._looked = now
        changed = self._applied.refresh()
        # A version that was replaced is forgotten after a while; a topic may come to be.
        settling = self._applied.settling(now)
        if not (changed or self._waiting or self._settling != settling):
            return False
        self._settling = settling
        before = self.plan
        wanted = self._applied.plan(before, now)
        self.topics = self._log.topics(inputs_read(wanted))
        self.plan = self._readable(wanted) if SKETCH in wanted.config.stages else wanted
        return changed or self.plan.inputs != before.inputs

    def _readable(self, plan: Plan) -> Plan:
        """Return the plan without topics that do not exist, and models that need them."""
        lacking = sorted(
            name
            for name, model in plan.config.models.items()
            if {*model.predictions, *((model.labels.topic,) if model.labels else ())}
            - self.topics.keys()
        )
        if lacking and not self._waiting:
            logger.error("topics of %s do not exist, so it is not watched", ", ".join(lacking))
        self._waiting = bool(lacking)
        found = plan.without(lacking) if lacking else plan
        return replace(
            found,
            versions={name: each for name, each in plan.versions.items() if name not in lacking},
            leaving=plan.leaving & self.topics.keys(),
        )
