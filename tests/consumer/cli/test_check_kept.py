"""`driftline check` names every topic that keeps its records for too short a time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from driftline.consumer.cli.check_kept import kept_findings
from driftline.consumer.cli.topic_checks import all_topics, wanted_topics
from driftline.consumer.config import Config, load
from driftline.consumer.log.protocol import TopicInfo

HOUR, DAY = 3_600_000, 86_400_000
CONFIG = """
kafka: {bootstrap_servers: "localhost:9092"}
models:
  car-loan:
    predictions: ml.predictions
    labels: {topic: ml.labels, horizon: 30d}
    reference: car-loan.json
    window: {length: 12h, every: 6h, grace: 1m}
    performance: {accuracy: {max_drop: 1%}}
  other: {predictions: [ml.predictions, ml.more], reference: other.json, stale_after: off}
"""


@pytest.fixture
def config(tmp_path: Path) -> Config:
    (tmp_path / "driftline.yaml").write_text(CONFIG)
    return load(tmp_path / "driftline.yaml", environ={}, offline=True).config


def topics(
    config: Config, kept: int | None = None, size: int | None = None
) -> dict[str, TopicInfo]:
    """All topics, which keep what they must, or all `kept` ms, and `size` bytes."""
    found = {name: TopicInfo(name, name, 1, "delete", 90 * DAY) for name in all_topics(config)}
    for spec in wanted_topics(config):
        made = spec.configs.get("retention.ms")
        policy, retention = spec.cleanup_policy, None if made is None else int(made)
        found[spec.name] = TopicInfo(spec.name, spec.name, 1, policy, retention)
    return {
        name: replace(info, retention=kept or info.retention, retention_bytes=size)
        for name, info in found.items()
    }


def test_nothing_to_say_of_topics_as_they_are_made(config: Config) -> None:
    assert not list(kept_findings(config, topics(config)))
    assert not list(kept_findings(config, {}))
    for_ever = {name: TopicInfo(name, name, 1, "delete") for name in all_topics(config)}
    assert not list(kept_findings(config, for_ever))


def test_every_topic_that_is_read_again_is_named(config: Config) -> None:
    *found, history = kept_findings(config, topics(config, kept=HOUR))
    assert history.message.startswith("driftline.verdicts keeps 1h ")
    assert {each.level for each in found} == {"warning"}
    needed = {each.message.split(" ")[0]: each.message.split("ms), ")[1] for each in found}
    assert {name: text.split(" are needed")[0] for name, text in needed.items()} == {
        # Written again every week.
        "driftline.alerts": "8d",
        # Twice, three times a label's horizon: that is more than 50 steps of six hours.
        "driftline.panes": "60d",
        "driftline.joins": "90d",
        # A pane of up to 6 h stays open until the model is silent for a day.
        "ml.predictions": "1d6h1m",
        "ml.labels": "12h",
        "ml.more": "1h1m",
    }
    assert found[1].message.endswith(
        "run  kafka-configs.sh --alter --entity-type topics --entity-name driftline.panes"
        f" --add-config retention.ms={60 * DAY}"
    )
    less = topics(config, kept=60 * DAY - 1)
    assert [each.message[:16] for each in kept_findings(config, less)] == [
        "driftline.panes ", "driftline.joins ", "driftline.verdic"
    ]  # fmt: skip


def test_fifty_steps_of_windows_are_kept_twice(config: Config) -> None:
    models = {"other": config.models["other"]}
    alone = config.model_copy(update={"models": models})
    found = [each.message for each in kept_findings(alone, topics(alone, kept=4 * DAY))]
    assert [text.split(":")[0] for text in found] == [
        "driftline.alerts keeps 4d (retention.ms), 8d are needed",
        "driftline.panes keeps 4d (retention.ms), 4d4h are needed",
        "driftline.verdicts keeps 4d (retention.ms), in a topic made now they are 90d",
    ]


def test_what_is_lost_where_verdicts_are_kept_for_a_week(config: Config) -> None:
    """Older topics have the broker's default: no error, and nothing that alarms depend on."""
    found = topics(config)
    name = "driftline.verdicts"
    found[name] = replace(found[name], retention=7 * DAY)
    (finding,) = kept_findings(config, found)
    assert finding.level == "warning"
    assert finding.message == (
        "driftline.verdicts keeps 7d (retention.ms), in a topic made now they are 90d: alarms stay"
        " as they are, but the page, the API and reports look back no further:\nrun "
        " kafka-configs.sh --alter --entity-type topics --entity-name driftline.verdicts"
        f" --add-config retention.ms={90 * DAY}"
    )


def test_a_size_may_be_less_than_what_is_needed(config: Config) -> None:
    found = [each.message for each in kept_findings(config, topics(config, size=10**9))]
    assert [text.split(" ")[0] for text in found] == [
        "driftline.alerts", "driftline.panes", "driftline.joins"
    ]  # fmt: skip
    assert "keeps 1,000,000,000 bytes a partition (retention.bytes), which may be less" in found[0]
