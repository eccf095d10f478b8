"""What the tasks of a job are given once: the configuration, and references as their files' bytes.

A task's own closure names it only. A reference is read when the first event of its model comes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from driftline.consumer.config import Loaded
from driftline.consumer.service.plan import Plan
from driftline.consumer.spark.shipped_config import ShippedConfig, read_files


@dataclass(frozen=True)
class Shipped(ShippedConfig):
    """A configuration of the models of one topic, as tasks have it."""

    @classmethod
    def of(cls, loaded: Loaded, topic: str, *, by_path: bool) -> Shipped:
        """Return what tasks need of a configuration whose references are at hand.

        Raises:
            ConfigError: a reference cannot be read, or does not fit.
        """
        config = loaded.config
        models = {name: m for name, m in config.models.items() if topic in m.predictions}
        compared = {
            name: comparison
            for name, comparison in config.comparisons.items()
            if all(side.model in models for side in comparison.sides)
        }
        config = config.model_copy(update={"models": models, "comparisons": compared})
        files = read_files(Loaded(config, loaded.locations, loaded.files))
        return cls(config, topic, None if by_path else files)

    @cached_property
    def plan(self) -> Plan:
        """The plan of all models, in whose inputs no event is late."""
        return Plan(self.config, self.references, ordered=False)

    def plan_of(self, name: str) -> Plan:
        """Return the plan of one model alone, as a backtest of it has it, or of one comparison."""
        models = {each: self.config.models[each] for each in self.models_of(name)}
        compared = {key: each for key, each in self.config.comparisons.items() if key == name}
        config = self.config.model_copy(update={"models": models, "comparisons": compared})
        return Plan(config, {each: self.plan.references[each] for each in models}, ordered=False)

    def models_of(self, name: str) -> tuple[str, ...]:
        """Return the models that are judged under a name: that of a model, or of a comparison."""
        comparison = self.config.comparisons.get(name)
        if comparison is None:
            return (name,)
        return tuple(dict.fromkeys(side.model for side in comparison.sides))

    def comparisons_of(self, model: str) -> Iterator[str]:
        """Yield the comparisons that need what is counted of a model."""
        for name in self.config.comparisons:
            if model in self.models_of(name):
                yield name

    def labelled_here(self, name: str) -> bool:
        """Return whether the ground truth of a model is in the rows of its events."""
        labels = self.config.models[name].labels
        return labels is not None and labels.topic == self.topic
