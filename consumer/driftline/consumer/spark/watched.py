"""What a query watches: the plan of all models of a configuration, on the driver and in tasks."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from driftline.consumer.config import Config, Loaded, ModelConfig
from driftline.consumer.log.protocol import Log, TopicInfo
from driftline.consumer.log.schema_registry import PATIENCE, SchemaRegistry
from driftline.consumer.service.plan import Plan
from driftline.consumer.service.reference_file import read_reference_file
from driftline.consumer.service.references import read_references, sort_out
from driftline.consumer.spark.driver import topics_of
from driftline.consumer.spark.errors import SparkError
from driftline.detectors.reference import Reference
from driftline.detectors.versions import with_versions


@dataclass(frozen=True)
class Watched:
    """A configuration with its references as bytes, of which each process makes the plan once.

    Attributes:
        config: of all models.
        topic: the input.
        files: address of a reference to its file's bytes.
    """

    config: Config
    topic: str
    files: Mapping[str, bytes]

    @classmethod
    def of(cls, loaded: Loaded, topic: str) -> Watched:
        """Return what is to be watched of a topic; its references are read here.

        Raises:
            SparkError: the configuration does not read the topic, or names no models.
            ConfigError: a reference cannot be read, or does not fit.
        """
        config = loaded.config
        if not config.models:
            raise SparkError(
                "the configuration names no models, and those of driftline apply are for workers: "
                "name the models under models, or let driftline run read the topic"
            )
        if topic not in Plan(config, {}).inputs:
            raise SparkError(f"no model reads {topic}: give topic, an input of the configuration")
        _, problems = read_references(loaded)
        sort_out(problems)
        named = {address for model in config.models.values() for address in _addresses(model)}
        return cls(config, topic, {each: read_reference_file(each) for each in sorted(named)})

    @cached_property
    def plan(self) -> Plan:
        """The plan of all models."""
        registry = self.config.schema_registry
        schemas = None if registry is None else SchemaRegistry(registry, PATIENCE)
        return Plan(self.config, _References(self), schemas=schemas)

    def topics(self, log: Log) -> dict[str, TopicInfo]:
        """Return the topics that are read and written, as the broker has them.

        Raises:
            LogError: one is missing.
        """
        return topics_of(self.plan, self.topic, log)

    def reference(self, name: str) -> Reference:
        """Return the reference of a model."""
        model = self.config.models[name]
        found = Reference.from_json(self.files[model.reference.layout or ""])
        if not model.references:
            return found
        named = {v: Reference.from_json(self.files[at]) for v, at in model.references.items()}
        return with_versions(found, named)

    @staticmethod
    def clock() -> int:
        """Return the wall clock, ms."""
        return time.time_ns() // 1_000_000


class _References(Mapping[str, Reference]):
    """The references by model, each read when it is first asked for."""

    def __init__(self, watched: Watched) -> None:
        self._watched = watched
        self._read: dict[str, Reference] = {}

    def __getitem__(self, name: str) -> Reference:
        if name not in self._read:
            self._read[name] = self._watched.reference(name)
        return self._read[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._watched.config.models)

    def __len__(self) -> int:
        return len(self._watched.config.models)


def _addresses(model: ModelConfig) -> Iterator[str]:
    if model.reference.layout is not None:
        yield model.reference.layout
    yield from model.references.values()
