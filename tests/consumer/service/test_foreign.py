"""Records of others in Driftline's own topics: one clear sentence that names where it is."""

from __future__ import annotations

import pytest
from tests.consumer.service.rig import Rig
from tests.consumer.service.small import plan, row

from driftline.consumer.log.protocol import Message
from driftline.consumer.wire.codec import encode
from driftline.consumer.wire.messages import Horizon, partition_of
from driftline.errors import DriftlineError

PANES = partition_of("m", 2)


def run_with(topic: str, partition: int, key: bytes | None, value: bytes | None) -> Rig:
    """A worker that finds one odd record in an output topic."""
    rig = Rig(plan())
    rig.write([row(0), row(40_000)])
    rig.broker.append(Message(topic, partition, key, value))
    rig.start()
    rig.settle()
    return rig


CUT = encode(Horizon("in", 0, 1, "m", None, None, 0, 0))[:-1]


@pytest.mark.parametrize("value", [b"oops", b"", CUT])
def test_a_foreign_record_of_the_model_among_the_panes_is_refused_by_name(value: bytes) -> None:
    with pytest.raises(DriftlineError) as refused:
        run_with("driftline.panes", PANES, b"m", value)
    told = str(refused.value)
    assert "driftline.panes" in told
    assert "0" in told  # its offset


@pytest.mark.parametrize("key", [b"\xff\xfe", b"another", None, b""])
def test_records_of_nobody_among_the_panes_are_passed_over(key: bytes | None) -> None:
    assert run_with("driftline.panes", PANES, key, b"oops").verdicts()


def test_a_deleted_record_among_the_panes_is_passed_over() -> None:
    assert run_with("driftline.panes", PANES, b"m", None).verdicts()


@pytest.mark.parametrize("value", [b"oops", b"{}", b"[]", b""])
def test_a_foreign_record_among_the_alerts_stops_nobody(value: bytes) -> None:
    """Users write there too, such as a test message; it is nobody's identity."""
    assert run_with("driftline.alerts", 0, b"key", value).verdicts()


def test_a_foreign_key_among_the_states() -> None:
    with pytest.raises(DriftlineError, match=r"driftline\.state"):
        run_with("driftline.state", 0, b"\xff\xfe", b"oops")
