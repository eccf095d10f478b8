"""`driftline check` says which topics another body reads."""

from __future__ import annotations

from dataclasses import replace

import pytest

from driftline.consumer.cli.check_bodies import body_findings
from driftline.consumer.cli.check_findings import Finding
from driftline.consumer.config import Config
from driftline.consumer.log.memory import MemoryBroker
from driftline.consumer.service.states import States
from driftline.consumer.sketch.state import BODIES, SPARK, WORKER, SketchState

CONFIG = Config.model_validate(
    {
        "kafka": {"bootstrap_servers": "localhost:9092"},
        "models": {
            "fraud": {
                "predictions": "payments",
                "reference": "r.json",
                "labels": {"topic": "chargebacks"},
            }
        },
    }
)


@pytest.fixture
def broker() -> MemoryBroker:
    made = MemoryBroker()
    made.create("payments", 2)
    made.create("chargebacks", 2)
    made.create("driftline.state", 3, "compact")
    return made


def read_by(broker: MemoryBroker, topic: str, body: str, group: str = "driftline") -> None:
    """Put on record who has read partition 1 of a topic."""
    states, key = States(broker.log, "driftline.state", 3, group), f"sketch/{topic}/1"
    states.own(key, 7)
    for message in states.messages(key, SketchState(f"id-{topic}", 2, 0, 0, 7, {}, body=body)):
        broker.append(message)


def found(broker: MemoryBroker) -> list[Finding]:
    return list(body_findings(CONFIG, broker.log, broker.infos))


def test_a_topic_of_predictions_or_labels_that_spark_reads(broker: MemoryBroker) -> None:
    read_by(broker, "payments", WORKER)
    assert found(broker) == []
    read_by(broker, "chargebacks", SPARK)
    (one,) = found(broker)
    assert (one.level, one.subject) == ("error", "topics")
    assert one.message.startswith(f"chargebacks is read by {BODIES[SPARK]}: stop its query, ")


def test_a_topic_that_was_made_again_since_it_was_read(broker: MemoryBroker) -> None:
    broker.infos["payments"] = replace(broker.infos["payments"], topic_id="another")
    assert found(broker) == []
    read_by(broker, "payments", WORKER)
    (one,) = found(broker)
    assert one.level == "error"
    assert one.message.startswith("the topic payments was re-created since Driftline last read it")


def test_who_leaves_it_to_spark_may_start(broker: MemoryBroker) -> None:
    read_by(broker, "payments", SPARK)
    assert len(found(broker)) == 1
    config = CONFIG.model_copy(update={"stages": ("join", "judge")})
    assert list(body_findings(config, broker.log, broker.infos)) == []


def test_nothing_was_read_yet(broker: MemoryBroker) -> None:
    assert found(broker) == []
    del broker.infos["driftline.state"]
    assert found(broker) == []


def test_states_of_another_group(broker: MemoryBroker) -> None:
    read_by(broker, "payments", SPARK, group="another")
    (one,) = found(broker)
    assert one.level == "error"
    assert one.message.startswith("driftline.state belongs to the consumer group another")
