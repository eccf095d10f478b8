"""A worker that was frozen wakes up, and writes what the join has done with long ago."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import msgspec
import pytest
from tests.consumer.service.rig import Rig
from tests.consumer.service.small import LABELS, SECOND, START, TOPIC, labelled_plan

from driftline.consumer.join.model import ModelJoin
from driftline.consumer.join.state import JoinState
from driftline.consumer.log.protocol import Message
from driftline.consumer.sketch.event_ids import hash_ids
from driftline.consumer.wire.messages import decode_block

PLAN = labelled_plan("arrival")


def ids_in(partition: int) -> Iterator[str]:
    """Ids whose rows lie in one of the two partitions of the log of joins."""
    return (name for name in map(str, count()) if int(hash_ids([name])[0]) % 2 == partition)


def write(rig: Rig, seconds: range, ids: Iterator[str]) -> None:
    """An event a second, and its label in the same second."""
    for second, name in zip(seconds, ids, strict=False):
        row = {"event_id": name, "timestamp": START + second * SECOND}
        prediction = {"label": "yes", "score": 0.9}
        rig.write([{**row, "features": {"x": 0.0, "c": "p"}, "prediction": prediction}])
        rig.write([{**row, "actual": "yes"}], topic=LABELS)


def published(*, woken: bool) -> set[bytes]:
    """What is published; `woken`: blocks of predictions are written again after a restart."""
    rig, here, elsewhere = Rig(PLAN), ids_in(0), ids_in(1)
    write(rig, range(5), here)
    write(rig, range(5, 60), elsewhere)
    worker = rig.start()
    for _ in range(4):  # no time passes, so nobody says that he is idle
        worker.step()
        worker.step()
        worker.checkpoint()
    rig.stop()
    if woken:
        for record in rig.records("joins"):
            horizon = decode_block(record.value or b"").horizon
            if record.partition == 0 and horizon.source == TOPIC and horizon.until:
                rig.broker.append(Message(record.topic, 0, None, record.value))
    write(rig, range(60, 180), elsewhere)
    rig.start()
    rig.settle()
    return {record.value or b"" for name in ("verdicts", "alerts") for record in rig.records(name)}


def test_what_a_woken_worker_brings_is_not_taken_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = published(woken=False)
    assert published(woken=True) == expected
    original = ModelJoin.state

    def forgetful(self: ModelJoin) -> JoinState | None:
        found = original(self)
        return found and msgspec.structs.replace(found, positions=[])

    monkeypatch.setattr(ModelJoin, "state", forgetful)
    assert published(woken=False) == expected
    assert published(woken=True) != expected
