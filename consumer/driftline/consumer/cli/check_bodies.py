"""Whether an input topic may be read, as the log of states has it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from driftline.consumer.cli.check_findings import Finding
from driftline.consumer.cli.topic_checks import input_topics
from driftline.consumer.config import Config
from driftline.consumer.config.names import SKETCH
from driftline.consumer.log.errors import LogError
from driftline.consumer.log.protocol import Log, TopicInfo
from driftline.consumer.service.bodies import body_problem, made_again
from driftline.consumer.service.states import States
from driftline.consumer.service.topics import recreated
from driftline.consumer.sketch.state import WORKER


def body_findings(config: Config, log: Log, topics: Mapping[str, TopicInfo]) -> Iterator[Finding]:
    """Yield an error for each input topic that `driftline run` is refused, and why.

    Args:
        config: the configuration.
        log: the log outside the group.
        topics: those that exist.
    """
    name = config.output.topic("state")
    if name not in topics or SKETCH not in config.stages:
        return
    states = States(log, name, topics[name].partitions, config.kafka.group)
    try:
        states.refresh()
    except LogError as error:
        yield Finding("error", "topics", str(error))
        return
    for topic in input_topics(config):
        if topic not in topics:
            continue
        problem = body_problem(states, topics[topic], WORKER)
        if problem is None and made_again(states, topics[topic]):
            problem = recreated(topic)
        if problem is not None:
            yield Finding("error", "topics", problem)
