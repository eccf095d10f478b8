"""What is to be watched: the configuration with its references, as the stages need it."""

from __future__ import annotations

import errno
import gzip
import os
import zlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from driftline.consumer.config import Config, LabelsConfig
from driftline.consumer.join.model import ModelJoin
from driftline.consumer.join.pane import OutcomeModel
from driftline.consumer.join.state import JoinState
from driftline.consumer.join.totals import JoinTotals
from driftline.consumer.join.waiting import Room
from driftline.consumer.judge.model import ModelJudge, reference_streams
from driftline.consumer.judge.performance.rules import outcomes_of
from driftline.consumer.judge.state import JudgeState
from driftline.consumer.service.comparing import ComparisonPlan, comparison_key
from driftline.consumer.sketch.blocks import BlockWriter, JoinModel, JoinProgress
from driftline.consumer.sketch.decode import Decoder, ModelSchema
from driftline.consumer.sketch.labels import LabelReader
from driftline.consumer.sketch.open_pane import SketchModel
from driftline.consumer.sketch.outcome_columns import Answers, EstimateCells
from driftline.detectors.outcomes import OutcomeLayout, Outcomes
from driftline.detectors.reference import Reference
from driftline.errors import ReferenceError  # noqa: A004 (the operator's word for it)
from driftline.producer.files.regular_file import open_regular, read_bounded
from driftline.producer.records.mapping import Mapping as FieldMapping

_LARGEST_REFERENCE = 256_000_000  # bytes, unpacked
_MOST_UNPACKED = 100  # times its size; a reference unpacks to about 5 times
_SMALL = 1_000_000
_BLOCK = 1 << 20


def load_reference(path: Path) -> Reference:
    """Read a reference from a ``.json`` or ``.json.gz`` file.

    Raises:
        ReferenceError: it does not exist or is no reference.
    """
    try:
        data = _unpacked(path) if path.suffix == ".gz" else read_bounded(path, _LARGEST_REFERENCE)
    except FileNotFoundError:
        raise ReferenceError(
            f"{path} does not exist: build it with driftline reference build"
        ) from None
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or error
        raise ReferenceError(f"{path} cannot be read: {reason}") from None
    try:
        return Reference.from_json(data)
    except ReferenceError as error:
        raise ReferenceError(f"{path}: {error}") from None


def _unpacked(path: Path) -> bytes:
    """Return what a file holds, looked through before it is kept: a small one may hold gigabytes.

    Raises:
        OSError, EOFError, zlib.error: it cannot be read, or holds more than a reference does.
    """
    with open_regular(path) as packed, gzip.open(packed) as file:
        own = os.fstat(packed.fileno()).st_size
        most = min(_LARGEST_REFERENCE, max(_SMALL, _MOST_UNPACKED * own))
        size = 0
        while block := file.read(_BLOCK):
            size += len(block)
            if size > most:
                raise OSError(errno.EFBIG, f"it unpacks to more than {most // 1_000_000} MB")
        file.seek(0)
        return file.read()


@dataclass(frozen=True)
class Plan:
    """The configuration and the references of its models, by name."""

    config: Config
    references: Mapping[str, Reference]

    @cached_property
    def inputs(self) -> frozenset[str]:
        """All input topics: those of predictions, and those of labels."""
        models = self.config.models.values()
        labels = {m.labels.topic for m in models if m.labels is not None}
        return frozenset(t for m in models for t in m.predictions) | labels

    @cached_property
    def labelled(self) -> dict[str, LabelsConfig]:
        """The models whose labels are read, and where from."""
        return {n: m.labels for n, m in sorted(self.config.models.items()) if m.labels is not None}

    @cached_property
    def comparisons(self) -> dict[str, ComparisonPlan]:
        """The comparisons of models that are watched here, by their names in the logs."""
        watched = self.config.models
        return {
            comparison_key(name): ComparisonPlan(
                name,
                self.config,
                self.references,
                {side.model: self.outcome_layout(side.model) for side in comparison.sides},
            )
            for name, comparison in sorted(self.config.comparisons.items())
            if all(side.model in watched for side in comparison.sides)
        }

    @cached_property
    def joined(self) -> tuple[str, ...]:
        """What is joined: the models whose labels are read, and the comparisons."""
        return (*self.labelled, *self.comparisons)

    def output(self, name: str) -> str:
        """Return the full name of an output topic."""
        return self.config.output.topic(name)

    def models_of(self, topic: str) -> list[str]:
        """Return the models whose events `topic` holds."""
        return sorted(n for n, m in self.config.models.items() if topic in m.predictions)

    def mapping_of(self, topic: str) -> FieldMapping:
        """Return how the records of `topic` are read as events."""
        source = self.config.sources.get(topic)
        return source.mapping if source is not None else FieldMapping.native()

    def decoder(self, topic: str, mapping: FieldMapping | None = None) -> Decoder:
        """Return a new decoder of the records of `topic`; `mapping` is the topic's unless given."""
        limits = self.config.limits
        schemas = [
            ModelSchema(
                name,
                self.references[name].layout,
                {
                    tag: self.references[name].segments[tag]
                    for tag in self.config.models[name].segments
                },
                ids=name in self.labelled,
            )
            for name in self.models_of(topic)
        ]
        return Decoder(
            mapping or self.mapping_of(topic), schemas, limits.max_ahead, limits.max_event_bytes
        )

    def sketch_models(self, topic: str) -> dict[str, SketchModel]:
        """Return what sketch needs to know of the models of `topic`."""
        return {name: self._sketch_model(name) for name in self.models_of(topic)}

    def writer(
        self,
        topic: str,
        targets: int,
        progress: Mapping[str, JoinProgress],
        now: int,
        mapping: FieldMapping | None = None,
    ) -> BlockWriter | None:
        """Return what sends the predictions and labels of `topic` to the join; None: nothing.

        `mapping` is the topic's unless given.
        """
        limits = self.config.limits
        models, readers = {}, {}
        for name, labels in self.labelled.items():
            config, reference = self.config.models[name], self.references[name]
            classes = self.outcome_layout(name).classes
            if topic not in (*config.predictions, labels.topic):
                continue
            segments = {tag: reference.segments[tag] for tag in config.segments}
            models[name] = JoinModel(
                name, Answers(reference.layout, classes), segments, config.window.grace
            )
            if topic == labels.topic:
                readers[name] = LabelReader(
                    name, classes, mapping or self.mapping_of(topic), bool(self.models_of(topic)),
                    limits.max_ahead, limits.max_event_bytes,
                )  # fmt: skip
        return BlockWriter(models, readers, targets, progress, now) if models else None

    def join(self, name: str, partition: int, partitions: int, state: JoinState) -> ModelJoin:
        """Return what joins in one partition of the log of joins, as of `state`: see `joined`."""
        if name in self.comparisons:
            totals = self.join_tallies[name]
            return self.comparisons[name].join(partition, partitions, state, totals)
        config, labels, limits = self.config.models[name], self.labelled[name], self.config.limits
        return ModelJoin(
            self._outcome_model(name),
            tuple(dict.fromkeys((*config.predictions, labels.topic))),
            Room.within(
                limits.max_waiting // partitions,
                limits.max_waiting_bytes // partitions,
                len(config.segments),
            ),
            partition,
            partitions,
            state,
            self.join_tallies[name],
        )

    def outcome_layout(self, name: str) -> OutcomeLayout:
        """Return what is counted of a model's predictions and labels."""
        outcomes = self.outcomes[name]
        if outcomes is None:
            raise ReferenceError(
                f"the reference of {name} was built without ground truth, so its labels have "
                "nothing to be compared with: map actual and build it again"
            )
        return outcomes.layout

    @cached_property
    def outcomes(self) -> dict[str, Outcomes | None]:
        """How well each model did on its reference; None where performance is not watched."""
        return {
            name: outcomes_of(config, self.references[name])
            for name, config in self.config.models.items()
        }

    @cached_property
    def join_tallies(self) -> dict[str, JoinTotals]:
        """What became of the rows of each model and comparison, in this process."""
        return {name: JoinTotals() for name in self.joined}

    @cached_property
    def passed_over(self) -> dict[str, Counter[str]]:
        """Events of each model that are in no verdict, by reason, in this process."""
        return {name: Counter() for name in self.config.models}

    def _outcome_model(self, name: str) -> OutcomeModel:
        config, reference = self.config.models[name], self.references[name]
        return OutcomeModel(
            name=name,
            reference=reference.id,
            layout=self.outcome_layout(name),
            streams=tuple(reference_streams(config, reference)),
            segments={tag: reference.segments[tag] for tag in config.segments},
            every=config.window.every,
            labels=self.labelled[name],
        )

    def judge(self, name: str, state: JudgeState) -> ModelJudge:
        """Return the judge of a model, as of `state`."""
        return ModelJudge(
            name,
            self.config.models[name],
            self.references[name],
            state,
            self.outcomes[name],
            self.passed_over[name],
        )

    @cached_property
    def longest_window(self) -> int:
        """The longest window of any model, ms."""
        return max(m.window.length for m in self.config.models.values())

    def _sketch_model(self, name: str) -> SketchModel:
        config, reference = self.config.models[name], self.references[name]
        streams = tuple(reference_streams(config, reference))
        return SketchModel(
            name=name,
            reference=reference.id,
            layout=reference.layout,
            streams=streams,
            segments={
                tag: streams.index(f"{tag}={(*reference.segments[tag], '__other__')[0]}")
                for tag in config.segments
            },
            window=config.window,
            stale_after=config.stale_after,
            estimates=self._estimate_cells(name),
        )

    def _estimate_cells(self, name: str) -> EstimateCells | None:
        outcomes = self.outcomes[name]
        if outcomes is None or outcomes.calibration is None:
            return None
        answers = Answers(self.references[name].layout, outcomes.layout.classes)
        return EstimateCells(answers, outcomes.layout)
