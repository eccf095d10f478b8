"""Topics that go away, or are made again, under a worker."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Set

import pytest
from tests.consumer.service.rig import Rig
from tests.consumer.service.small import plan

from driftline.consumer.log.errors import LogError, Unreachable, WorkerLost
from driftline.consumer.log.memory import MemoryBroker, MemoryLog
from driftline.consumer.log.protocol import TopicInfo
from driftline.consumer.service.topics import LOOK_MS, Topics

NAMES = ("in", "driftline.panes", "driftline.state")


class Log(MemoryLog):
    """A log whose broker may be away."""

    away = False

    def topics(self, names: Set[str], patience: float | None = None) -> dict[str, TopicInfo]:
        if self.away:
            raise Unreachable("away")
        return super().topics(names)


@pytest.fixture
def broker() -> MemoryBroker:
    made = MemoryBroker(now=0)
    for name in NAMES:
        made.create(name, 2)
    return made


def make_again(broker: MemoryBroker, name: str) -> None:
    broker.infos[name] = dataclasses.replace(broker.infos[name], topic_id="another")


def test_a_topic_that_is_the_same_may_grow(broker: MemoryBroker) -> None:
    topics = Topics(MemoryLog(broker), dict(broker.infos), 0)
    topics.look(LOOK_MS)
    broker.infos["in"] = dataclasses.replace(broker.infos["in"], partitions=5)
    topics.look(2 * LOOK_MS)
    topics.update(frozenset({"in"}))
    assert topics.found["in"].partitions == 5


@pytest.mark.parametrize("name", NAMES)
def test_a_topic_that_was_made_again(broker: MemoryBroker, name: str) -> None:
    topics = Topics(MemoryLog(broker), dict(broker.infos), 0)
    make_again(broker, name)
    topics.look(LOOK_MS - 1)  # not asked yet
    said = f"the topic {name} was re-created since Driftline last read it"
    asking: list[Callable[[], object]] = [
        lambda: topics.look(LOOK_MS),
        lambda: topics.update(frozenset({name})),
    ]
    for ask in asking:
        with pytest.raises(LogError, match=said):
            ask()


def test_a_topic_that_is_gone_is_looked_for_twice(broker: MemoryBroker) -> None:
    """A broker that has just started may not know of all topics yet."""
    log = Log(broker)
    topics = Topics(log, dict(broker.infos), 0)
    gone = broker.infos.pop("in")
    topics.look(LOOK_MS)
    broker.infos["in"] = gone
    topics.look(2 * LOOK_MS)
    del broker.infos["in"], broker.infos["driftline.panes"]
    topics.look(3 * LOOK_MS)
    log.away = True
    topics.look(4 * LOOK_MS)  # an outage says nothing
    log.away = False
    with pytest.raises(LogError, match=r"topics driftline\.panes, in were deleted while Driftline"):
        topics.look(5 * LOOK_MS)


@pytest.mark.parametrize("lost", [WorkerLost, KeyError])
def test_what_goes_wrong_because_of_a_topic_says_so(
    lost: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody acknowledges: the outage of a broker, or a topic that is gone."""
    rig = Rig(plan())
    worker = rig.start()
    _, _, producer = rig.workers[0]

    def flush() -> None:
        raise lost("nobody acknowledges")

    monkeypatch.setattr(producer, "flush", flush)
    with pytest.raises(lost, match="nobody acknowledges"):
        worker.step()
    rig.broker.rebalance()
    del rig.broker.infos["driftline.verdicts"]
    with pytest.raises(LogError, match=r"the topic driftline\.verdicts was deleted"):
        worker.step()
