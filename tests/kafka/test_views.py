"""Views follow a real broker: all that is there, what comes, one verdict by its place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from unittest.mock import patch

from tests.consumer.golden.everything import CREDIT, everything
from tests.consumer.views.test_answers import NOW
from tests.consumer.views.test_follow import direct, settle

from driftline.consumer.config import KafkaConfig, OutputConfig
from driftline.consumer.log.broker import connect
from driftline.consumer.log.kafka_python.producer import KafkaProducer, start_producer
from driftline.consumer.log.protocol import Message
from driftline.consumer.views import follow
from driftline.consumer.views.fold import Views
from driftline.consumer.views.follow import Follower

NewTopic = Callable[..., str]


def answers(views: Views) -> list[Any]:
    """Some of all kinds; one needs verdicts that stand in the topic."""
    return [views.home(), views.alerts(), views.model(CREDIT), views.feature(CREDIT, "ks")]


def test_views_of_a_broker_are_those_of_its_records(
    config: KafkaConfig, prefix: str, new_topic: NewTopic
) -> None:
    topics = {name: new_topic(name, 2) for name in ("verdicts", "alerts")}
    producer = KafkaProducer(start_producer(config))

    def publish(name: str, first: int, last: int | None) -> None:
        for each in everything().records(name)[first:last]:
            place = topics[name], each.partition
            producer.send(Message(*place, each.key, each.value, (), each.timestamp))
        producer.flush()

    late = len(everything().records("verdicts")) - 400
    publish("verdicts", 0, late)
    publish("alerts", 0, None)
    output = OutputConfig(prefix=prefix)
    with patch.object(follow, "FIRST_CHUNK", 500):
        one = Follower(lambda: connect(config).log, output, clock=lambda: NOW)
        assert one.step()
    first = one.ask(lambda views: views.home())
    settle(one)
    assert one.ask(lambda views: views.home()) != first
    publish("verdicts", late, None)
    settle(one)
    assert one.ask(answers) == answers(direct())
    assert one.status().connected
    one.close()
    producer.close()
