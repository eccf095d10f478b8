"""What is to be watched: the configuration with its references, as the stages need it."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from driftline.consumer.config import Config
from driftline.consumer.judge.model import ModelJudge, reference_streams
from driftline.consumer.judge.state import JudgeState
from driftline.consumer.sketch.decode import Decoder, ModelSchema
from driftline.consumer.sketch.open_pane import SketchModel
from driftline.detectors.reference import Reference, ReferenceError  # noqa: A004 - the operator's word for it
from driftline.producer.mapping import Mapping as FieldMapping


def load_reference(path: Path) -> Reference:
    """Read a reference from a ``.json`` or ``.json.gz`` file.

    Raises:
        ReferenceError: it does not exist or is no reference.
    """
    try:
        data = path.read_bytes()
        if path.suffix == ".gz":
            data = gzip.decompress(data)
    except FileNotFoundError:
        raise ReferenceError(
            f"{path} does not exist: build it with driftline reference build"
        ) from None
    except (OSError, EOFError, zlib.error) as error:
        raise ReferenceError(f"{path} cannot be read: {error}") from None
    try:
        return Reference.from_json(data)
    except ReferenceError as error:
        raise ReferenceError(f"{path}: {error}") from None


@dataclass(frozen=True)
class Plan:
    """The configuration and the references of its models, by name."""

    config: Config
    references: Mapping[str, Reference]

    @cached_property
    def inputs(self) -> frozenset[str]:
        """All input topics."""
        return frozenset(t for m in self.config.models.values() for t in m.predictions)

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
            )
            for name in self.models_of(topic)
        ]
        return Decoder(
            mapping or self.mapping_of(topic), schemas, limits.max_ahead, limits.max_event_bytes
        )

    def sketch_models(self, topic: str) -> dict[str, SketchModel]:
        """Return what sketch needs to know of the models of `topic`."""
        return {name: self._sketch_model(name) for name in self.models_of(topic)}

    def judge(self, name: str, state: JudgeState) -> ModelJudge:
        """Return the judge of a model, as of `state`."""
        return ModelJudge(name, self.config.models[name], self.references[name], state)

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
            every=config.window.every,
            grace=config.window.grace,
            stale_after=config.stale_after,
        )
