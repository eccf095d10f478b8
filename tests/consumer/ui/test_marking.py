"""Writing marks from the page: it connects when somebody first does, and again after an error."""

from __future__ import annotations

import pytest

from driftline.consumer.deliver.acceptance_writer import AcceptanceRequest
from driftline.consumer.deliver.errors import AlertsError
from driftline.consumer.log.errors import WorkerLost
from driftline.consumer.log.memory import MemoryBroker, MemoryProducer
from driftline.consumer.log.protocol import Broker
from driftline.consumer.ui.live import Finished, Live
from driftline.consumer.ui.marking import Marking
from driftline.consumer.ui.source import MarkRequest
from driftline.consumer.ui.workers import no_workers
from driftline.consumer.views.fold import Views
from driftline.consumer.wire.messages import decode_panes

NOW = 1_767_225_600_000
ACKNOWLEDGED = MarkRequest("acknowledge", "ada")


class Broken(MemoryBroker):
    """It gives no producer."""

    def producer(self) -> MemoryProducer:
        raise WorkerLost("the broker has given no answer for a minute")


def test_it_connects_again_after_an_error() -> None:
    brokers: list[MemoryBroker] = [Broken(), MemoryBroker()]
    for broker in brokers:
        broker.create("driftline.control", 1)
        broker.create("driftline.panes", 1)
    connected: list[Broker] = []

    def connect() -> Broker:
        connected.append(brokers[len(connected)])
        return connected[-1]

    marking = Marking(connect, "driftline.control", "driftline.panes", lambda: NOW)
    assert connected == []
    with pytest.raises(WorkerLost, match="no answer"):
        marking.write("a", ACKNOWLEDGED)
    marks = marking.write("a", ACKNOWLEDGED)
    assert marks.acknowledge is not None
    assert (marks.acknowledge.who, marks.acknowledge.at) == ("ada", "2026-01-01T00:00:00Z")
    assert marking.write("a", MarkRequest("acknowledge", clear=True)).acknowledge is None
    assert connected == brokers
    brokers.append(brokers[-1])
    made = marking.accept("m", AcceptanceRequest("x", "ada", "new"))
    (record,) = brokers[-1].records("driftline.panes")
    assert decode_panes(record.value or b"") == made
    marking.close()


def test_a_record_that_was_not_written_is_written_by_the_next_connection() -> None:
    brokers: list[MemoryBroker] = [Broken(), MemoryBroker()]
    for broker in brokers:
        broker.create("driftline.panes", 1)
    left = iter(brokers)
    marking = Marking(lambda: next(left), "driftline.control", "driftline.panes", lambda: NOW)
    request = AcceptanceRequest("x", "ada", "new")
    with pytest.raises(WorkerLost, match="no answer"):
        marking.accept("m", request)
    assert marking.accept("m", request).feature == "x"
    marking.close()


def test_where_nobody_may_nothing_is_written() -> None:
    live = Live(Finished(Views()), "a file", no_workers)
    with pytest.raises(AlertsError, match="not written here"):
        live.mark("a", ACKNOWLEDGED)
    with pytest.raises(AlertsError, match="accepted here"):
        live.accept("m", AcceptanceRequest("x", "ada", "new"))
    assert live.performance("m", None) is None
    assert live.alert("a") is None
    assert not live.pipeline().available
