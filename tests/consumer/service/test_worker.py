"""A worker: what it sends and when it records, alone and with others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import numpy as np
import pytest
from tests.consumer.service.rig import Rig
from tests.consumer.service.small import (
    DAY,
    HOUR,
    LABELS,
    MODEL,
    SECOND,
    TOPIC,
    alerts,
    backtest,
    labelled_reference,
    plan,
    reference,
    row,
    rows,
    verdicts,
)

from driftline.consumer.join.state import JoinState
from driftline.consumer.judge.state import JudgeState
from driftline.consumer.log.errors import WorkerLost
from driftline.consumer.log.memory import MemoryBroker, MemoryLog
from driftline.consumer.log.protocol import Message, Record, TopicPartition
from driftline.consumer.service.judging import SentAlerts, sent_alerts
from driftline.consumer.sketch.partition import PartitionSketch
from driftline.consumer.sketch.totals import Output
from driftline.consumer.wire.messages import partition_of
from driftline.consumer.wire.records import Alert

PLAN = plan(
    segments=["tier"],
    window={"length": "60s", "every": "20s", "grace": "5s", "min_events": 20},
    thresholds={"ks": {"warning": 0.4, "critical": 0.7}, "missing": {"warning": "20%"}},
    owner="credit",
)


def stream() -> list[dict[str, object]]:
    """Ten minutes with a drift in the middle; no event is late."""
    rng = np.random.default_rng(11)
    return [
        *rows(0, 200, SECOND, rng),
        *rows(200 * SECOND, 150, SECOND, rng, x=2.5, model_version="2", tags={"tier": "gold"}),
        *rows(350 * SECOND, 250, SECOND, rng),
    ]


def encoded(rig: Rig, output: str) -> set[bytes]:
    return {record.value or b"" for record in rig.records(output)}


def test_the_service_writes_what_the_backtest_writes() -> None:
    rig = Rig(PLAN)
    rig.write(stream())
    rig.start(batch=37)
    rig.settle()
    found = backtest(PLAN, stream())
    assert encoded(rig, "verdicts") == {msgspec.json.encode(v) for v in verdicts(found)}
    assert encoded(rig, "alerts") == {msgspec.json.encode(a) for a in alerts(found)}
    assert {a["status"] for a in rig.alerts()} == {"firing", "resolved"}


@pytest.mark.parametrize("count", [2, 3])
def test_workers_that_share_the_partitions_give_the_same_as_one(count: int) -> None:
    rig = Rig(PLAN, partitions=5)
    for number, event in enumerate(stream()):
        rig.write([event], number % 5)
    for _ in range(count):
        rig.start(batch=20)
    for _ in range(9):
        for worker, _, _ in rig.workers:
            worker.step()
    rig.start(batch=3)  # one more joins in the middle of it
    for _ in range(9):
        for worker, _, _ in rig.workers:
            worker.step()
    rig.stop()  # and the first leaves
    rig.settle()
    found = backtest(PLAN, stream())
    assert encoded(rig, "verdicts") == {msgspec.json.encode(v) for v in verdicts(found)}
    assert encoded(rig, "alerts") == {msgspec.json.encode(a) for a in alerts(found)}
    owned = [set(consumer.assigned) for _, consumer, _ in rig.workers]
    assert sum(map(len, owned)) == len(set().union(*owned))
    assert all(owned)


def test_alerts_are_cloud_events() -> None:
    rig = Rig(plan(kafka={"group": "risk"}, budget="off", thresholds={"ks": {"warning": 0.4}}))
    rig.write(rows(0, 40, SECOND, np.random.default_rng(1), x=2.5))
    rig.start()
    rig.settle()
    (record, *_) = rig.records("alerts")
    alert = msgspec.json.decode(record.value or b"", type=Alert)
    assert dict(record.headers) == {
        "ce_specversion": b"1.0",
        "ce_id": f"{alert.alert_id}.{alert.revision}".encode(),
        "ce_source": b"/driftline/risk",
        "ce_type": b"io.driftline.alert.v1",
        "ce_subject": b"m/x",
        "ce_time": b"2020-09-20T00:00:10Z",
        "content-type": b"application/json",
    }
    assert record.key == alert.alert_id.encode()
    assert record.partition == partition_of(alert.alert_id, 2)
    for verdict in rig.records("verdicts"):
        assert (verdict.key, verdict.headers) == (b"m", ())
        assert verdict.partition == partition_of("m", 2)


def test_an_alert_on_a_whole_model_has_the_model_as_its_subject() -> None:
    rig = Rig(plan(stale_after="1h"))
    rig.write([row(0)])
    rig.start()
    rig.settle()
    rig.broker.now += 2 * HOUR
    rig.settle()
    (record,) = rig.records("alerts")
    assert dict(record.headers)["ce_subject"] == b"m"
    (fired,) = rig.alerts("stale")
    assert fired["status"] == "firing"
    # Events end it, in whatever partition they come.
    rig.write([row(DAY)])
    rig.settle()
    assert [a["status"] for a in rig.alerts("stale")] == ["firing", "resolved"]


def test_a_partition_that_holds_the_clock_is_named() -> None:
    rig = Rig(plan(stale_after="1h"), partitions=2)
    for number in range(2):
        rig.write([row(0), row(60 * SECOND)], number)
        rig.start()
    rig.settle()
    assert rig.alerts() == []
    # The worker that judges goes on; the other, which reads partition `held`, stands still.
    judging = TopicPartition("driftline.panes", partition_of(MODEL, 2))
    (awake,) = (w for w in rig.workers if judging in w[1].assigned)
    (held,) = (n for n in range(2) if TopicPartition(TOPIC, n) not in awake[1].assigned)
    for step in range(1, 80):
        rig.write([row(60 * (step + 1) * SECOND)], 1 - held)
        rig.broker.now += 60 * SECOND
        awake[0].step()
    awake[0].checkpoint()
    (fired,) = rig.alerts()
    assert fired["kind"] == "stale"
    assert (
        f"windows wait for partition {held} of in, which is at 2020-09-20 00:0"
        in (fired["summary"])
    )
    rig.settle()  # both are awake again
    assert [a["status"] for a in rig.alerts("stale")] == ["firing", "resolved"]


def test_a_worker_that_slept_too_long_records_nothing() -> None:
    rig = Rig(PLAN)
    worker = rig.start()
    worker.step()
    rig.write(stream()[:50])
    worker.step()
    written = len(rig.records("state"))
    rig.broker.now += 8_000
    worker.checkpoint()
    assert len(rig.records("state")) == written
    assert rig.records("panes")  # what it had sent is written: repeats do no harm
    # As soon as it has polled, it knows whether it owns anything still.
    worker.step()
    rig.broker.now += 2_000
    worker.step()
    assert len(rig.records("state")) > written


def test_a_worker_that_is_slow_records_what_it_did(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = Rig(PLAN)
    worker = rig.start(batch=50)
    worker.step()
    written = len(rig.records("state"))
    feed = PartitionSketch.feed

    def slow(self: PartitionSketch, records: Sequence[Record], now: int) -> list[Output]:
        rig.broker.now += 9_000  # thousands of models
        return feed(self, records, now)

    monkeypatch.setattr(PartitionSketch, "feed", slow)
    rig.write(stream()[:100])
    for _ in range(4):
        worker.step()
    assert len(rig.records("state")) > written


def test_a_state_is_recorded_after_the_outputs_and_before_the_offset() -> None:
    rig = Rig(PLAN)
    worker = rig.start()
    worker.step()
    rig.write(stream()[:100])
    worker.step()
    _, consumer, producer = rig.workers[0]
    states = len(rig.records("state"))
    producer.crash_after = 2
    with pytest.raises(WorkerLost):
        worker.checkpoint()
    assert len(rig.records("state")) == states
    assert consumer.committed == {}


def test_a_checkpoint_without_news_writes_nothing() -> None:
    rig = Rig(PLAN)
    rig.write(stream()[:100])
    worker = rig.start()
    rig.settle()
    worker.checkpoint()
    written = {name: len(rig.records(name)) for name in ("state", "panes", "verdicts")}
    worker.checkpoint()
    assert {name: len(rig.records(name)) for name in written} == written


def test_a_silent_model_is_recorded_once_a_minute_and_at_the_end() -> None:
    quiet = {"idle_after": "10m"}  # no idle marks either
    labels: dict[str, Any] = {"labels": {"topic": LABELS, "horizon": "1h"}}
    known = {name: labelled_reference(name) for name in "mn"}
    # The panes of both lie in one partition.
    rig = Rig(plan(known, models={"n": labels}, limits=quiet, **labels))
    worker = rig.start()
    rig.write([row(0), row(0, model="n")])

    def heads(name: str) -> list[int]:
        judges = rig.states(f"judge/{name}", JudgeState)
        return [len(judges), *(len(rig.states(f"join/{p}/{name}", JoinState)) for p in (0, 1))]

    def minute(start: int) -> None:
        for second in range(start, start + 60, 4):
            rig.write([row(second * SECOND)])
            rig.broker.now += 4_000
            for _ in range(4):
                worker.step()

    rig.broker.now += 2_000
    minute(0)
    busy, silent = heads("m"), heads("n")
    minute(60)
    assert all(now - before > 5 for now, before in zip(heads("m"), busy, strict=True))
    assert all(now - before <= 1 for now, before in zip(heads("n"), silent, strict=True))
    rig.settle()
    rig.stop()
    last = [rig.states(f"judge/{name}", JudgeState)[-1].position for name in "mn"]
    assert last == [len(rig.broker.logs[TopicPartition("driftline.panes", 0)])] * 2


def test_a_clean_stop_leaves_nothing_to_do_again() -> None:
    rig = Rig(PLAN)
    rig.write(stream())
    rig.start()
    rig.settle()
    rig.stop()
    published = rig.published()
    worker = rig.start()
    rig.settle()
    assert rig.published() == published
    assert worker.status.totals[TOPIC].read == 0


def test_what_a_killed_worker_had_published_is_not_published_again() -> None:
    rig = Rig(PLAN)
    rig.write(stream())
    worker = rig.start(batch=50)
    while not rig.records("alerts"):
        worker.step()
        rig.broker.now += 100
        rig.workers[0][2].flush()  # outputs are out, no state is
    rig.kill()
    rig.start()
    rig.settle()
    identities = [(a["alert_id"], a["revision"]) for a in rig.bodies("alerts")]
    assert len(identities) == len(set(identities))
    found = alerts(backtest(PLAN, stream()))
    assert encoded(rig, "alerts") == {msgspec.json.encode(a) for a in found}


def test_two_models_share_a_topic() -> None:
    both = plan({"n": reference(model="n")}, models={"n": {}})
    rig = Rig(both)
    rng = np.random.default_rng(2)
    rig.write([*rows(0, 60, SECOND, rng), *rows(0, 60, SECOND, rng, model="n"), row(5, model="?")])
    worker = rig.start()
    rig.settle()
    totals = worker.status.totals[TOPIC]
    assert totals.counted == {"m": 60, "n": 60}
    assert +totals.skipped == {"unknown_model": 1}
    assert {v["model"] for v in rig.verdicts().values()} == {"m", "n"}


def test_late_events_are_counted_and_not_used() -> None:
    rig = Rig(plan())
    rig.write([row(0), row(60 * SECOND), row(1), row(2), row(61 * SECOND)])
    worker = rig.start()
    rig.settle()
    totals = worker.status.totals[TOPIC]
    assert (totals.counted["m"], totals.late["m"]) == (3, 2)
    first = [v for v in rig.verdicts().values() if v["window"]["start"].endswith("23:59:40Z")]
    assert {v["window"]["events"] for v in first} == {1}


def broker_with_alerts(*records: tuple[str, str, int]) -> MemoryBroker:
    """A broker whose alerts topic holds (model, alert id, revision)."""
    broker = MemoryBroker()
    broker.create("alerts", 2)
    for number, (model, alert_id, revision) in enumerate(records):
        body = {"model": model, "alert_id": alert_id, "revision": revision, "more": [1]}
        broker.append(Message("alerts", number % 2, None, msgspec.json.encode(body)))
    broker.append(Message("alerts", 0, b"deleted", None))
    return broker


def found_sent(broker: MemoryBroker, model: str, ends: list[int]) -> SentAlerts:
    """What is found of a model behind the ends; a comparison and a later model read on as well."""
    judges = {"log name": (model, ends), "compare:m": ("x", [2, 2]), "n": ("n", [0, 2])}
    return sent_alerts(MemoryLog(broker), "alerts", 2, judges)["log name"]


@pytest.fixture(scope="module")
def an_alert() -> Callable[[str, int], Alert]:
    """Make an alert: `an_alert(alert_id, revision)`."""
    (alert, *_) = alerts(backtest(PLAN, stream()))
    return lambda name, revision: msgspec.structs.replace(alert, alert_id=name, revision=revision)


def test_sent_alerts(an_alert: Callable[[str, int], Alert]) -> None:
    broker = broker_with_alerts(("m", "a", 1), ("m", "a", 2), ("n", "b", 1), ("m", "c", 1))
    sent = found_sent(broker, MODEL, [1, 0])
    # Behind the ends: a.2, b.1 (another model's) and c.1; a.1 is older.
    assert not sent.all_passed
    assert sent.is_new(an_alert("a", 1))
    assert not sent.is_new(an_alert("a", 2))
    assert sent.is_new(an_alert("b", 1))
    assert not sent.all_passed
    assert not sent.is_new(an_alert("c", 1))
    assert sent.all_passed
    assert not sent.is_new(an_alert("c", 1))
    assert sent.is_new(an_alert("c", 2))


def test_without_remembered_ends_the_whole_topic_is_looked_at(
    an_alert: Callable[[str, int], Alert],
) -> None:
    broker = broker_with_alerts(("m", "a", 1), ("m", "a", 2))
    sent = found_sent(broker, MODEL, [])
    assert not sent.is_new(an_alert("a", 1))
    empty = found_sent(broker, "another", [])
    assert empty.all_passed
