"""What is right and wrong with the topics of a configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from driftline.consumer.config import Config, Locations, Problem
from driftline.consumer.config.names import SKETCH
from driftline.consumer.log.protocol import TopicInfo, TopicSpec
from driftline.consumer.log.topics import (
    FLEET,
    check_topics,
    output_topics,
    partitions_for,
)
from driftline.consumer.wire.text import plural

_STEPS = 50  # of windows, that judge looks back at


def input_topics(config: Config) -> list[str]:
    """Return the topics that are read: those of predictions first, then those of labels."""
    models = config.models.values()
    topics = [topic for model in models for topic in model.predictions]
    topics += [model.labels.topic for model in models if model.labels]
    return list(dict.fromkeys(topics))


def wanted_topics(config: Config) -> list[TopicSpec]:
    """Return the topics that Driftline writes, as they must be."""
    longest = longest_needed(config)
    output, models = config.output, len(config.models)
    specs = output_topics(output.prefix, output.partitions, longest, models)
    if config.models:
        return specs
    applied = config.output.topic("models")  # where no models are in the file, they stand there
    return [replace(spec, needed=spec.needed or spec.name == applied) for spec in specs]


def longest_needed(config: Config) -> int:
    """Return how far back (ms) any model looks: at panes of events, or for labels."""
    windows = [model.window for model in config.models.values()]
    # Windows are counted again from panes, and what changed is compared with 50 of their steps.
    longest = [max(window.length, _STEPS * window.every) for window in windows]
    longest += [model.labels.horizon for model in config.models.values() if model.labels]
    return max(longest, default=0)


def all_topics(config: Config) -> frozenset[str]:
    """Return the names of all topics that are read or written."""
    return frozenset([*input_topics(config), *(spec.name for spec in wanted_topics(config))])


def worker_topics(config: Config) -> frozenset[str]:
    """Return the names of the topics that a worker cannot do without."""
    needed = (spec.name for spec in wanted_topics(config) if spec.needed)
    return frozenset([*(input_topics(config) if SKETCH in config.stages else ()), *needed])


def missing_inputs(
    config: Config, locations: Locations, found: Mapping[str, TopicInfo]
) -> list[Problem]:
    """Return a problem for each key that names an input topic to be read which does not exist."""
    problems: list[Problem] = []
    if SKETCH not in config.stages:
        return problems
    for name, model in config.models.items():
        keys: list[tuple[tuple[str | int, ...], str]] = [
            (("predictions", place), topic) for place, topic in enumerate(model.predictions)
        ]
        if model.labels:
            keys.append((("labels",), model.labels.topic))
        problems += [
            locations.problem(
                ("models", name, *key),
                f"the topic {topic} does not exist: correct the name, or create it",
            )
            for key, topic in keys
            if topic not in found
        ]
    return problems


def topic_problems(
    config: Config, locations: Locations, found: Mapping[str, TopicInfo]
) -> list[str]:
    """Say everything that is wrong with the topics, one sentence each."""
    inputs = [str(problem) for problem in missing_inputs(config, locations, found)]
    return inputs + check_topics(wanted_topics(config), found)


def few_judges(config: Config, found: Mapping[str, TopicInfo]) -> str | None:
    """Say that a topic lets fewer workers judge than one made now would; else return None."""
    name, models = config.output.topic("panes"), len(config.models)
    wanted = config.output.partitions or partitions_for("panes", models)
    info = found.get(name)
    if info is None or models <= FLEET or info.partitions >= wanted:
        return None
    return (
        f"{name} has {info.partitions} {plural(info.partitions, 'partition')}, so at most"
        f" {info.partitions} {plural(info.partitions, 'worker')} judge the {models:,} models: made"
        f" now it would have {wanted}; with another output.prefix all begins anew"
    )


def describe_inputs(config: Config, found: Mapping[str, TopicInfo]) -> str:
    """Return the input topics that exist with their partitions.

    >>> from driftline.consumer.config import Config, KafkaConfig, ModelConfig
    >>> model = ModelConfig(predictions=("a", "b"), reference="r.json")
    >>> config = Config(kafka=KafkaConfig(bootstrap_servers=("k:9092",)), models={"m": model})
    >>> describe_inputs(config, {t: TopicInfo(t, t, 6, "delete") for t in ("a", "b")})
    'a 6 partitions, b 6'
    """
    counts = [(topic, found[topic].partitions) for topic in input_topics(config) if topic in found]
    texts = [f"{topic} {partitions}" for topic, partitions in counts]
    if texts:
        texts[0] += " partition" if counts[0][1] == 1 else " partitions"
    return ", ".join(texts)
