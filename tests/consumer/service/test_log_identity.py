"""Offsets remembered of the log of panes mean nothing in another log of that name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.consumer.service.rig import Rig
from tests.consumer.service.small import SECOND, plan, row

from driftline.consumer.log.errors import LogError
from driftline.consumer.log.protocol import TopicPartition

PANES = "driftline.panes"


def recreate(rig: Rig) -> None:
    rig.broker.infos[PANES] = replace(rig.broker.infos[PANES], topic_id="another")
    for number in range(2):
        rig.broker.logs[TopicPartition(PANES, number)] = []


def grow(rig: Rig) -> None:
    rig.broker.infos[PANES] = replace(rig.broker.infos[PANES], partitions=5)
    for number in range(2, 5):
        rig.broker.logs[TopicPartition(PANES, number)] = []


@pytest.mark.parametrize("change", [recreate, grow])
def test_another_log_of_panes_is_refused(change: Callable[[Rig], None]) -> None:
    rig = Rig(plan())
    rig.write([row(t * SECOND) for t in range(100)])
    rig.start()
    rig.settle()
    rig.stop()
    change(rig)
    worker = rig.start()
    with pytest.raises(LogError, match=rf"{PANES} was re-created or .* set output\.prefix"):
        worker.step()


def test_the_same_log_of_panes_is_gone_on_with() -> None:
    rig = Rig(plan())
    rig.write([row(t * SECOND) for t in range(100)])
    rig.start()
    rig.settle()
    rig.stop()
    before = len(rig.verdicts())
    rig.write([row(t * SECOND) for t in range(100, 200)])
    rig.start()
    rig.settle()
    assert len(rig.verdicts()) > before > 0
