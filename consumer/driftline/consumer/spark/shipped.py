"""What the tasks of a job are given once: the configuration, and references as their files' bytes.

A task's own closure names it only. A reference is read when the first event of its model comes, and
kept as long as the Python worker lives.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

from driftline.consumer.config import Config, Loaded, ModelConfig
from driftline.consumer.service.plan import Plan
from driftline.consumer.service.reference_file import read_reference_file
from driftline.consumer.service.references import read_references, sort_out
from driftline.consumer.spark.errors import SparkError
from driftline.detectors.reference import Reference
from driftline.detectors.versions import with_versions
from driftline.errors import ReferenceError  # noqa: A004 (the operator's word for it)


@dataclass(frozen=True)
class Shipped:
    """A configuration, as tasks have it.

    Attributes:
        config: of the models of one topic.
        topic: it.
        files: address of a reference to its bytes; None: executors read the addresses themselves.
    """

    config: Config
    topic: str
    files: Mapping[str, bytes] | None

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
        own = Loaded(config, loaded.locations, loaded.files)
        _, problems = read_references(own)
        sort_out(problems)
        if by_path:
            return cls(config, topic, None)
        addresses = {address for model in models.values() for address in _addresses(model)}
        return cls(config, topic, {each: read_reference_file(each) for each in sorted(addresses)})

    def reference(self, name: str) -> Reference:
        """Return the reference of a model.

        Raises:
            SparkError: executors are to read it themselves, and cannot.
        """
        model = self.config.models[name]
        found = self._read(model.reference.layout or "")
        if not model.references:
            return found
        named = {version: self._read(address) for version, address in model.references.items()}
        return with_versions(found, named)

    @cached_property
    def plan(self) -> Plan:
        """The plan of all models, in whose inputs no event is late."""
        return Plan(self.config, _References(self), ordered=False)

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

    def _read(self, address: str) -> Reference:
        if self.files is not None:
            return Reference.from_json(self.files[address])
        try:
            return Reference.from_json(read_reference_file(address))
        except ReferenceError as error:
            raise SparkError(
                f"an executor cannot read a reference ({error}): put it where all of them can, or"
                " leave out references_by_path"
            ) from None


class _References(Mapping[str, Reference]):
    """The references by model, each read when it is asked for."""

    def __init__(self, shipped: Shipped) -> None:
        self._models = shipped.config.models
        self._reference = lru_cache(maxsize=None)(shipped.reference)

    def __getitem__(self, name: str) -> Reference:
        if name not in self._models:
            raise KeyError(name)
        return self._reference(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._models)

    def __len__(self) -> int:
        return len(self._models)


def _addresses(model: ModelConfig) -> list[str]:
    own = [] if model.reference.layout is None else [model.reference.layout]
    return [*own, *model.references.values()]
