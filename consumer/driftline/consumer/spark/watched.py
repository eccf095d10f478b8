"""What a query watches: the plan of all models of a configuration, on the driver and in tasks."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cached_property

from driftline.consumer.config import Loaded
from driftline.consumer.log.protocol import Log, TopicInfo
from driftline.consumer.log.schema_registry import PATIENCE, SchemaRegistry
from driftline.consumer.service.plan import Plan
from driftline.consumer.spark.driver import topics_of
from driftline.consumer.spark.errors import SparkError
from driftline.consumer.spark.shipped_config import ShippedConfig, read_files


@dataclass(frozen=True)
class Watched(ShippedConfig):
    """A configuration of all models, of which each process makes the plan once."""

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
        return cls(config, topic, read_files(loaded))

    @cached_property
    def plan(self) -> Plan:
        """The plan of all models."""
        registry = self.config.schema_registry
        schemas = None if registry is None else SchemaRegistry(registry, PATIENCE)
        return Plan(self.config, self.references, schemas=schemas)

    def topics(self, log: Log) -> dict[str, TopicInfo]:
        """Return the topics that are read and written, as the broker has them.

        Raises:
            LogError: one is missing.
        """
        return topics_of(self.plan, self.topic, log)

    @staticmethod
    def clock() -> int:
        """Return the wall clock, ms."""
        return time.time_ns() // 1_000_000
