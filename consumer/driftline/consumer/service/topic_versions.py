"""The versions of models in one input partition: the present ones, and those still to come.

The partitions of a topic in which the same versions hold share what reads and describes events.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from driftline.consumer.log.protocol import TopicPartition
from driftline.consumer.service.lives import adopted, sending
from driftline.consumer.service.versions import ModelVersion, counting
from driftline.consumer.sketch.blocks import BlockWriter
from driftline.consumer.sketch.decode import Decoder
from driftline.consumer.sketch.failures import Failures
from driftline.consumer.sketch.join_progress import JoinProgress
from driftline.consumer.sketch.later import LaterVersion, Versions
from driftline.consumer.sketch.partition import PartitionSketch
from driftline.consumer.sketch.state import SketchState
from driftline.consumer.sketch.totals import InputTotals

if TYPE_CHECKING:
    from driftline.consumer.service.plan import Plan


@dataclass(frozen=True)
class TopicVersions:
    """What counts in the partitions of a topic that have come as far.

    Attributes:
        topic: whose partition it is.
        present: the plan in which the present version of each model holds.
        versions: all of each model, by time.
        later: of the models that have some, the versions after the present one.
        found: the present version of each model that was applied.
    """

    topic: str
    present: Plan
    versions: Mapping[str, Sequence[ModelVersion]]
    later: Mapping[str, Sequence[ModelVersion]]
    found: Mapping[str, ModelVersion] = field(default_factory=dict)

    @classmethod
    def of(cls, plan: Plan, topic: str, state: SketchState) -> TopicVersions:
        """Return what counts where a partition has come as far as a state says.

        The same object as the last time if the same versions hold there.
        """
        if not plan.versions:
            return plan.opened.setdefault(topic, cls(topic, plan, {}, {}))
        found: dict[str, ModelVersion] = {}
        later: dict[str, Sequence[ModelVersion]] = {}
        for name, versions in plan.versions.items():
            progress = state.models.get(name)
            if progress and (rest := counting(versions, topic, progress.sent)):
                found[name], later[name] = rest[0], rest[1:]
        later = {name: rest for name, rest in later.items() if rest}
        if (last := plan.opened.get(topic)) is None or (last.found, last.later) != (found, later):
            last = cls(topic, plan.at(found), plan.versions, later, found)
            plan.opened[topic] = last  # only this one: others are over in all partitions, or soon
        return last

    def decoder(self, failures: Failures) -> Decoder:
        """Return what decodes a partition's records; `failures`: where to note models it cannot."""
        known = self._decoders
        # What failed may be mended; where it is not, the partitions go on sharing.
        if not known or known[0][1]:
            made = self._make_decoder()
            if not known or made[1].keys() != known[0][1].keys():
                known[:] = [made]
        decoder, found = known[0]
        for name, error in found.items():
            failures.setdefault(name, error)
        return decoder.shared()

    @cached_property
    def _decoders(self) -> list[tuple[Decoder, Failures]]:
        """The decoder whose readers all partitions share, and the models that it cannot read."""
        return []

    def _make_decoder(self) -> tuple[Decoder, Failures]:
        failures = Failures()
        decoder = self.present.decoder(self.topic, failures)
        for number in range(max(map(len, self.later.values()), default=0)):
            several = {
                name: rest[number] for name, rest in self.later.items() if len(rest) > number
            }
            reading = {name: each for name, each in several.items() if each.reads(self.topic)}
            if reading:
                others = self.present.config.models.keys() - reading.keys()
                plan = self.present.at(reading).without(others)
                decoder.later[number] = plan.decoder(self.topic, failures)
        return decoder, failures

    def writer(
        self, state: SketchState, targets: int, now: int, failures: Failures
    ) -> BlockWriter | None:
        """Return what sends rows of a partition to the join, each model's by its life there."""
        known: dict[str, JoinProgress] = {}
        sent: dict[str, ModelVersion] = {}
        ends: dict[str, int | None] = {}
        for name, progress in state.joins.items():
            versions = self.versions.get(name)
            if versions is None:
                if name in self.present.config.models:  # others would be recorded for ever
                    known[name] = progress
                continue
            known[name] = adopted(versions, progress)
            found = sending(versions, self.topic, self.found.get(name), known[name])
            if found is not None:
                sent[name], ends[name] = found
        plan = self.present.at(sent).unlabelled(self.versions.keys() - sent.keys())
        return plan.writer(self.topic, targets, known, now, failures, ends)

    def model(self, name: str) -> Versions:
        """Return what is counted of a model."""
        if name not in self._models:
            self._models[name] = self._made(name)
        return self._models[name]

    @cached_property
    def _models(self) -> dict[str, Versions]:
        """Those asked for already."""
        return {}

    def _made(self, name: str) -> Versions:
        model = self.present.sketch_model(name)
        changes = [each.change for each in self.versions.get(name, ()) if each.change.first]
        later = [
            LaterVersion(
                each.change.first,
                self.present.at({name: each}).sketch_model(name)
                if each.reads(self.topic)
                else None,
            )
            for each in self.later.get(name, ())
        ]
        return Versions(model, later, changes)


def open_sketch(
    plan: Plan,
    source: TopicPartition,
    partitions: int,
    state: SketchState,
    now: int,
    totals: InputTotals,
    targets: int,
) -> PartitionSketch:
    """Return the sketch of an input partition, as of `state`; see `Plan.sketch`."""
    topic, failures = source.topic, Failures()
    versions = TopicVersions.of(plan, topic, state)
    present = versions.present
    counted, decoder = present.models_of(topic), None
    try:
        decoder = versions.decoder(failures) if counted else None
    except Exception as error:  # of no model alone
        failures |= dict.fromkeys(counted, error)
    models: dict[str, Versions] = {}
    for name in counted:
        with failures.guard(name):
            models[name] = versions.model(name)
    writer = versions.writer(state, targets, now, failures)
    sound = {name: model for name, model in models.items() if name not in failures}
    sketch = PartitionSketch(source, partitions, decoder, sound, state, now, totals, writer)
    for name, failure in failures.items():
        labels = present.labelled.get(name)
        labelled = labels is not None and labels.topic == topic
        sketch.leave(name, failure, counted=name in counted, labelled=labelled)
    over = plan.versions.keys() - {*counted}
    sketch.over = {name: each for name, each in state.models.items() if name in over}
    return sketch
