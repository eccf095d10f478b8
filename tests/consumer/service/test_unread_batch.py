"""A batch that cannot be unpacked: a dead letter with its offsets, and nobody is stopped."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from tests.consumer.service.rig import Rig
from tests.consumer.service.small import (
    LABELS,
    MODEL,
    SECOND,
    TOPIC,
    labelled_plan,
    plan,
    row,
)

from driftline.consumer.cli.dead_letters import LetterChoice, as_document, choose
from driftline.consumer.cli.dead_letters import row as line
from driftline.consumer.log.protocol import TopicPartition, UnreadBatch

PARTITION = TopicPartition(TOPIC, 0)
PACKED = bytes(range(256)) * 40
DETAIL = "the batch of offsets 40 to 49 unpacks to more than 64 bytes (kafka.max_batch_bytes)"


def write_bomb(rig: Rig, topic: str = TOPIC, records: int = 10) -> None:
    """Write a batch of records that the log's reader brings as one."""
    log = rig.broker.logs[TopicPartition(topic, 0)]
    first = len(log)
    rig.write([b"never read"] * (records - 1), topic=topic)
    rig.broker.hidden[TopicPartition(topic, 0)].update(range(first, len(log)))
    detail = DETAIL.replace("40", str(first)).replace("49", str(len(log)))
    value = UnreadBatch(PACKED, first=first, last=len(log), reason="too_large", detail=detail)
    rig.write([value], topic=topic)


def stream(rig: Rig) -> None:
    rig.write([row(at * SECOND) for at in range(40)])
    write_bomb(rig)
    rig.write([row(at * SECOND) for at in range(50, 140)])


def judged(rig: Rig) -> dict[str, tuple[str, str | None]]:
    return {
        v["window"]["end"][14:19]: (v["state"], v["reason"])
        for v in rig.verdicts().values()
        if v["feature"] == "x"
    }


def test_it_is_a_dead_letter_and_an_alert() -> None:
    rig = Rig(plan())
    stream(rig)
    worker = rig.start()
    rig.settle()
    fired, resolved = rig.alerts("data_loss")
    assert fired["summary"] == (
        "m: events 40 to 49 of in partition 0 were not read, because their batch is a dead letter;"
        " windows from 2020-09-20 00:00 UTC to 2020-09-20 00:01 UTC are not judged."
    )
    assert resolved["status"] == "resolved"
    (letter,) = choose(rig.records("dead-letter"), LetterChoice())
    assert (letter.offset, letter.last, letter.reason) == (40, 49, "too_large")
    assert (letter.detail, letter.cut) == (DETAIL, True)
    headers = dict(letter.record.headers)
    assert headers["driftline.error.length"] == str(len(PACKED)).encode()
    assert headers["driftline.error.sha256"] == hashlib.sha256(PACKED).hexdigest().encode()
    assert letter.record.value == PACKED[:4096]
    assert line(letter, values=False).endswith(f"too_large      in[0]@40-49  {DETAIL}")
    assert as_document(letter, values=False)["last_offset"] == 49
    totals = worker.status.totals[TOPIC]
    assert (totals.read, totals.rejected) == (131, {"too_large": 1})
    found = judged(rig)
    missing = "events of this time are in a batch that is a dead letter"
    assert [end for end, (_, reason) in found.items() if reason == missing] == [
        "00:40", "00:50", "01:00", "01:10", "01:20",
    ]  # fmt: skip
    assert found["00:40"][0] == "insufficient"
    assert found["00:30"][1] is None
    assert found["01:30"][1] is None


@pytest.mark.parametrize("batch", [1, 7, 1_000])
def test_the_next_starts_go_on_as_well(batch: int) -> None:
    """Whatever is killed, the verdicts are the same: what was refused once is refused again."""
    calm = Rig(plan())
    stream(calm)
    calm.start()
    calm.settle()
    rig = Rig(plan())
    stream(rig)
    for steps in (4, 6, 9, 13, 20):
        rig.start(batch=batch)
        for step in range(steps):
            rig.workers[0][0].step()
            if step % 3 == 2:
                rig.workers[0][0].checkpoint()
        rig.kill()
    rig.start(batch=batch)
    rig.settle()
    assert rig.verdicts() == calm.verdicts()
    assert len(choose(rig.records("dead-letter"), LetterChoice())) == 1
    ids = {(a["alert_id"], a["revision"]) for a in rig.alerts("data_loss")}
    assert ids == {(a["alert_id"], a["revision"]) for a in calm.alerts("data_loss")}


def test_one_among_labels_is_a_loss_of_labels() -> None:
    rig = Rig(labelled_plan("arrival"))
    events: list[dict[str, Any]] = []
    for at in range(40):
        event = row(at * SECOND, x=0.5)
        event |= {"event_id": f"e{at}", "prediction": {"label": "yes", "score": 0.75}}
        events.append(event)
    rig.write(events)
    labels = [
        {"event_id": e["event_id"], "timestamp": e["timestamp"], "actual": "yes"} for e in events
    ]
    rig.write(labels[:10], topic=LABELS)
    write_bomb(rig, LABELS)
    rig.write(labels[20:], topic=LABELS)
    worker = rig.start()
    rig.settle()
    (letter,) = choose(rig.records("dead-letter"), LetterChoice())
    assert (letter.topic, letter.offset, letter.last) == (LABELS, 10, 19)
    fired, *_ = rig.alerts("data_loss")
    assert "events 10 to 19 of truth partition 0 were not read, because" in fired["summary"]
    assert worker.status.totals[LABELS].labels[MODEL] == 30
