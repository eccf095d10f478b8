"""How many partitions Driftline's topics get, and what `check` says where there are fewer."""

from __future__ import annotations

import pytest

from driftline.consumer.cli.topic_checks import few_judges, wanted_topics
from driftline.consumer.config import Config, KafkaConfig, ModelConfig, OutputConfig
from driftline.consumer.log.protocol import TopicInfo

MODEL = ModelConfig.model_validate({"predictions": "in", "reference": "r.json"})


def watching(models: int, partitions: int | None = None) -> Config:
    return Config(
        kafka=KafkaConfig(bootstrap_servers=("k:9092",)),
        output=OutputConfig(partitions=partitions),
        models={f"m{number}": MODEL for number in range(models)},
    )


@pytest.mark.parametrize(
    ("models", "given", "panes", "joins"),
    [(1_000, None, 6, 6), (1_001, None, 64, 6), (1_001, 12, 12, 12)],
)
def test_a_fleet_has_more_partitions_to_be_judged_in(
    models: int, given: int | None, panes: int, joins: int
) -> None:
    made = {spec.name: spec.partitions for spec in wanted_topics(watching(models, given))}
    found = {name: made[f"driftline.{name}"] for name in ("panes", "verdicts", "state")}
    assert found == dict.fromkeys(found, panes)
    assert {made[f"driftline.{name}"] for name in ("joins", "alerts", "dead-letter")} == {joins}
    assert made["driftline.models"] == 1


@pytest.mark.parametrize(
    ("models", "given", "there", "said"),
    [(1_001, None, 6, True), (1_001, None, 64, False), (1_001, 6, 6, False), (900, 9, 6, False)],
)
def test_check_names_a_topic_made_for_fewer_models(
    models: int, given: int | None, there: int, said: bool
) -> None:
    info = TopicInfo("driftline.panes", "id", there, "delete")
    expected = (
        "driftline.panes has 6 partitions, so at most 6 workers judge the 1,001 models: made now it"
        " would have 64; with another output.prefix all begins anew"
    )
    found = few_judges(watching(models, given), {info.name: info})
    assert found == (expected if said else None)
    assert few_judges(watching(models, given), {}) is None
