"""Which topics keep their records for less time than a worker that starts again needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from driftline.consumer.cli.check_findings import Finding
from driftline.consumer.cli.topic_checks import longest_needed
from driftline.consumer.config import Config
from driftline.consumer.log.protocol import TopicInfo
from driftline.consumer.log.topics import ALERTS_NEEDED, JOINS_TIMES, PANES_TIMES, VERDICTS_KEPT
from driftline.producer.records.durations import format_duration


def kept_findings(config: Config, topics: Mapping[str, TopicInfo]) -> Iterator[Finding]:
    """Yield a warning for each topic that keeps less than is needed, or may keep less.

    Args:
        config: the configuration.
        topics: those that exist, with their settings. What may not be seen is taken as right.
    """
    own = _own_topics(config)
    for name, least in {**own, **_input_topics(config)}.items():
        found = topics.get(name)
        if found is None or "delete" not in found.cleanup_policy:
            continue
        if found.retention is not None and found.retention < least:
            text = (
                f"{name} keeps {format_duration(found.retention)} (retention.ms),"
                f" {format_duration(least)} are needed: what a worker reads again after a restart"
                " would be gone:\nrun  kafka-configs.sh --alter --entity-type topics"
                f" --entity-name {name} --add-config retention.ms={least}"
            )
            yield Finding("warning", "topics", text)
        elif name in own and found.retention_bytes is not None:
            text = (
                f"{name} keeps {found.retention_bytes:,} bytes a partition (retention.bytes), which"
                f" may be less than the {format_duration(least)} that are needed:\nrun "
                f" kafka-configs.sh --alter --entity-type topics --entity-name {name}"
                " --add-config retention.bytes=-1"
            )
            yield Finding("warning", "topics", text)
    yield from _history(config, topics)


def _history(config: Config, topics: Mapping[str, TopicInfo]) -> Iterator[Finding]:
    """Yield a warning where verdicts are kept for less time than in a topic made now."""
    name = config.output.topic("verdicts")
    found = topics.get(name)
    if found is None or found.retention is None or found.retention >= VERDICTS_KEPT:
        return
    text = (
        f"{name} keeps {format_duration(found.retention)} (retention.ms), in a topic made now they"
        f" are {format_duration(VERDICTS_KEPT)}: alarms stay as they are, but the page, the API and"
        f" reports look back no further:\nrun  {_keep(name, VERDICTS_KEPT)}"
    )
    yield Finding("warning", "topics", text)


def _keep(name: str, kept: int) -> str:
    """Return the command after which a topic keeps its records for `kept` ms."""
    return (
        f"kafka-configs.sh --alter --entity-type topics --entity-name {name}"
        f" --add-config retention.ms={kept}"
    )


def _own_topics(config: Config) -> dict[str, int]:
    """Return for how long (ms) topics that Driftline writes and reads must keep their records."""
    longest, topic = longest_needed(config), config.output.topic
    needed = {topic("alerts"): ALERTS_NEEDED, topic("panes"): PANES_TIMES * longest}
    if any(model.labels for model in config.models.values()):
        needed[topic("joins")] = JOINS_TIMES * longest
    return needed


def _input_topics(config: Config) -> dict[str, int]:
    """Return the same of input topics: of predictions what a pane that is still open is made of.

    It stays open until the model has been silent for `stale_after`.
    """
    needed: dict[str, int] = {}
    for model in config.models.values():
        window = model.window
        open_pane = window.every + window.grace + (model.stale_after or 0)
        for name in model.predictions:
            needed[name] = max(needed.get(name, 0), window.length, open_pane)
        if model.labels:
            name = model.labels.topic
            needed[name] = max(needed.get(name, 0), window.length)
    return needed
